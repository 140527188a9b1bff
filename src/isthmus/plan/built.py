"""What a configuration comes to: the engine's plan, and what stays with the control plane.

Times are milliseconds unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.config import Diagnostics, Span
from isthmus.model.address import Listen, Namespace
from isthmus.model.configuration import Configuration
from isthmus.model.expression import ListValues, MatchMethod, PatternFile
from isthmus.model.processors import CpuChoice, CpuMap
from isthmus.model.resolvers import Resolvers
from isthmus.model.server import InitState
from isthmus.plan import document
from isthmus.records import dataclass, field

Owner = tuple[str, str, str]
"""Who has a `guid`: F, B, S or L as in `show stat typed`, a proxy, a server's name or listener's number."""


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """Where a health check connects to. `namespace` is a namespace file, None the process's own."""

    address: document.Address
    namespace: str | None


@dataclass(frozen=True, slots=True)
class CheckTls:
    """That a check shakes hands by TLS, and the name that it sends."""

    sni: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The health check of one server, by TCP connect, with a handshake where there is `tls`.

    `target` is None where the server has no address yet: it stays down. `timeout` is None where only
    `inter` limits a check. One that `waits` does not begin before `enable health`.
    """

    backend: str
    server: str
    target: CheckTarget | None
    inter: int
    fastinter: int
    downinter: int
    rise: int
    fall: int
    connect_timeout: int | None
    timeout: int | None
    log: bool
    origin: str
    waits: bool = False
    tls: CheckTls | None = None
    initial: InitState = InitState.UP
    header: int = 0
    """The version of the PROXY header that is sent, 0 for none."""


@dataclass(frozen=True, slots=True)
class Health:
    """Every check, and how their times are spread (`spread-checks` percent, `max-spread-checks`).

    `never_local` says that PROXY headers of version 2 claim to be of a forwarded connection
    (`pp2-never-send-local`).
    """

    checks: tuple[Check, ...] = ()
    spread_percent: int = 0
    max_spread: int | None = None
    never_local: bool = False


@dataclass(frozen=True, slots=True)
class CommandSocket:
    """A `stats socket`: where it listens, who may, and what its commands may do (`level`)."""

    address: Listen
    namespace: Namespace | None
    level: str
    mode: int | None
    uid: int | None
    gid: int | None
    backlog: int
    maxconn: int
    origin: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """The runtime API's sockets, how many may connect to them, and when a silent one is closed."""

    sockets: tuple[CommandSocket, ...] = ()
    maxconn: int = 10
    timeout: int = 10_000
    node: str = ""
    description: str = ""
    localpeer: str = ""
    payload: int = 128 * 1024
    """Most bytes of the lines that follow a command (`tune.cli.max-payload-size`)."""


@dataclass(frozen=True, slots=True)
class Process:
    """What the process does with itself at start and end."""

    daemon: bool = False
    master_worker: bool = False
    quiet: bool = False
    zero_warning: bool = False
    pidfile: str | None = None
    chroot: str | None = None
    uid: int | None = None
    gid: int | None = None
    user: str | None = None
    setcap: tuple[str, ...] = ()
    ulimit_n: int | None = None
    grace: int | None = None
    hard_stop_after: int | None = None
    thread_limit: int | None = None
    nice: int | None = None
    cpu_set: tuple[CpuChoice, ...] = ()
    cpu_map: tuple[CpuMap, ...] = ()


@dataclass(frozen=True, slots=True)
class ListNeed:
    """What a line, an ACL or one with a map converter, needs of a file of patterns.

    `look_up` allows host names where addresses are expected.
    """

    method: MatchMethod
    values: ListValues
    span: Span
    acl: bool
    look_up: bool


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file of patterns that must be read, and what for."""

    file: PatternFile
    needs: tuple[ListNeed, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """Everything that starting or reloading needs. `diagnostics` is the collector of the whole run.

    `files` are those of the plan's lists, `texts` what they hold, by digest, once they were read.
    `configuration` is what all of it was made from; `added` are the servers, by backend and name, that
    the runtime API added since.
    """

    engine: document.Plan
    health: Health
    runtime: Runtime
    process: Process
    diagnostics: Diagnostics = field(repr=False)
    host_names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The host names of servers that have one, by backend and server."""
    files: tuple[ListFile, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    configuration: Configuration = field(default_factory=Configuration, repr=False)
    added: frozenset[tuple[str, str]] = frozenset()
    resolvers: tuple[Resolvers, ...] = ()
    """The sections that rules or servers ask."""
    guids: Mapping[Owner, str] = field(default_factory=dict)
    """What proxies, servers and listeners are told by (`guid`)."""
    tls_spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict, repr=False)
    """Where the files of the plan's TLS were named, by their kind and index."""
