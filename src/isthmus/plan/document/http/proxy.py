"""What HTTP mode adds to frontends, backends, servers and the process. Times are milliseconds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from isthmus.plan.document.expression import Condition, Expression
from isthmus.plan.document.http.action import HttpRule
from isthmus.plan.document.http.content import BandwidthLimit, Cache, Compression
from isthmus.plan.document.http.cookie import Cookie
from isthmus.plan.document.http.reply import Reply


class ConnectionMode(StrEnum):
    """What happens to connections behind an exchange; the later one wins where two proxies meet."""

    KEEP_ALIVE = "keep_alive"
    SERVER_CLOSE = "server_close"
    CLOSE = "close"


class Reuse(StrEnum):
    """Which idle connections a request may be sent over (`http-reuse`)."""

    NEVER = "never"
    SAFE = "safe"
    AGGRESSIVE = "aggressive"
    ALWAYS = "always"


class RestrictNames(StrEnum):
    """`http-restrict-req-hdr-names`."""

    PRESERVE = "preserve"
    DELETE = "delete"
    REJECT = "reject"


class ConnFailure(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="conn_failure"):
    """`conn-failure`."""


class EmptyResponse(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="empty_response"):
    """`empty-response`."""


class JunkResponse(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="junk_response"):
    """`junk-response`."""


class ResponseTimeout(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="response_timeout"
):
    """`response-timeout`."""


class EarlyDataRejected(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="early_data_rejected"
):
    """`0rtt-rejected`."""


class RetryStatus(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="status"):
    """A status of the server."""

    status: int


RetryOn = ConnFailure | EmptyResponse | JunkResponse | ResponseTimeout | EarlyDataRejected | RetryStatus
"""A failure after which a request is sent once more (`retry-on`)."""


class AddressHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """`option forwardfor` and `option originalto`; `except_` holds networks that are not written."""

    name: str
    except_: tuple[str, ...] = field(default=(), name="except")
    if_none: bool = False


class ForwardedNode(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter's value: the connection's own, or an expression's."""

    expression: Expression | None = None


class Forwarded(Struct, frozen=True, forbid_unknown_fields=True):
    """`option forwarded` (RFC 7239); each parameter is written if it is given."""

    proto: bool = False
    host: ForwardedNode | None = None
    by: ForwardedNode | None = None
    by_port: ForwardedNode | None = None
    for_: ForwardedNode | None = field(default=None, name="for")
    for_port: ForwardedNode | None = None


class CookieCapture(Struct, frozen=True, forbid_unknown_fields=True):
    """`capture cookie`; `prefix` says that the name is only a beginning, `len` counts the name too."""

    name: str
    prefix: bool
    len: int


class HttpProxy(Struct, frozen=True, forbid_unknown_fields=True):
    """What both sides of a proxy may say. Where a frontend and a backend both do, both hold."""

    request_rules: tuple[HttpRule, ...] = ()
    response_rules: tuple[HttpRule, ...] = ()
    after_response_rules: tuple[HttpRule, ...] = ()
    connection: ConnectionMode = ConnectionMode.KEEP_ALIVE
    buffer_request: bool = False
    forwardfor: AddressHeader | None = None
    originalto: AddressHeader | None = None
    timeout_tarpit: int | None = None
    timeout_request: int | None = None
    timeout_keep_alive: int | None = None
    errors: tuple[Reply, ...] = ()
    restrict_names: RestrictNames = RestrictNames.PRESERVE
    compression: Compression | None = None
    bandwidth_limits: tuple[BandwidthLimit, ...] = ()


class HttpFrontend(Struct, frozen=True, forbid_unknown_fields=True):
    """What HTTP mode adds to a frontend; see the Rust twin for each field."""

    common: HttpProxy = HttpProxy()
    monitor_uri: str | None = None
    monitor_fail: tuple[Condition, ...] = ()
    ignore_probes: bool = False
    no_h2_upgrade: bool = False
    use_proxy_header: bool = False
    accept_unsafe: bool = False
    adjust_case: bool = False
    drop_response_trailers: bool = False
    idle_close_on_response: bool = False
    unique_id_header: str | None = None
    request_captures: tuple[tuple[str, int], ...] = ()
    response_captures: tuple[tuple[str, int], ...] = ()
    response_slots: tuple[int, ...] = ()
    capture_cookie: CookieCapture | None = None


class HttpBackend(Struct, frozen=True, forbid_unknown_fields=True):
    """What HTTP mode adds to a backend; see the Rust twin for each field."""

    common: HttpProxy = HttpProxy()
    forwarded: Forwarded | None = None
    reuse: Reuse = Reuse.SAFE
    retry_on: tuple[RetryOn, ...] = ()
    accept_unsafe: bool = False
    adjust_case: bool = False
    pretend_keepalive: bool = False
    drop_request_trailers: bool = False
    max_keep_alive_queue: int | None = None
    prefer_last_server: bool = False
    name_header: str | None = None
    cookie: Cookie | None = None
    persist: bool = False
    force_persist: tuple[Condition, ...] = ()
    ignore_persist: tuple[Condition, ...] = ()
    check_cache: bool = False


class ServerProtocol(StrEnum):
    """What is spoken with a server."""

    H1 = "h1"
    H2 = "h2"
    NEGOTIATED = "negotiated"


class WebSocketProtocol(StrEnum):
    """What WebSockets are opened over: HTTP/1, or what everything else goes over."""

    H1 = "h1"
    SAME = "same"


class HttpServer(Struct, frozen=True, forbid_unknown_fields=True):
    """What HTTP mode adds to a server; -1 is no limit."""

    cookie: str | None = None
    redir: str | None = None
    pool_max: int = -1
    pool_low: int = 0
    pool_purge: int = 5000
    max_reuse: int = -1
    protocol: ServerProtocol = ServerProtocol.H1
    websockets: WebSocketProtocol = WebSocketProtocol.SAME


class H2(Struct, frozen=True, forbid_unknown_fields=True):
    """What HTTP/2 keeps to, with clients and with servers; sizes in bytes, 0 is no limit."""

    header_table: int = 4096
    window: int = 65536
    streams: int = 100
    frame: int = 16384
    glitches: int = 0
    total_streams: int = 0
    server_window: int = 65536
    server_streams: int = 100
    server_glitches: int = 0


class HttpGlobal(Struct, frozen=True, forbid_unknown_fields=True):
    """Process-wide settings of HTTP mode; see the Rust twin for each field."""

    maxrewrite: int = 1024
    maxhdr: int = 101
    loguri_len: int = 1023
    case_adjust: tuple[tuple[str, str], ...] = ()
    payload_any_method: bool = False
    compression_level: int = 1
    pool_low: int = 20
    pool_high: int = 25
    share_idle: bool = True
    compression_rate: int = 0
    compression_cpu: int = 100
    compression_memory: int = 0
    caches: tuple[Cache, ...] = ()
    services: tuple[str, ...] = ()
    h2: H2 = H2()
    service_queue: int = 1000
    service_timeout: int = 60_000
    error_codes: tuple[tuple[int, int], ...] = ((400, 499),)
    failure_codes: tuple[tuple[int, int], ...] = ((500, 500), (502, 504), (506, 599))
