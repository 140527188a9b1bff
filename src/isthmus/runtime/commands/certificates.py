"""Certificates of the running process: `show`, `new`, `set`, `commit`, `abort` and `del ssl cert`."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable
from importlib.util import find_spec

from isthmus.certificates.shelf import ChangeError
from isthmus.config import Span
from isthmus.engine import describe_certificates
from isthmus.engine.tls import CertificateDescription
from isthmus.keywords.tls_files import sent
from isthmus.keywords.tls_pem import blocks
from isthmus.model.tls import Bases, Certificate
from isthmus.records import replace
from isthmus.runtime.commands.transactions import abort, commit, prepare
from isthmus.runtime.dates import openssl_date
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_NOT_FOUND = "Can't display the certificate: Not found or the certificate is a bundle!"
_PARTS = (".key", ".issuer", ".ocsp", ".sctl")
"""What may stand behind a certificate's name in `set ssl cert`."""
_RESPONSE = "OCSP Response Key: \n"
CLI = Span("runtime API", 1, 1, 1)
"""Where a certificate is from that an operator gave."""


@command(
    "show ssl cert",
    "display the SSL certificates used in memory, or the details of a file",
    syntax="[<certfile>]",
    level=Level.OPERATOR,
)
def show_ssl_cert(request: Request) -> str:
    """List the certificates, or describe one; a name behind `*` is the one that is being changed."""
    shelf = request.instance.certificates.certificates
    name = request.argument(0)
    if not name:
        return _listing(None if shelf.transaction is None else shelf.transaction.name, shelf.all())
    if name.startswith("*"):
        found = shelf.transaction
        if found is None or found.name != name[1:]:
            raise CommandError(_NOT_FOUND)
        return _described(f"Filename: *{found.name}\nStatus: Unused\n", found)
    known = shelf.all()
    if name not in known:
        raise CommandError(_NOT_FOUND)
    found = known[name]
    if found is None:
        return f"Filename: {name}\nStatus: Empty\n{_RESPONSE}"
    status = "Used" if name in shelf.used() else "Unused"
    return _described(f"Filename: {name}\nStatus: {status}\n", found)


def _listing(transaction: str | None, names: Iterable[str]) -> str:
    """Return names as HAProxy lists files: the one that is being changed, then all of them."""
    lines = ["# transaction", f"*{transaction}"] if transaction else []
    return "".join(f"{line}\n" for line in [*lines, "# filename", *names])


def _described(head: str, certificate: Certificate) -> str:
    chain = describe_certificates(certificate.chain)
    if not chain:
        return head + _RESPONSE
    behind = "".join(f"Chain Subject: {each.subject}\nChain Issuer: {each.issuer}\n" for each in chain[1:])
    return head + details(chain[0]) + behind + _response(certificate)


def _response(certificate: Certificate) -> str:
    """Return the line that names a certificate's OCSP response, where that can be told."""
    if certificate.ocsp is None or find_spec("cryptography") is None:
        return _RESPONSE
    from isthmus.ocsp.responses import ResponseError, subject

    try:
        return f"OCSP Response Key: {subject(certificate).identity()}\n"
    except ResponseError:
        return _RESPONSE


def details(said: CertificateDescription) -> str:
    """Return the lines that describe a certificate."""
    return (
        f"Serial: {said.serial}\n"
        f"notBefore: {openssl_date(said.not_before)}\n"
        f"notAfter: {openssl_date(said.not_after)}\n"
        f"Subject Alternative Name: {said.names}\n"
        f"Algorithm: {said.algorithm}\n"
        f"SHA1 FingerPrint: {said.sha1}\n"
        f"Subject: {said.subject}\n"
        f"Issuer: {said.issuer}\n"
    )


@command(
    "new ssl cert",
    "create a new certificate file to be used in a crt-list or a directory",
    syntax="<certfile>",
    level=Level.ADMIN,
)
def new_ssl_cert(request: Request) -> str:
    """Make an empty place for a certificate."""
    name = request.argument(0)
    if not name:
        raise CommandError("'new ssl cert' expects a filename")
    try:
        request.instance.certificates.certificates.new(name)
    except ChangeError:
        raise CommandError(f"Certificate '{name}' already exists!") from None
    return f"New empty certificate store '{name}'!\n"


