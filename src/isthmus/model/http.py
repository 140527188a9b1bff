"""What HTTP mode adds to a proxy, its servers and the process. Times are milliseconds, sizes bytes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from isthmus.config import Span
from isthmus.model.expression import Condition, Expression
from isthmus.model.http_rule import HttpRule, Reply
from isthmus.records import dataclass


class Connection(StrEnum):
    """What happens to connections behind an exchange, by the name of its option."""

    KEEP_ALIVE = "http-keep-alive"
    SERVER_CLOSE = "http-server-close"
    CLOSE = "httpclose"


class Reuse(StrEnum):
    """Which idle server connections a request may be sent over (`http-reuse`)."""

    NEVER = "never"
    SAFE = "safe"
    AGGRESSIVE = "aggressive"
    ALWAYS = "always"


class RestrictNames(StrEnum):
    """What becomes of request fields with unusual names (`option http-restrict-req-hdr-names`)."""

    PRESERVE = "preserve"
    DELETE = "delete"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class AddressHeader:
    """`option forwardfor` and `option originalto`; `excluded` holds networks that are not written."""

    name: str
    excluded: tuple[str, ...] = ()
    if_none: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Forwarded:
    """`option forwarded`: each parameter by its name, with True for the connection's own value."""

    nodes: tuple[tuple[str, Expression | bool], ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class CookieCapture:
    """`capture cookie`: a name, or the beginning of one (`prefix`), and how many bytes are kept."""

    name: str
    prefix: bool
    length: int
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class HeaderCapture:
    """`capture request|response header`: the slot is among those of its side."""

    name: str
    slot: int


@dataclass(frozen=True, slots=True)
class Cookie:
    """`cookie`: `mode` is passive, rewrite, insert or prefix; times are seconds, 0 is no limit."""

    name: str
    mode: str = "passive"
    indirect: bool = False
    nocache: bool = False
    postonly: bool = False
    preserve: bool = False
    httponly: bool = False
    secure: bool = False
    dynamic: bool = False
    domains: tuple[str, ...] = ()
    max_idle: int = 0
    max_life: int = 0
    attributes: tuple[str, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Compression:
    """`compression`: algorithms in order of preference, media types (none means all), least sizes.

    `filters` are the directions that `filter comp-req` and `comp-res` ask for.
    """

    response: tuple[str, ...] = ()
    request: str | None = None
    response_types: tuple[str, ...] = ()
    request_types: tuple[str, ...] = ()
    offload: bool = False
    direction: str = "response"
    response_minimum: int = 0
    request_minimum: int = 0
    filters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BandwidthLimit:
    """`filter bwlim-in` (`incoming`) or `bwlim-out`: `limit` bytes in `period`, or of all with one `key`."""

    name: str
    incoming: bool
    limit: int
    period: int
    key: Expression | None
    table: str
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class HttpErrors:
    """A section `http-errors`: answers by status."""

    name: str
    replies: Mapping[int, Reply]
    span: Span


@dataclass(frozen=True, slots=True)
class ErrorFiles:
    """`errorfiles`: the answers of a section `http-errors`, for some statuses, or for all of it."""

    section: str
    statuses: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What a proxy is told about HTTP by its own lines and by the `defaults` that it follows."""

    connection: Connection = Connection.KEEP_ALIVE
    buffer_request: bool = False
    ignore_probes: bool = False
    no_h2_upgrade: bool = False
    use_proxy_header: bool = False
    accept_unsafe_request: bool = False
    accept_unsafe_response: bool = False
    adjust_case_client: bool = False
    adjust_case_server: bool = False
    pretend_keepalive: bool = False
    prefer_last_server: bool = False
    max_keep_alive_queue: int | None = None
    drop_request_trailers: bool = False
    drop_response_trailers: bool = False
    idle_close_on_response: bool = False
    persist: bool = False
    check_cache: bool = False
    restrict_names: RestrictNames = RestrictNames.PRESERVE
    restrict_names_said: bool = False
    forwardfor: AddressHeader | None = None
    originalto: AddressHeader | None = None
    forwarded: Forwarded | None = None
    reuse: Reuse = Reuse.SAFE
    retry_on: tuple[str, ...] = ("conn-failure",)
    monitor_uri: str | None = None
    monitor_uri_span: Span | None = None
    unique_id_header: str | None = None
    unique_id_header_span: Span | None = None
    name_header: str | None = None
    capture_cookie: CookieCapture | None = None
    errors: tuple[Reply | ErrorFiles, ...] = ()
    cookie: Cookie | None = None
    dynamic_key: str | None = None
    compression: Compression | None = None
    bandwidth_limits: tuple[BandwidthLimit, ...] = ()
    cache_filters: tuple[tuple[str, Span], ...] = ()
    """The sections that `filter cache` lines name, and where."""


@dataclass(frozen=True, slots=True)
class HttpRules:
    """The HTTP rules of a proxy, each set in the order of the configuration.

    `redirects` are those of `redirect` lines, evaluated behind `request`. `response_slots` are the
    lengths of the response's capture slots.
    """

    request: tuple[HttpRule, ...] = ()
    redirects: tuple[HttpRule, ...] = ()
    response: tuple[HttpRule, ...] = ()
    after_response: tuple[HttpRule, ...] = ()
    monitor_fail: tuple[Condition, ...] = ()
    force_persist: tuple[Condition, ...] = ()
    ignore_persist: tuple[Condition, ...] = ()
    request_captures: tuple[HeaderCapture, ...] = ()
    response_captures: tuple[HeaderCapture, ...] = ()
    response_slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerHttp:
    """What a `server` line says about HTTP; -1 is no limit.

    `protocol` is what is spoken whatever TLS agrees on (`proto`), `websockets` what opens WebSockets (`ws`).
    """

    cookie: str | None = None
    redir: str | None = None
    pool_max: int = -1
    pool_low: int = 0
    pool_purge: int = 5000
    max_reuse: int = -1
    protocol: Literal["h1", "h2"] | None = None
    websockets: Literal["auto", "h1", "h2"] = "auto"


@dataclass(frozen=True, slots=True)
class GlobalH2:
    """What section `global` says about HTTP/2 (`tune.h2.*`); sizes in bytes, 0 is no limit.

    Where windows and streams with clients or servers are None, those of both ends hold.
    """

    header_table: int = 4096
    window: int = 65536
    streams: int = 100
    frame: int = 16384
    client_window: int | None = None
    client_streams: int | None = None
    client_glitches: int = 0
    total_streams: int = 0
    server_window: int | None = None
    server_streams: int | None = None
    server_glitches: int = 0


@dataclass(frozen=True, slots=True)
class GlobalHttp:
    """What section `global` says about HTTP."""

    maxrewrite: int = 1024
    maxhdr: int = 101
    # HAProxy 2.6 shows one byte less than the 1024 of the manual, unless a number is given.
    loguri_len: int = 1023
    cookie_len: int = 63
    case_adjust: tuple[tuple[str, str], ...] = ()
    payload_any_method: bool = False
    compression_level: int = 1
    pool_low: int = 20
    pool_high: int = 25
    share_idle: bool = True
    compression_rate: int = 0
    compression_cpu: int = 100
    compression_memory: int = 0
    error_codes: frozenset[int] = frozenset(range(400, 500))
    failure_codes: frozenset[int] = frozenset(range(500, 600)) - {501, 505}
    h2: GlobalH2 = GlobalH2()


@dataclass(frozen=True, slots=True)
class Cache:
    """A section `cache`: sizes of the whole and of an object in bytes, `max_age` in seconds."""

    name: str
    size: int
    largest: int
    max_age: int
    vary: bool
    variants: int
    span: Span
