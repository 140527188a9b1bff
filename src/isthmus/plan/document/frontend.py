"""The client side: frontends and their binds. Times are milliseconds; None is never."""

from __future__ import annotations

from msgspec import Struct

from isthmus.plan.document.address import Address
from isthmus.plan.document.http import HttpFrontend
from isthmus.plan.document.log import LogPolicy
from isthmus.plan.document.rule import BackendChoice, Rule
from isthmus.plan.document.tls import BindTls


class KeepAlive(Struct, frozen=True, forbid_unknown_fields=True):
    """TCP keep-alive probes on one side; 0 leaves the kernel's count, idle and interval (seconds)."""

    enabled: bool = False
    count: int = 0
    idle: int = 0
    interval: int = 0


class Splice(Struct, frozen=True, forbid_unknown_fields=True):
    """When splice(2) is used."""

    auto: bool = False
    request: bool = False
    response: bool = False


class ByThread(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="by_thread"):
    """One socket for each worker."""


class Count(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="count"):
    """A number of sockets; the workers are spread over them."""

    count: int


Shards = ByThread | Count
"""How many sockets share one address."""


class Bind(Struct, frozen=True, forbid_unknown_fields=True):
    """One address of a `bind` line. Where a number is 0, there is no limit or the kernel chooses.

    `threads` count workers from 0, empty means all; `namespace` is an index into the plan's.
    """

    id: int
    name: str
    address: Address
    origin: str
    namespace: int | None = None
    accept_proxy: bool = False
    accept_proxy_from: tuple[str, ...] = ()
    backlog: int = 0
    defer_accept: bool = False
    interface: str | None = None
    maxconn: int = 0
    mss: int = 0
    shards: Shards = ByThread()
    threads: tuple[int, ...] = ()
    tcp_user_timeout: int = 0
    tfo: bool = False
    congestion: str | None = None
    transparent: bool = False
    v6only: bool | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    h2: bool | None = None
    tls: BindTls | None = None


class FrontendOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a frontend."""

    keepalive: KeepAlive = KeepAlive()
    nolinger: bool = False
    splice: Splice = Splice()
    independent_streams: bool = False


class Frontend(Struct, frozen=True, forbid_unknown_fields=True):
    """A frontend, or the client side of a `listen`. `default_backend` is an index into the plan's.

    `http` is None in `mode tcp`. Where it `switches`, connections begin in `mode tcp` and may become HTTP,
    and `http` is what holds for those.
    """

    name: str
    id: int
    disabled: bool
    maxconn: int
    rate_limit: int
    binds: tuple[Bind, ...]
    timeout_client: int | None
    timeout_client_fin: int | None
    timeout_client_hs: int | None
    inspect_delay: int
    connection_rules: tuple[Rule, ...]
    session_rules: tuple[Rule, ...]
    content_rules: tuple[Rule, ...]
    backend_choices: tuple[BackendChoice, ...]
    default_backend: int | None
    captures: tuple[int, ...]
    log: LogPolicy
    options: FrontendOptions
    http: HttpFrontend | None = None
    switches: bool = False
