"""A server, and what a `default-server` line can give it. Times are milliseconds."""

from __future__ import annotations

from enum import Enum, StrEnum

from isthmus.config import Span
from isthmus.model.address import ClientNamespace, Ip, Namespace, ServerAddress
from isthmus.model.expression import Expression
from isthmus.model.http import ServerHttp
from isthmus.model.log import Format
from isthmus.model.tls import ServerTls
from isthmus.records import dataclass, field


class UseSource(StrEnum):
    """The foreign address of `usesrc` where it is the client's."""

    CLIENT_IP = "clientip"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class ForeignAddress:
    """The foreign address of `usesrc` where it is written out; port 0 is any."""

    ip: Ip
    port: int


@dataclass(frozen=True, slots=True)
class Source:
    """`source`: the local address (None: the kernel's choice) of connections to servers."""

    ip: Ip | None
    ports: tuple[int, int]
    interface: str | None
    usesrc: UseSource | ForeignAddress | Expression | None
    span: Span


class InitState(Enum):
    """Whether a checked server begins in service, and whether one result or all of them change that."""

    FULLY_UP = "fully-up"
    UP = "up"
    DOWN = "down"
    FULLY_DOWN = "fully-down"

    @property
    def is_down(self) -> bool:
        """Whether it waits for its check."""
        return self in (InitState.DOWN, InitState.FULLY_DOWN)


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How a server's health is checked. None means: as often as `inter`, at the server's own address.

    Without `send_proxy`, a PROXY header is sent as to the server, unless the check goes elsewhere.
    """

    enabled: bool = False
    inter: int = 2000
    fastinter: int | None = None
    downinter: int | None = None
    rise: int = 2
    fall: int = 3
    port: int | None = None
    address: Ip | None = None
    namespace: Namespace | None = None
    send_proxy: bool | None = None
    initial: InitState = InitState.UP
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ProxyTlv:
    """One `set-proxy-v2-tlv-fmt(id) format`."""

    type: int
    format: Format


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """The PROXY header that a server is sent: versions 1 and 2 may both be asked for; 2 wins."""

    v1: bool = False
    v2: bool = False
    ssl: bool = False
    options: frozenset[str] = frozenset()
    tlvs: tuple[ProxyTlv, ...] = ()


class InitAddress(StrEnum):
    """A way to find a server's address at start (`init-addr`)."""

    LAST = "last"
    LIBC = "libc"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What `default-server` and `server` lines say about a server.

    0 means an id still to be given, no limit (`maxconn`, `maxqueue`) or none (`minconn`, `slowstart`,
    `tcp_user_timeout`).
    `init_addr` holds methods and fixed addresses in the order in which they are tried.
    """

    id: int = 0
    weight: int = 1
    maxconn: int = 0
    minconn: int = 0
    maxqueue: int = 0
    backup: bool = False
    disabled: bool = False
    slowstart: int = 0
    namespace: Namespace | ClientNamespace | None = None
    check: CheckSettings = field(default_factory=CheckSettings)
    proxy_header: ProxyHeader = field(default_factory=ProxyHeader)
    source: Source | None = None
    track: tuple[str, str, Span] | None = None
    init_addr: tuple[InitAddress | Ip, ...] = (InitAddress.LAST, InitAddress.LIBC)
    tcp_user_timeout: int = 0
    tfo: bool = False
    congestion: str | None = None
    guid: str | None = None
    non_stick: bool = False
    http: ServerHttp = field(default_factory=ServerHttp)
    shut_on_down: bool = False
    shut_backups_on_up: bool = False
    tls: ServerTls = field(default_factory=ServerTls)


@dataclass(frozen=True, slots=True)
class Server:
    """One server. `span` is the whole line's, `address_span` the address's."""

    name: str
    address: ServerAddress
    settings: ServerSettings
    span: Span
    address_span: Span
