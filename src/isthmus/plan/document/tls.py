"""TLS: what `ssl` on a bind or server line comes to. Byte strings hold a character for each byte.

Files are carried once, in `TlsFiles`; everything else refers to them by index. An empty list of what is
negotiated leaves the choice to the engine.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.expression import Expression


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate with its chain and key (PEM), an OCSP response (DER) and its authority (PEM)."""

    name: str
    chain: str
    key: str
    ocsp: str | None = None
    issuer: str | None = None


class PemFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of PEM blocks."""

    name: str
    pem: str


class TlsFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """What TLS needs beside its lines: every file, each once, and what is kept of handshakes.

    `capture` bytes are kept of the lists of a ClientHello, secrets where `keylog` says so.
    """

    certificates: tuple[Certificate, ...] = ()
    authorities: tuple[PemFile, ...] = ()
    revocations: tuple[PemFile, ...] = ()
    capture: int = 0
    keylog: bool = False


class TlsVersion(StrEnum):
    """A version of TLS."""

    TLS12 = "tls12"
    TLS13 = "tls13"


class Suite(StrEnum):
    """A cipher suite; the first three are TLS 1.3's."""

    AES128_GCM = "aes128_gcm"
    AES256_GCM = "aes256_gcm"
    CHACHA20 = "chacha20"
    ECDSA_AES128_GCM = "ecdsa_aes128_gcm"
    ECDSA_AES256_GCM = "ecdsa_aes256_gcm"
    ECDSA_CHACHA20 = "ecdsa_chacha20"
    RSA_AES128_GCM = "rsa_aes128_gcm"
    RSA_AES256_GCM = "rsa_aes256_gcm"
    RSA_CHACHA20 = "rsa_chacha20"


class Group(StrEnum):
    """A group for key exchange."""

    X25519 = "x25519"
    SECP256R1 = "secp256r1"
    SECP384R1 = "secp384r1"
    X25519MLKEM768 = "x25519mlkem768"
    SECP256R1MLKEM768 = "secp256r1mlkem768"


class Scheme(StrEnum):
    """A signature scheme."""

    ECDSA_SECP256R1_SHA256 = "ecdsa_secp256r1_sha256"
    ECDSA_SECP384R1_SHA384 = "ecdsa_secp384r1_sha384"
    ECDSA_SECP521R1_SHA512 = "ecdsa_secp521r1_sha512"
    ED25519 = "ed25519"
    RSA_PSS_SHA256 = "rsa_pss_sha256"
    RSA_PSS_SHA384 = "rsa_pss_sha384"
    RSA_PSS_SHA512 = "rsa_pss_sha512"
    RSA_PKCS1_SHA256 = "rsa_pkcs1_sha256"
    RSA_PKCS1_SHA384 = "rsa_pkcs1_sha384"
    RSA_PKCS1_SHA512 = "rsa_pkcs1_sha512"


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

    Without `filters` it is shown for its own names; a `default` one where no name fits.
    """

    certificate: int
    settings: int = 0
    filters: tuple[str, ...] = ()
    default: bool = False


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
