"""What the engine says about the TLS of a plan before it is applied (crates/plan/src/tls_facts.rs)."""

from __future__ import annotations

from msgspec import Struct


class CertificateFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """What a certificate says of itself: its names, and its first and last second since 1970.

    `ocsp` is why its OCSP response is not stapled, empty where it is or there is none.
    """

    names: tuple[str, ...] = ()
    not_before: int = 0
    not_after: int = 0
    ocsp: str = ""


class CertificateDescription(Struct, frozen=True, forbid_unknown_fields=True):
    """What a certificate says of itself, for operators: hexadecimal numbers, names in one line, seconds."""

    serial: str
    not_before: int
    not_after: int
    names: str
    algorithm: str
    sha1: str
    subject: str
    issuer: str


class RevocationDescription(Struct, frozen=True, forbid_unknown_fields=True):
    """What a revocation list says of itself, for operators; `revoked` are serial numbers and seconds."""

    version: int
    algorithm: str
    issuer: str
    this_update: int
    next_update: int | None
    revoked: tuple[tuple[str, int], ...]


class CertificateSubject(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="certificate"
):
    """A certificate or its key, by index."""

    index: int


class AuthoritySubject(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="authority"):
    """A file of authorities, by index."""

    index: int


class RevocationSubject(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="revocation"):
    """A file of revocation lists, by index."""

    index: int


class LineSubject(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="line"):
    """A bind or server line, by its `file:line`."""

    origin: str


TlsSubject = CertificateSubject | AuthoritySubject | RevocationSubject | LineSubject
"""A part of a plan that can be at fault."""


class TlsFault(Struct, frozen=True, forbid_unknown_fields=True):
    """Something that cannot be used, and why."""

    subject: TlsSubject
    message: str


class TlsFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found out: a row for each certificate of the plan, and what cannot be used."""

    certificates: tuple[CertificateFacts, ...] = ()
    faults: tuple[TlsFault, ...] = ()
