"""A whole configuration."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.model.acme import Authority
from isthmus.model.address import Namespace
from isthmus.model.bind import Bind, UnixBind
from isthmus.model.expression import Expression
from isthmus.model.http import Cache, GlobalHttp, HttpErrors
from isthmus.model.log import Format, LogLine
from isthmus.model.processors import CpuChoice, CpuMap
from isthmus.model.proxy import Proxy
from isthmus.model.resolvers import Family, Resolvers
from isthmus.model.services import ServiceSettings
from isthmus.model.settings import VariableLimits
from isthmus.model.tls import Bases, Certificate, GlobalTls
from isthmus.model.userlist import Userlist
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Global:
    """Section `global`. Times are milliseconds, sizes bytes; None where the choice is the program's."""

    daemon: bool = False
    master_worker: bool = False
    quiet: bool = False
    zero_warning: bool = False
    pidfile: str | None = None
    chroot: str | None = None
    uid: int | None = None
    gid: int | None = None
    user: str | None = None
    group: str | None = None
    setcap: tuple[str, ...] = ()
    ulimit_n: int | None = None
    hard_stop_after: int | None = None
    grace: int | None = None
    localpeer: str | None = None
    node: str | None = None
    description: str | None = None
    nbthread: int | None = None
    maxconn: int | None = None
    maxconnrate: int = 0
    maxsessrate: int = 0
    maxsslconn: int = 0
    maxsslrate: int = 0
    max_spread_checks: int | None = None
    spread_checks: int = 0
    splice: bool = True
    bufsize: int = 16384
    maxaccept: int | None = None
    maxpollevents: int | None = None
    pipesize: int = 0
    receive_buffer_client: int = 0
    send_buffer_client: int = 0
    receive_buffer_server: int = 0
    send_buffer_server: int = 0
    unsent_client: int = 0
    unsent_server: int = 0
    reject_privileged_ports: bool = False
    never_local: bool = False
    default_shards: int = 0
    thread_limit: int | None = None
    thread_limit_span: Span | None = None
    nice: int | None = None
    cpu_set: tuple[CpuChoice, ...] = ()
    cpu_map: tuple[CpuMap, ...] = ()
    payload: int = 128 * 1024
    accept_families: frozenset[Family] = frozenset(Family)
    accept_routed: bool = False
    log_lines: tuple[LogLine, ...] = ()
    log_tag: str | None = None
    log_send_hostname: str | None = None
    stick_counters: int = 3
    variables: tuple[tuple[str, Expression | Format], ...] = ()
    variable_limits: VariableLimits = field(default_factory=VariableLimits)
    stats_sockets: tuple[Bind, ...] = ()
    unix_bind: UnixBind = field(default_factory=UnixBind)
    stats_maxconn: int = 10
    stats_timeout: int = 10_000
    http: GlobalHttp = field(default_factory=GlobalHttp)
    tls: GlobalTls = field(default_factory=GlobalTls)
    services: ServiceSettings = field(default_factory=ServiceSettings)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that a set of configuration files says, with nothing left to check about its words.

    Names of backends, servers and hosts are still names: `isthmus.plan` resolves them. `namespace_list` keeps
    the order in which the names are listed. `loaded` are the certificates of crt-stores, used or not, and
    those that expressions name; of these, `tokens` are the names of those that tokens may use (`jwt`).
    `bases` is where files of TLS are looked for.
    """

    global_: Global = field(default_factory=Global)
    proxies: tuple[Proxy, ...] = ()
    namespace_list: tuple[Namespace, ...] = ()
    userlists: tuple[Userlist, ...] = ()
    http_errors: tuple[HttpErrors, ...] = ()
    caches: tuple[Cache, ...] = ()
    loaded: tuple[Certificate, ...] = ()
    tokens: frozenset[str] = frozenset()
    bases: Bases = Bases()
    acme: tuple[Authority, ...] = ()
    resolvers: tuple[Resolvers, ...] = ()
    span: Span | None = None

    @property
    def listens(self) -> bool:
        """Whether anything listens: without it, HAProxy refuses to start, with exit status 2."""
        if self.global_.stats_sockets or self.global_.master_worker:
            return True
        return any(proxy.binds and not proxy.settings.disabled for proxy in self.proxies)
