"""OCSP responses: `show`, `set` and `update ssl ocsp-response`, `show ssl ocsp-updates`."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from isthmus.certificates.shelf import ChangeError
from isthmus.model.tls import Certificate
from isthmus.records import replace
from isthmus.runtime.dates import openssl_date
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

if TYPE_CHECKING:
    from isthmus.ocsp.responses import Subject


def _known(instance: Instance) -> dict[str, tuple[Certificate, Subject]]:
    """Return the certificates whose issuers are known, by their ids. Raises CommandError."""
    if find_spec("cryptography") is None:
        raise CommandError("OCSP needs the Python package `cryptography`: pip install 'isthmus[ocsp]'")
    from isthmus.ocsp.responses import ResponseError, subject

    found: dict[str, tuple[Certificate, Subject]] = {}
    for held in instance.certificates.certificates.all().values():
        if held is None:
            continue
        try:
            about = subject(held)
        except ResponseError:
            continue
        found.setdefault(about.identity(), (held, about))
    return found


@command(
    "show ssl ocsp-response",
    "display the IDs of the OCSP responses used in memory, or the details of a single OCSP response",
    syntax="[id]",
    level=Level.OPERATOR,
)
def show_ssl_ocsp_response(request: Request) -> str:
    """List the certificates that have responses, or tell what one says; an id or a certificate names it."""
    said = request.argument(0)
    shelf = request.instance.certificates.certificates
    if not said and not any(held is not None and held.ocsp for held in shelf.all().values()):
        return ""
    held = {key: pair for key, pair in _known(request.instance).items() if _can_be_read(pair[0].ocsp)}
    if said:
        for key, (certificate, _) in held.items():
            if said in (key, certificate.name):
                return _described(certificate.ocsp or b"")
        raise CommandError("Certificate ID does not match any certificate.")
    return "# Certificate IDs\n" + "".join(
        f"Certificate ID key : {key}\nCertificate path : {each.name}\n{_identity(each.ocsp or b'')}"
        for key, (each, _) in held.items()
    )


def _can_be_read(der: bytes | None) -> bool:
    """Whether there is a response that tells of a certificate; what a file holds may be anything."""
    from cryptography.x509 import ocsp

    try:
        said = ocsp.load_der_ocsp_response(der or b"")
        return said.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL and said.serial_number >= 0
    except ValueError:
        return False


def _identity(der: bytes) -> str:
    from cryptography.x509 import ocsp

    said = ocsp.load_der_ocsp_response(der)
    return (
        f" Certificate ID:\n   Issuer Name Hash: {said.issuer_name_hash.hex().upper()}\n"
        f"   Issuer Key Hash: {said.issuer_key_hash.hex().upper()}\n"
        f"   Serial Number: {_hexadecimal(said.serial_number)}\n"
    )


def _hexadecimal(number: int) -> str:
    text = f"{number:X}"
    return text if len(text) % 2 == 0 else f"0{text}"


def _described(der: bytes) -> str:
    """Return what a response says, in the words of openssl-ocsp(1)."""
    from cryptography.x509 import ocsp

    said = ocsp.load_der_ocsp_response(der)
    due = said.next_update_utc
    until = "" if due is None else f"    Next Update: {_date(due)}\n"
    return (
        "OCSP Response Data:\n    OCSP Response Status: successful (0x0)\n"
        f"    Response Type: Basic OCSP Response\n    Produced At: {_date(said.produced_at_utc)}\n"
        f"    Responses:\n{_identity(der)}    Cert Status: {said.certificate_status.name.lower()}\n"
        f"    This Update: {_date(said.this_update_utc)}\n{until}"
    )


def _date(at: datetime) -> str:
    return openssl_date(int(at.timestamp()))


@command(
    "set ssl ocsp-response",
    "update a certificate's OCSP Response from a base64-encode DER",
    syntax="<resp|payload>",
    level=Level.ADMIN,
)
def set_ssl_ocsp_response(request: Request) -> str:
    """Staple a response to the certificate that it is about; it is verified as one of a responder is."""
    text = "".join(request.payload) if request.payload is not None else request.argument(0)
    if not text.strip():
        raise CommandError("'set ssl ocsp-response' expects response in base64 encoding.")
    try:
        der = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise CommandError("'set ssl ocsp-response' received invalid base64 encoded response.") from None
    known = _known(request.instance)
    from isthmus.ocsp.responses import ResponseError

    why = "OCSP single response: Certificate ID does not match any certificate or issuer."
    for certificate, about in known.values():
        try:
            about.believe(der)
            request.instance.certificates.certificates.put(replace(certificate, ocsp=der))
        except (ResponseError, ChangeError) as error:
            if str(error) == "it is no OCSP response":
                raise CommandError("Unable to parse OCSP response.") from None
            if str(error) != "it is about another certificate":
                why = f"OCSP response of `{certificate.name}`: {error}."
            continue
        return "OCSP Response updated!\n"
    raise CommandError(why)


@command(
    "update ssl ocsp-response",
    "send ocsp request and update stored ocsp response",
    syntax="<certfile>",
    level=Level.ADMIN,
)
def update_ssl_ocsp_response(request: Request) -> str:
    """Ask the responder of a certificate at once; the log tells what comes of it."""
    name = request.argument(0)
    if not name:
        raise CommandError("'update ssl ocsp-response' expects a filename")
    updater = request.instance.updater
    kept = updater.updated.get(name) if updater is not None else None
    if kept is None:
        raise CommandError(
            f"'update ssl ocsp-response' only works on certificates with `ocsp-update`: '{name}'"
        )
    kept.wanted.set()
    return ""


@command("show ssl ocsp-updates", "display information about the next update", level=Level.OPERATOR)
def show_ssl_ocsp_updates(request: Request) -> str:
    """Return a line for each certificate whose response is asked for, the next one first."""
    updater = request.instance.updater
    lines = [
        "OCSP Certid | Path | Next Update | Last Update | Successes | Failures | Last Update Status | "
        "Last Update Status (str)"
    ]
    found = sorted(updater.updated.values(), key=lambda each: each.due) if updater is not None else ()
    for each in found:
        status = 1 if each.successes and not each.in_a_row else 2 if each.failures else 0
        row = (each.identity, each.name, _moment(each.due), _moment(each.last), each.successes, each.failures)
        lines.append(" | ".join(map(str, (*row, status, each.outcome))))
    return "".join(f"{line}\n" for line in lines)


def _moment(second: float | None) -> str:
    return "-" if second is None else f"{datetime.fromtimestamp(second, UTC):%d/%b/%Y:%H:%M:%S +0000}"
