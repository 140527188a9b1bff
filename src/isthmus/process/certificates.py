"""What only X.509 tells about the certificates of a configuration, said at the lines that name them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from isthmus.config import Diagnostics, Span
from isthmus.engine.tls import AuthoritySubject, CertificateSubject, LineSubject, RevocationSubject, TlsFacts
from isthmus.keywords.tls_codes import (
    BAD_AUTHORITY,
    BAD_CERTIFICATE,
    BAD_REVOCATIONS,
    CANNOT,
    EXPIRED,
    NO_ANSWER,
    NOT_STAPLED,
)
from isthmus.plan import document
from isthmus.plan.built import Built
from isthmus.plan.tls import tls_origins

Check = Callable[[document.Plan], TlsFacts]
"""What the engine says about a plan's TLS (`isthmus.engine.check_tls`)."""


def check_certificates(built: Built, check: Check, now: float | None = None) -> None:
    """Collect what is wrong with a configuration's TLS; `now` is in seconds since 1970."""
    plan = built.engine
    lines = any(bind.tls for each in plan.frontends for bind in each.binds) or any(
        server.tls for each in plan.backends for server in each.servers
    )
    if built.diagnostics.failed or not lines:
        return
    facts = check(plan)
    _report_faults(facts, built)
    moment = time.time() if now is None else now
    places = built.tls_spans.get("certificate", ())
    for file, said, span in zip(plan.tls.certificates, facts.certificates, places, strict=True):
        if said.ocsp:
            message = f"the OCSP response of `{file.name}` is not stapled: {said.ocsp}"
            built.diagnostics.warning(NOT_STAPLED, message, span)
        if said != type(said)() and not said.not_before <= moment <= said.not_after:
            _report_time(file.name, said.not_before, said.not_after, moment, span, built.diagnostics)


def check_authorities(built: Built) -> None:
    """Collect a warning for each section `acme` whose challenges no rule looks up."""
    looked_up = {each.name for each in built.engine.lists if each.two_columns}
    for each in built.configuration.acme:
        if each.map is not None and each.map not in looked_up and each.span is not None:
            message = f"no rule looks challenges of section `acme {each.name}` up in map `{each.map}`"
            built.diagnostics.warning(NO_ANSWER, message, each.span)


def _report_faults(facts: TlsFacts, built: Built) -> None:
    lines = tls_origins(built.configuration.proxies)
    for fault in facts.faults:
        span: Span | None
        match fault.subject:
            case CertificateSubject(index):
                code, span = BAD_CERTIFICATE, built.tls_spans["certificate"][index]
            case AuthoritySubject(index):
                code, span = BAD_AUTHORITY, built.tls_spans["authority"][index]
            case RevocationSubject(index):
                code, span = BAD_REVOCATIONS, built.tls_spans["revocation"][index]
            case LineSubject(origin):
                code, span = CANNOT, lines.get(origin)
        built.diagnostics.alert(code, fault.message, span)


def _report_time(name: str, first: int, last: int, now: float, span: Span, diagnostics: Diagnostics) -> None:
    if now > last:
        message = f"certificate `{name}` expired on {_day(last)}"
    else:
        message = f"certificate `{name}` is valid from {_day(first)} only"
    diagnostics.warning(EXPIRED, message, span)


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")
