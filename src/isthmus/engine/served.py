"""What a running engine tells of backends and their servers: the twin of crates/plan/src/report/served.rs."""

from __future__ import annotations

from msgspec import Struct


class ServerCounters(Struct, frozen=True, forbid_unknown_fields=True):
    """What sessions did at a backend or server."""

    qcur: int = 0
    """Waiting in the queue now."""
    qmax: int = 0
    """Most in the queue at once."""
    scur: int = 0
    """Sessions now."""
    smax: int = 0
    """Most sessions at once."""
    stot: int = 0
    """Sessions in all."""
    bin: int = 0
    """Bytes to servers."""
    bout: int = 0
    """Bytes from servers."""
    dreq: int = 0
    """Requests denied."""
    dresp: int = 0
    """Responses denied."""
    wrew: int = 0
    """Changes of heads that rules could not make."""
    comp_in: int = 0
    """Bytes given to compression."""
    comp_out: int = 0
    """Bytes that compression made of them."""
    comp_byp: int = 0
    """Bytes that it would have been given but for the limits of compression."""
    comp_rsp: int = 0
    """Responses compressed."""
    econ: int = 0
    """Connection errors."""
    eresp: int = 0
    """Response errors."""
    wretr: int = 0
    """Connection retries."""
    wredis: int = 0
    """Redispatches to another server."""
    lbtot: int = 0
    """Times a server was chosen by balancing."""
    rate: int = 0
    """Sessions in the last second."""
    rate_max: int = 0
    """Highest `rate`."""
    cli_abrt: int = 0
    """Transfers aborted by the client."""
    srv_abrt: int = 0
    """Transfers aborted by the server."""
    lastsess: int = 0
    """Seconds since the last session, -1 if there was none."""
    qtime: int = 0
    """Average queue time of the last 1024 sessions, milliseconds."""
    ctime: int = 0
    """Average connect time of the last 1024 sessions, milliseconds."""
    ttime: int = 0
    """Average total time of the last 1024 sessions, milliseconds."""
    qtime_max: int = 0
    """Highest queue time, milliseconds."""
    ctime_max: int = 0
    """Highest connect time, milliseconds."""
    ttime_max: int = 0
    """Highest total time, milliseconds."""
    connect: int = 0
    """Connections tried."""
    reuse: int = 0
    """Requests that went over a connection that was there already."""
    used_connections: int = 0
    """Connections to it that an exchange uses now."""
    fresh_connections: int = 0
    """Connections that wait for another request and have served one."""
    proven_connections: int = 0
    """Connections that wait for another request and have served several."""
    needed_connections: int = 0
    """Connections that it is thought to need at once."""
    rtime: int = 0
    """Average time until the response's head, of the last 1024 exchanges."""
    rtime_max: int = 0
    """Highest such time."""
    responses: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)
    """Responses by the first digit of their status, 1 to 5; the others stand first."""


class ServerFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A server (`show stat`, type 2)."""

    name: str = ""
    """Its name."""
    id: int = 0
    """Its number."""
    status: str = ""
    """`UP`, `DOWN`, `MAINT`, `DRAIN`, `NOLB` or `no check`."""
    reason: str = ""
    """Why it is in that state, empty if nobody said."""
    address: str = ""
    """The address, `*` parts as written."""
    namespace: str = ""
    """`namespace`: the name, `*`, or empty for the default one."""
    weight: int = 0
    """Effective weight."""
    user_weight: int = 0
    """Weight that an operator set."""
    initial_weight: int = 0
    """Weight of the configuration."""
    maxconn: int = 0
    """Limit of its connections."""
    maxqueue: int = 0
    """Limit of its queue."""
    backup: bool = False
    """Whether it is a backup."""
    checked: bool = False
    """Whether its health is checked or tracked."""
    tracked: str = ""
    """`backend/server` that it tracks, else empty."""
    op_state: int = 0
    """Operational state: 0 stopped, 1 starting (slowstart), 2 running, 3 stopping."""
    throttle: int = 0
    """How much of its weight a slow start lets it have, in percent; 0 without one under way."""
    admin_state: int = 0
    """State bits of `show servers state`: 1 forced maintenance, 4 by configuration, 8 forced drain."""
    chkdown: int = 0
    """Times it went down."""
    last_change: int = 0
    """Seconds since the state last changed."""
    downtime: int = 0
    """Seconds spent down."""
    idle_limit: int = 0
    """`pool-max-conn`: limit of the connections that wait, negative without one."""
    idle_purge_ms: int = 0
    """`pool-purge-delay`, milliseconds."""
    idle_by_worker: tuple[int, ...] = ()
    """Connections that wait, for each worker."""
    counters: ServerCounters = ServerCounters()
    """What its sessions did."""


class BackendFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A backend (`show stat`, type 1)."""

    name: str = ""
    """Its name."""
    id: int = 0
    """Its number."""
    status: str = ""
    """`UP` or `DOWN`."""
    weight: int = 0
    """Sum of the usable servers' weights."""
    active: int = 0
    """Usable active servers."""
    backup: int = 0
    """Usable backup servers."""
    chkdown: int = 0
    """Times that the last usable server went down."""
    last_change: int = 0
    """Seconds since the state last changed."""
    downtime: int = 0
    """Seconds spent down."""
    algorithm: str = ""
    """The algorithm's name."""
    http: bool = False
    """Whether it is in `mode http`."""
    counters: ServerCounters = ServerCounters()
    """What its sessions did."""
    servers: tuple[ServerFacts, ...] = ()
    """Its servers."""
