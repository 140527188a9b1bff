"""What `ssl` on bind and server lines means. None where a line leaves the choice to `global` or to us."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from isthmus.config import Span
from isthmus.model.acme import Ordered
from isthmus.model.expression import Expression
from isthmus.records import dataclass, field


class Version(IntEnum):
    """The versions that configurations name; the last two are those that can be spoken."""

    SSLV3 = 0
    TLSV1_0 = 1
    TLSV1_1 = 2
    TLSV1_2 = 3
    TLSV1_3 = 4

    @property
    def label(self) -> str:
        """The name that configurations use, for instance `TLSv1.2`."""
        return "SSLv3" if self is Version.SSLV3 else f"TLSv1.{self - 1}"


class Suite(StrEnum):
    """A cipher suite that can be done; the first three are TLS 1.3's."""

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
    """A group for key exchange that can be done."""

    X25519 = "x25519"
    SECP256R1 = "secp256r1"
    SECP384R1 = "secp384r1"
    X25519MLKEM768 = "x25519mlkem768"
    SECP256R1MLKEM768 = "secp256r1mlkem768"


class Scheme(StrEnum):
    """A signature scheme that can be done."""

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


class Verify(StrEnum):
    """Whether the other side's certificate is asked for; `optional` is for bind lines alone."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class IssuerChain:
    """A file of `issuers-chain-path`: an issuer's certificate and those behind it, each as PEM."""

    path: str
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bases:
    """Where files of TLS are looked for, what is looked for beside certificates, and what chains come to.

    Certificates without a chain get one of `issuers`; with `skip_root` a root at the end is not sent.
    """

    crt_base: str = ""
    ca_base: str = ""
    key_base: str = ""
    extra: frozenset[str] = frozenset()
    without_extension: bool = False
    issuers: tuple[IssuerChain, ...] = ()
    skip_root: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line names apart from the certificate."""

    key: str | None = None
    ocsp: str | None = None
    issuer: str | None = None
    sctl: str | None = None
    spans: dict[str, Span] = field(default_factory=dict, compare=False)
    """Where each is named."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """How a certificate is read: its file, what the line names, and where the rest is looked for."""

    path: str
    parts: Parts = Parts()
    bases: Bases = Bases()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain and key (PEM), an OCSP response (DER) and its authority (PEM).

    `name` is the file's or that of its crt-store, `span` where it was named first. `files` are what it was
    read from; None for one that came by the runtime API. An `ordered` one is issued by an authority.
    `ocsp_update` says whether its OCSP response is asked for, None where the line does not.
    """

    name: str
    chain: bytes
    key: bytes = field(repr=False)
    span: Span = field(compare=False)
    ocsp: bytes | None = None
    issuer: bytes | None = None
    files: CertificateFiles | None = field(default=None, compare=False)
    ordered: Ordered | None = field(default=None, compare=False)
    ocsp_update: bool | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PemFile:
    """A file, or the files of a folder, with certificates of authorities or revocation lists."""

    name: str
    pem: bytes = field(repr=False)
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """`ssl-min-ver`, `ssl-max-ver`, and `no-tlsv13` and its kin; `force-tlsv12` is both ends at once."""

    lowest: Version | None = None
    highest: Version | None = None
    without: frozenset[Version] = frozenset()
    span: Span | None = field(default=None, compare=False)

    def over(self, defaults: VersionRange) -> VersionRange:
        """Return the range with what it leaves open taken from defaults."""
        return VersionRange(
            defaults.lowest if self.lowest is None else self.lowest,
            defaults.highest if self.highest is None else self.highest,
            self.without | defaults.without,
            self.span or defaults.span,
        )


@dataclass(frozen=True, slots=True)
class Handshake:
    """What is negotiated, on either side; `ciphers` are for TLS 1.2, `ciphersuites` for TLS 1.3."""

    versions: VersionRange = VersionRange()
    ciphers: tuple[Suite, ...] | None = None
    ciphersuites: tuple[Suite, ...] | None = None
    groups: tuple[Group, ...] | None = None
    schemes: tuple[Scheme, ...] | None = None
    client_schemes: tuple[Scheme, ...] | None = None
    alpn: tuple[str, ...] | None = None
    tickets: bool | None = None
    early_data: bool = False

    def over(self, defaults: Handshake) -> Handshake:
        """Return it with what it leaves open taken from defaults."""
        return Handshake(
            self.versions.over(defaults.versions),
            defaults.ciphers if self.ciphers is None else self.ciphers,
            defaults.ciphersuites if self.ciphersuites is None else self.ciphersuites,
            defaults.groups if self.groups is None else self.groups,
            defaults.schemes if self.schemes is None else self.schemes,
            defaults.client_schemes if self.client_schemes is None else self.client_schemes,
            defaults.alpn if self.alpn is None else self.alpn,
            defaults.tickets if self.tickets is None else self.tickets,
            self.early_data or defaults.early_data,
        )


