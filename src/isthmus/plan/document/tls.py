"""TLS: what `ssl` on a bind or server line comes to. Byte strings hold a character for each byte.

Files are carried once, in `TlsFiles`; everything else refers to them by index. An empty list of what is
negotiated leaves the choice to the engine.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.model.tls import Group, Scheme, Suite
from isthmus.plan.document.expression import Expression


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate with its chain and key (PEM), an OCSP response (DER) and its authority (PEM).

    `jwt` says whether tokens may be verified and decrypted with it.
    """

    name: str
    chain: str
    key: str
    ocsp: str | None = None
    issuer: str | None = None
    jwt: bool = False


class PemFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of PEM blocks."""

    name: str
    pem: str


class TlsFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """What TLS needs beside its lines: every file, each once, and what is kept of handshakes.

    `capture` bytes are kept of the lists of a ClientHello, secrets where `keylog` says so. Records hold
    `record` bytes of data at most, and `first_records` at the beginning; 0 is as many as TLS allows.
    Encrypted tokens may use `token_algorithms` and `token_encryptions`; none leaves the choice to the engine.
    """

    certificates: tuple[Certificate, ...] = ()
    authorities: tuple[PemFile, ...] = ()
    revocations: tuple[PemFile, ...] = ()
    capture: int = 0
    keylog: bool = False
    record: int = 0
    first_records: int = 0
    token_algorithms: tuple[str, ...] = ()
    token_encryptions: tuple[str, ...] = ()


class TlsVersion(StrEnum):
    """A version of TLS."""

    TLS12 = "tls12"
    TLS13 = "tls13"


class Negotiation(Struct, frozen=True, forbid_unknown_fields=True):
    """What is negotiated, each in the order of preference."""

    versions: tuple[TlsVersion, ...] = ()
    suites: tuple[Suite, ...] = ()
    groups: tuple[Group, ...] = ()
    schemes: tuple[Scheme, ...] = ()


class ClientVerification(StrEnum):
    """Whether clients show certificates."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class IgnoredErrors(Struct, frozen=True, forbid_unknown_fields=True):
    """Errors of verification that end no handshake, by OpenSSL's numbers."""

    all: bool = False
    numbers: tuple[int, ...] = ()


class ClientRules(Struct, frozen=True, forbid_unknown_fields=True):
    """How clients' certificates are verified. Authorities that are hidden are not named to clients."""

    verify: ClientVerification = ClientVerification.NONE
    authorities: tuple[int, ...] = ()
    hidden_authorities: tuple[int, ...] = ()
    name_authorities: bool = True
    revocations: tuple[int, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    ignored_in_chain: IgnoredErrors = IgnoredErrors()
    ignored: IgnoredErrors = IgnoredErrors()


class BindTlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bind line, or a line of its crt-list, says about handshakes; `alpn` are byte strings."""

    negotiation: Negotiation = Negotiation()
    client_order: bool = False
    alpn: tuple[str, ...] = ()
    client: ClientRules = ClientRules()
    tickets: bool = True
    early_data: bool = False


class TlsEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate of a bind line, by index, and for which names it is shown.

    Without `filters` it is shown for its own names; a `default` one where no name fits, a `challenge` only to
    authorities that have the name of its filter proved.
    """

    certificate: int
    settings: int = 0
    filters: tuple[str, ...] = ()
    default: bool = False
    challenge: bool = False


class Generation(Struct, frozen=True, forbid_unknown_fields=True):
    """Certificates made for names that no entry has: by which authority, and how many are kept."""

    authority: int
    kept: int


class BindTls(Struct, frozen=True, forbid_unknown_fields=True):
    """`ssl` on a bind line. The first of its distinct `settings` are the line's own.

    `ticket_keys` are byte strings of 48 or 80 bytes; `sessions` are kept for `lifetime` seconds.
    """

    settings: tuple[BindTlsSettings, ...]
    entries: tuple[TlsEntry, ...]
    strict_sni: bool = False
    ticket_keys: tuple[str, ...] = ()
    generation: Generation | None = None
    sessions: int = 20000
    lifetime: int = 300


class ServerTls(Struct, frozen=True, forbid_unknown_fields=True):
    """`ssl` on a server line; `certificate` is our own. Without `sni`, no name is sent."""

    negotiation: Negotiation = Negotiation()
    alpn: tuple[str, ...] = ()
    verify: bool = True
    verify_host: str | None = None
    authorities: tuple[int, ...] = ()
    revocations: tuple[int, ...] = ()
    certificate: int | None = None
    client_schemes: tuple[Scheme, ...] = ()
    sni: Expression | None = None
    reuse: bool = True
    tickets: bool = True
    early_data: bool = False
