"""What a running engine tells: snapshots of counters and states, sessions, and events.

These types mirror crates/plan/src/report one for one; tests/golden holds documents that both sides read.
Amounts are totals since start unless they say otherwise; rates are per second; fields ending in `_ms` and the
`*time` counters are milliseconds, `last_change`, `downtime` and `lastsess` seconds.
"""

from __future__ import annotations

from msgspec import Struct

from isthmus.engine.served import BackendFacts


class ClientCounters(Struct, frozen=True, forbid_unknown_fields=True):
    """What clients did at a frontend or bind."""

    scur: int = 0
    """Sessions now."""
    smax: int = 0
    """Most sessions at once."""
    stot: int = 0
    """Sessions in all."""
    conn_tot: int = 0
    """Connections in all, with those refused by rules."""
    bin: int = 0
    """Bytes from clients."""
    bout: int = 0
    """Bytes to clients."""
    dreq: int = 0
    """Requests denied by content rules."""
    dresp: int = 0
    """Responses denied."""
    wrew: int = 0
    """Changes of heads that rules could not make."""
    intercepted: int = 0
    """Requests that the frontend itself answered, without denying them."""
    comp_in: int = 0
    """Bytes given to compression."""
    comp_out: int = 0
    """Bytes that compression made of them."""
    comp_byp: int = 0
    """Bytes that it would have been given but for the limits of compression."""
    comp_rsp: int = 0
    """Responses compressed."""
    ereq: int = 0
    """Request errors: timeouts, closes, malformed headers."""
    dcon: int = 0
    """Connections refused by `tcp-request connection`."""
    dses: int = 0
    """Sessions refused by `tcp-request session`."""
    rate: int = 0
    """Sessions in the last second."""
    rate_max: int = 0
    """Highest `rate`."""
    conn_rate: int = 0
    """Connections in the last second."""
    conn_rate_max: int = 0
    """Highest `conn_rate`."""
    req_tot: int = 0
    """Requests in all, with those that were none (HTTP mode, as all that follow but the last two)."""
    req_rate: int = 0
    """Requests in the last second."""
    req_rate_max: int = 0
    """Highest `req_rate`."""
    responses: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)
    """Responses by the first digit of their status, 1 to 5; the others stand first."""
    bad_proxy_headers: int = 0
    """PROXY headers that were refused."""
    unlisted_namespaces: int = 0
    """NETNS TLVs that named an unlisted namespace."""


class ProcessFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """The process as a whole (`show info`)."""

    generation: int = 0
    """Number of the plan in force, counted from 1."""
    uptime_ms: int = 0
    """Milliseconds since the engine started."""
    nbthread: int = 0
    """Worker threads."""
    curr_conns: int = 0
    """Client connections now."""
    cum_conns: int = 0
    """Client connections ever accepted."""
    maxconn: int = 0
    """Limit of client connections."""
    hard_maxconn: int = 0
    """That limit as configured."""
    conn_rate_limit: int = 0
    """`maxconnrate`; 0 is unlimited."""
    sess_rate_limit: int = 0
    """`maxsessrate`; 0 is unlimited."""
    curr_tls: int = 0
    """TLS connections now, with clients and servers."""
    cum_tls: int = 0
    """TLS connections ever."""
    max_tls: int = 0
    """`maxsslconn`; 0 is unlimited."""
    tls_rate_limit: int = 0
    """`maxsslrate`; 0 is unlimited."""
    tls_rate: int = 0
    """TLS connections of clients accepted in the last second."""
    tls_rate_max: int = 0
    """Highest `tls_rate`."""
    conn_rate: int = 0
    """Connections accepted in the last second, the highest of such, and the same for sessions."""
    conn_rate_max: int = 0
    """Highest `conn_rate`."""
    sess_rate: int = 0
    """Sessions begun in the last second."""
    sess_rate_max: int = 0
    """Highest `sess_rate`."""
    compression_rate_limit: int = 0
    """`maxcomprate` in bytes; 0 is unlimited."""
    compression_rate_in: int = 0
    """Bytes given to compression in the last second."""
    compression_rate_out: int = 0
    """Bytes that compression made in the last second."""
    compression_memory_limit: int = 0
    """`maxzlibmem` in bytes; 0 is unlimited."""
    compression_memory: int = 0
    """Bytes that compression uses, where that is limited."""
    total_bytes_out: int = 0
    """Bytes sent to clients and servers."""
    total_spliced_bytes_out: int = 0
    """Of these, bytes moved by splice(2)."""
    pipes_used: int = 0
    """Pipes in use now."""
    pipes_free: int = 0
    """Pipes kept for reuse."""
    dropped_logs: int = 0
    """Log lines that a target did not take."""
    limited_searches: int = 0
    """Searches by regular expressions that ended at their limit, as if nothing matched."""
    idle_percent: int = 0
    """Percent of the last second in which the workers slept."""
    failed_sessions: int = 0
    """Sessions ended by an error of the engine itself."""
    stopping: bool = False
    """Whether the engine was asked to stop and waits for its sessions."""


class ListenerFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A bind (`show stat`, type 3)."""

    name: str = ""
    """Its name, `sock-N` if it has none."""
    id: int = 0
    """Its number."""
    status: str = ""
    """`OPEN`, `FULL` or `WAITING` (for its namespace)."""
    address: str = ""
    """The address it listens on, the port as bound."""
    namespace: str = ""
    """Its namespace, empty for the default one."""
    maxconn: int = 0
    """Limit of its connections."""
    counters: ClientCounters = ClientCounters()
    """What its clients did."""


class FrontendFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A frontend (`show stat`, type 0)."""

    name: str = ""
    """Its name."""
    id: int = 0
    """Its number."""
    status: str = ""
    """`OPEN`, `FULL`, `STOP` or `PAUSED`."""
    maxconn: int = 0
    """Limit of its connections."""
    rate_limit: int = 0
    """New sessions in a second that it takes (`rate-limit sessions`); 0 is unlimited."""
    http: bool = False
    """Whether it is in `mode http`."""
    counters: ClientCounters = ClientCounters()
    """What its clients did."""
    listeners: tuple[ListenerFacts, ...] = ()
    """Its binds."""


class NamespaceFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A namespace that the plan names (`show namespaces`)."""

    name: str = ""
    """Its name."""
    path: str = ""
    """Its file."""
    present: bool = False
    """Whether it exists now."""
    optional: bool = False
    """Whether it may be missing."""
    listed: bool = False
    """Whether a NETNS TLV may pick it."""
    inode: int = 0
    """The inode that identifies it in the kernel, 0 when absent."""
    reentered: int = 0
    """Times it was entered anew because it had been re-created."""
    sockets_created: int = 0
    """Sockets created in it."""
    sockets_ready: int = 0
    """Sockets kept ready in it."""
    listeners: int = 0
    """Listeners open in it."""
    sessions: int = 0
    """Sessions whose client came from it."""
    error: str = ""
    """Why it can't be used, empty if it can."""


class Snapshot(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the statistics show, taken at one moment."""

    process: ProcessFacts = ProcessFacts()
    """The process as a whole."""
    frontends: tuple[FrontendFacts, ...] = ()
    """Frontends in the order of the plan."""
    backends: tuple[BackendFacts, ...] = ()
    """Backends in the order of the plan."""
    namespaces: tuple[NamespaceFacts, ...] = ()
    """Namespaces that the plan names."""


class SessionFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """One session (`show sess`)."""

    id: int = 0
    """Identifies the session while it lives."""
    src: str = ""
    """Client's address."""
    frontend: str = ""
    """Frontend's name."""
    backend: str = ""
    """Backend's name, `<NONE>` before one is chosen."""
    server: str = ""
    """Server's name, `<none>` before one is chosen."""
    src_netns: str = ""
    """The client connection's source namespace, empty for the default one."""
    dst_netns: str = ""
    """The server connection's namespace, empty for the default one."""
    age_ms: int = 0
    """Milliseconds since it began."""
    idle_ms: int = 0
    """Milliseconds since the last byte."""
    expires_ms: int = 0
    """Milliseconds until the next timeout, -1 if there is none."""
    state: str = ""
    """`header`, `rules`, `queue`, `connect`, `forward` or `close`."""
    bytes_in: int = 0
    """Bytes from the client."""
    bytes_out: int = 0
    """Bytes from the server."""
    thread: int = 0
    """The worker that serves it."""
    fds: tuple[int, int] = (0, 0)
    """Client and server descriptors, -1 if there is none."""


class ApplyReport(Struct, frozen=True, forbid_unknown_fields=True):
    """What came of applying a plan."""

    generation: int = 0
    """Number of the plan now in force."""
    listeners: tuple[tuple[str, str, str], ...] = ()
    """Binds that are open, as `frontend`, configured origin and bound address."""
    errors: tuple[tuple[str, str], ...] = ()
    """What failed: origin and message. Where there is any, nothing was changed."""


class NamespaceEvent(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="namespace"):
    """A namespace came, went, or was re-created: `appeared`, `vanished`, `reentered` or `failed`."""

    name: str
    what: str
    detail: str


class ListenerEvent(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="listener"):
    """A bind opened (`error` is empty) or failed after the plan was applied; `origin` is its `file:line`."""

    frontend: str
    origin: str
    error: str


class WarmedEvent(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="warmed"):
    """A server's slow start has come to its end."""

    backend: str
    server: str


class Stopped(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="stopped"):
    """A graceful or hard stop has come to its end."""


Event = NamespaceEvent | ListenerEvent | WarmedEvent | Stopped
"""Something that happened which the control plane may act on or tell about."""