@dataclass(frozen=True, slots=True)
class IgnoredErrors:
    """`ca-ignore-err`, `crt-ignore-err`: OpenSSL's numbers of errors that end no handshake."""

    all: bool = False
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientRules:
    """How clients' certificates are verified; `verify_file` names authorities that clients are not told."""

    verify: Verify | None = None
    authorities: PemFile | None = None
    verify_file: PemFile | None = None
    no_names: bool = False
    revocations: PemFile | None = None
    ignored_in_chain: IgnoredErrors | None = None
    ignored: IgnoredErrors | None = None
    span: Span | None = field(default=None, compare=False)

    def over(self, defaults: ClientRules) -> ClientRules:
        """Return them with what they leave open taken from a bind line."""
        return ClientRules(
            defaults.verify if self.verify is None else self.verify,
            defaults.authorities if self.authorities is None else self.authorities,
            defaults.verify_file if self.verify_file is None else self.verify_file,
            self.no_names or defaults.no_names,
            defaults.revocations if self.revocations is None else self.revocations,
            defaults.ignored_in_chain if self.ignored_in_chain is None else self.ignored_in_chain,
            defaults.ignored if self.ignored is None else self.ignored,
            self.span or defaults.span,
        )


@dataclass(frozen=True, slots=True)
class EntrySettings:
    """What the brackets of a crt-list's line say, or a bind line for all of its certificates."""

    handshake: Handshake = Handshake()
    client: ClientRules = ClientRules()


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves a name to an authority while it asks for it (TLS-ALPN-01, RFC 8737)."""

    host: str
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class CertificateList:
    """A crt-list, or a folder of certificates, that a bind line names; new entries are read with `bases`."""

    name: str
    folder: bool = False
    bases: Bases = Bases()


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of a list as it was written: its number, 0 for a file of a folder, options and filters."""

    list: str
    number: int = 0
    options: str = ""
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate of a bind line; without `filters` it is shown for its own names.

    `settings` are those of its `line` in a crt-list. A `default` one is shown where no name fits.
    """

    certificate: Certificate
    settings: EntrySettings = EntrySettings()
    filters: tuple[str, ...] = ()
    default: bool = False
    line: ListLine | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """`generate-certificates`: whether it is on, and `ca-sign-file` with its key."""

    on: bool = False
    authority: Certificate | None = None


@dataclass(frozen=True, slots=True)
class BindTls:
    """What a bind line says about TLS; without `on`, it has none."""

    on: bool = False
    settings: EntrySettings = EntrySettings()
    entries: tuple[Entry, ...] = ()
    lists: tuple[CertificateList, ...] = ()
    proofs: tuple[Proof, ...] = ()
    strict_sni: bool | None = None
    client_order: bool | None = None
    ticket_keys: tuple[bytes, ...] = field(default=(), repr=False)
    ticket_file: str = ""
    generation: Generation = Generation()

    @property
    def needs_certificates(self) -> bool:
        """Whether the line has TLS and names no certificates, so that a frontend's are for it."""
        return self.on and not self.entries and not self.lists


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a server line says about TLS; without `on`, it has none.

    Without `check`, its check speaks TLS as the server does, unless it goes elsewhere; `check_alpn` is what
    it offers then, None what the server is offered.
    """

    on: bool = False
    handshake: Handshake = Handshake()
    verify: Verify | None = None
    verify_host: str | None = None
    authorities: PemFile | None = None
    revocations: PemFile | None = None
    certificate: Certificate | None = None
    sni: Expression | None = None
    sni_auto: bool = True
    reuse: bool = True
    check: bool | None = None
    check_sni: str | None = None
    check_alpn: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class OcspUpdate:
    """`ocsp-update.*`: whether responders are asked where no line says it, and how often, in seconds."""

    on: bool = False
    disabled: bool = False
    least: int = 300
    most: int = 3600


@dataclass(frozen=True, slots=True)
class GlobalTls:
    """`ssl-default-bind-*`, `ssl-default-server-*`, `ssl-server-verify` and `tune.ssl.*`; seconds, bytes.

    `watch` is how often files are looked at again, in milliseconds; None: never. `trust` is whom our own
    requests believe, anybody with `believe_all`; `scheduled` says that certificates are renewed in time.
    `token_algorithms` and `token_encryptions` are those of encrypted tokens as lists have them.
    """

    bind: BindTls = BindTls()
    server: ServerTls = ServerTls()
    server_verify: Verify = Verify.REQUIRED
    sessions: int = 20000
    lifetime: int = 300
    generated: int = 1000
    capture: int = 0
    keylog: bool = False
    record: int = 0
    first_records: int = 0
    watch: int | None = None
    trust: str = "@system-ca"
    believe_all: bool = False
    scheduled: bool = True
    ocsp: OcspUpdate = OcspUpdate()
    token_algorithms: tuple[str, ...] = ()
    token_encryptions: tuple[str, ...] = ()
