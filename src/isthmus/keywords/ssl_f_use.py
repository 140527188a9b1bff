"""`ssl-f-use`: certificates of a frontend, for those of its bind lines that name none (manual 3.2, 4.2)."""

from __future__ import annotations

from isthmus.config import Diagnostics, Word
from isthmus.keywords.codes import IGNORED_HERE
from isthmus.keywords.crt_list import PARTS, LineSettings
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.option_row import Option, OptionTable, OptionUse, options
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.tls_bind import LIST_ROWS
from isthmus.keywords.tls_codes import BAD_CRT_LIST
from isthmus.keywords.tls_options import lifted
from isthmus.model.tls import CertificateList, Entry, ListLine, Parts
from isthmus.records import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class _Said:
    """What a line says: which certificate, and what holds for it."""

    crt: Word | None = None
    line: LineSettings = field(default_factory=LineSettings)


def _crt(use: OptionUse[_Said]) -> _Said:
    return replace(use.settings, crt=use.words.take("a file with a certificate"))


_OPTIONS = OptionTable(
    "bind",
    "ssl-f-use",
    BAD_CRT_LIST,
    options(
        Option("crt", "<cert>", "The certificate: a file, or one of a crt-store", _crt),
        *lifted((*lifted(LIST_ROWS, "entry"), *PARTS), "line"),
    ),
)


def _use(use: Use[ProxyDraft]) -> None:
    draft, files, world = use.draft, use.reading.tls, use.reading.world
    text = " ".join(word.text for word in use.words.rest)
    said = _OPTIONS.read(use.words, _Said(), use.reading, draft.context)
    if said.crt is None:
        raise RefusedError(BAD_CRT_LIST, "`ssl-f-use` names no certificate", use.line.span, expected="`crt`")
    if said.line.parts == Parts():
        found = files.certificates(said.crt, world, use.reading.diagnostics)
    else:
        path = files.path(said.crt)
        found = (files.certificate(path, said.crt.span, world, use.reading.diagnostics, said.line.parts),)
    shown = draft.certificates
    if not shown.lists:
        shown = replace(shown, lists=(CertificateList(_list(draft), False, files.bases),))
    number = len({each.line.number for each in shown.entries if each.line is not None}) + 1
    own = text.replace(f"crt {said.crt.text}", "").strip()
    line = ListLine(_list(draft), number, own)
    updated = said.line.ocsp_update
    for certificate in found:
        held = certificate if updated is None else replace(certificate, ocsp_update=updated)
        entry = Entry(held, said.line.entry, line=line)
        shown = replace(shown, entries=(*shown.entries, entry))
    draft.certificates = shown
    draft.certificates_span = draft.certificates_span or use.line.span


def warn_unused(draft: ProxyDraft, diagnostics: Diagnostics) -> None:
    """Warn of certificates that no bind line takes."""
    if draft.certificates_span is None:
        return
    if not any(bind.settings.tls.needs_certificates for bind in draft.binds):
        message = f"`ssl-f-use` is ignored: each bind line of `{draft.name}` has certificates or no `ssl`"
        diagnostics.warning(IGNORED_HERE, message, draft.certificates_span)


def _list(draft: ProxyDraft) -> str:
    """Return the name of the list that the lines of a frontend make, by which the runtime API changes it."""
    return f"@{draft.name}"


SSL_F_USE: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "ssl-f-use",
        Where.FRONTEND | Where.LISTEN,
        "crt <cert> [<option> ...]",
        "A certificate for bind lines that name none",
        _use,
    ),
)
"""The row of frontends."""
