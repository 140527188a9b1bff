"""The server side: backends and their servers. Times are milliseconds; None is never."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.address import (
    DefaultNamespace,
    ServerAddress,
    ServerNamespace,
    SourceAddress,
)
from isthmus.plan.document.expression import Expression
from isthmus.plan.document.frontend import KeepAlive, Splice
from isthmus.plan.document.http import HttpBackend, HttpServer
from isthmus.plan.document.log import FormatItem, LogPolicy
from isthmus.plan.document.rule import Rule, ServerChoice
from isthmus.plan.document.table import StickRule
from isthmus.plan.document.tls import ServerTls


class HashKind(StrEnum):
    """How a hash leads to a server: modulo the total weight over a table, or around a ring."""

    MAP_BASED = "map_based"
    CONSISTENT = "consistent"


class HashFunction(StrEnum):
    """A hash function; `none` takes the key itself as an integer."""

    SDBM = "sdbm"
    DJB2 = "djb2"
    WT6 = "wt6"
    CRC32 = "crc32"
    NONE = "none"


class Hash(Struct, frozen=True, forbid_unknown_fields=True):
    """`hash-type` and `hash-balance-factor` (percent of the average load; 0 means no bound)."""

    kind: HashKind = HashKind.MAP_BASED
    function: HashFunction = HashFunction.SDBM
    avalanche: bool = False
    balance_factor: int = 0


class Roundrobin(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="roundrobin"):
    """Weighted round robin."""


class StaticRr(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="static_rr"):
    """Weighted round robin over a fixed map."""


class Leastconn(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="leastconn"):
    """The server with the fewest connections."""


class First(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="first"):
    """The first server that has a free slot."""


class Random(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="random"):
    """The least loaded of `draws` servers drawn at random."""

    draws: int


class Source(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="source"):
    """A hash of the client's address."""

    hash: Hash


class Uri(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="uri"):
    """A hash of the target's path, or of more of it; `len` bytes and `depth` directories, 0 for all."""

    len: int
    depth: int
    whole: bool
    path_only: bool
    hash: Hash


class UrlParam(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="url_param"):
    """A hash of a parameter (a byte string) of the query, or of a form that is posted."""

    name: str
    check_post: bool
    hash: Hash


class Header(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="header"):
    """A hash of a header; with `domain_only`, of the part of a host name before the top domains."""

    name: str
    domain_only: bool
    hash: Hash


class RdpCookie(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rdp_cookie"):
    """A hash of an RDP cookie."""

    name: str
    hash: Hash


class HashOf(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hash"):
    """A hash of a sample."""

    expression: Expression
    hash: Hash


Algorithm = (
    Roundrobin | StaticRr | Leastconn | First | Random | Source | Uri | UrlParam | Header | RdpCookie | HashOf
)
"""How a server is chosen (`balance`)."""


class ProxyTlv(Struct, frozen=True, forbid_unknown_fields=True):
    """One `set-proxy-v2-tlv-fmt(id) format`."""

    id: int
    format: tuple[FormatItem, ...]


class ProxyHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """The PROXY protocol header that a server is sent; `ssl_parts` are options such as `cert-cn`."""

    version: int
    crc32c: bool = False
    unique_id: bool = False
    authority: bool = False
    ssl: bool = False
    ssl_parts: tuple[str, ...] = ()
    tlvs: tuple[ProxyTlv, ...] = ()


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """A server. 0 means no limit (`maxconn`, `maxqueue`), none (`minconn`, `slowstart`) or the kernel's.

    `track` is the server whose health this one shares, by backend and server index; `checked` says
    that something decides about its health, without which it is up for good.
    """

    name: str
    id: int
    origin: str
    address: ServerAddress
    namespace: ServerNamespace = DefaultNamespace()
    weight: int = 1
    maxconn: int = 0
    minconn: int = 0
    maxqueue: int = 0
    backup: bool = False
    disabled: bool = False
    slowstart: int = 0
    track: tuple[int, int] | None = None
    checked: bool = False
    starts_down: bool = False
    proxy_header: ProxyHeader | None = None
    source: SourceAddress | None = None
    tcp_user_timeout: int = 0
    tfo: bool = False
    congestion: str | None = None
    non_stick: bool = False
    http: HttpServer = HttpServer()
    shut_on_down: bool = False
    shut_backups_on_up: bool = False
    tls: ServerTls | None = None
    check_tls: ServerTls | None = None


class BackendOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a backend."""

    keepalive: KeepAlive = KeepAlive()
    nolinger: bool = False
    splice: Splice = Splice()
    abortonclose: bool = False
    allbackups: bool = False
    independent_streams: bool = False


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """A backend, or the server side of a `listen`.

    `redispatch`: 0 off, N > 0 every N retries, -1 on the last one. `http` is None in `mode tcp`.
    """

    name: str
    id: int
    disabled: bool
    algorithm: Algorithm
    servers: tuple[Server, ...]
    fullconn: int
    timeout_connect: int | None
    timeout_server: int | None
    timeout_server_fin: int | None
    timeout_queue: int | None
    timeout_tunnel: int | None
    retries: int
    redispatch: int
    inspect_delay: int
    content_rules: tuple[Rule, ...]
    server_choices: tuple[ServerChoice, ...]
    stick_rules: tuple[StickRule, ...]
    source: SourceAddress | None
    log: LogPolicy
    options: BackendOptions
    http: HttpBackend | None = None