@command("set ssl cert", "replace a certificate file", syntax="<certfile> <payload>", level=Level.ADMIN)
def set_ssl_cert(request: Request) -> str:
    """Prepare a certificate: all of it, or what stands beside it (`.key`, `.issuer`, `.ocsp`)."""
    said = request.argument(0)
    if not said or request.payload is None:
        raise CommandError("'set ssl cert expects a filename and a certificate as a payload")
    shelf = request.instance.certificates.certificates
    known = shelf.all()
    name, part = said, ""
    if said not in known:
        part = next((each for each in _PARTS if said.endswith(each)), "")
        name = said.removesuffix(part) if part else said
    if name not in known:
        why = "Can't replace a certificate which is not referenced by the configuration!"
        raise CommandError(f"{why}\nCan't update {said}!")
    before = shelf.transaction if shelf.transaction is not None else known[name]
    payload = "\n".join(request.payload)

    def change() -> Certificate:
        try:
            return _CHANGES[part](before or Certificate(name, b"", b"", CLI), payload)
        except ValueError as error:
            raise ValueError(f"{error}\nCan't load the payload") from None

    return f"Transaction {prepare(shelf, name, said, change)} for certificate {name}!\n"


def _whole(before: Certificate, text: str) -> Certificate:
    found = blocks(text.encode("latin-1", "replace"))
    if not found.certificates:
        raise ValueError(f"unable to load certificate from file '{before.name}'.")
    if found.encrypted and found.key is None:
        raise ValueError("the private key has a passphrase, which `openssl pkey` takes off.")
    chain, root = sent(found.certificates, before.files.bases if before.files else Bases())
    # A response is about the certificate before.
    return replace(before, chain=chain, key=found.key or b"", ocsp=None, issuer=root or before.issuer)


def _key(before: Certificate, text: str) -> Certificate:
    found = blocks(text.encode("latin-1", "replace"))
    if found.key is None:
        raise ValueError(f"unable to load private key from file '{before.name}'.")
    return replace(before, key=found.key)


def _issuer(before: Certificate, text: str) -> Certificate:
    found = blocks(text.encode("latin-1", "replace"))
    if not found.certificates:
        raise ValueError(f"'{before.name}' cannot be read or parsed'.")
    return replace(before, issuer=found.certificates[0])


def _ocsp(before: Certificate, text: str) -> Certificate:
    return replace(before, ocsp=base64_payload(text))


def _timestamps(before: Certificate, text: str) -> Certificate:
    raise ValueError("timestamps are not sent beside certificates: certificates hold them today.")


def base64_payload(text: str) -> bytes:
    """Return the bytes that a payload holds. Raises ValueError."""
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        raise ValueError("Error reading OCSP response in base64 format") from None


_CHANGES: dict[str, Callable[[Certificate, str], Certificate]] = {
    "": _whole,
    ".key": _key,
    ".issuer": _issuer,
    ".ocsp": _ocsp,
    ".sctl": _timestamps,
}


@command("commit ssl cert", "commit a certificate file", syntax="<certfile>", level=Level.ADMIN)
def commit_ssl_cert(request: Request) -> str:
    """Put the certificate in force that was prepared: all lines that use it, or none."""
    shelf = request.instance.certificates.certificates
    return commit(request, shelf, "cert", "'commit ssl cert expects a filename", _lacks)


def _lacks(prepared: Certificate) -> str:
    if prepared.chain and prepared.key:
        return ""
    return "The transaction must contain at least a certificate and a private key!"


@command(
    "abort ssl cert", "abort a transaction for a certificate file", syntax="<certfile>", level=Level.ADMIN
)
def abort_ssl_cert(request: Request) -> str:
    """Forget the certificate that was prepared."""
    return abort(request, request.instance.certificates.certificates, "cert")


@command("del ssl cert", "delete an unused certificate file", syntax="<certfile>", level=Level.ADMIN)
def del_ssl_cert(request: Request) -> str:
    """Forget a certificate that no line uses."""
    name = request.argument(0)
    if not name:
        raise CommandError("'del ssl cert' expects a certificate name")
    shelf = request.instance.certificates.certificates
    if name not in shelf.all():
        raise CommandError(f"Can't remove the certificate: certificate '{name}' doesn't exist!\n")
    if name in shelf.used():
        raise CommandError(f"Can't remove the certificate: certificate '{name}' in use, can't be deleted!\n")
    shelf.remove(name)
    return f"Certificate '{name}' deleted!\n"
