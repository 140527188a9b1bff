"""The plan itself, and what belongs to the process as a whole."""

from __future__ import annotations

from msgspec import Struct, field

from isthmus.plan.document.backend import Backend
from isthmus.plan.document.expression import Acl, Expression
from isthmus.plan.document.frontend import Frontend
from isthmus.plan.document.http import HttpGlobal
from isthmus.plan.document.log import FormatItem
from isthmus.plan.document.patterns import PatternList
from isthmus.plan.document.table import StickTable
from isthmus.plan.document.tls import TlsFiles
from isthmus.plan.document.userlist import Userlist

VERSION = 1
"""The version of the document's shape. The engine refuses a plan of another version."""

Assigned = Expression | tuple[FormatItem, ...]
"""What a variable is set to at start: a value, or text made of several pieces."""


class VariableLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes of variables at most (`tune.vars.*-max-size`); 0 is no limit."""

    global_: int = field(default=0, name="global")
    proc: int = 0
    sess: int = 0
    txn: int = 0
    reqres: int = 0


class Global(Struct, frozen=True, forbid_unknown_fields=True):
    """Process-wide limits and settings (section `global`). Sizes are bytes, times milliseconds.

    0 means: one worker per usable processor (`nbthread`), no limit but the descriptors (`maxconn`), the
    engine's choice (`pipesize`), the kernel's own (`socket_buffers`: client receive and send, server
    receive and send; `unsent`: of clients and of servers), never (`hard_stop_after`).
    """

    nbthread: int
    maxconn: int
    maxconnrate: int
    maxsessrate: int
    log_hostname: str
    hostname: str
    bufsize: int
    maxaccept: int
    maxpollevents: int
    pipesize: int
    socket_buffers: tuple[int, int, int, int]
    splice: bool
    netns_unlisted_ignore: bool
    hard_stop_after: int
    http: HttpGlobal = HttpGlobal()
    files: int = 0
    variables: tuple[tuple[str, Assigned], ...] = ()
    variable_limits: VariableLimits | None = None
    maxsslconn: int = 0
    maxsslrate: int = 0
    unsent: tuple[int, int] = (0, 0)
    reject_privileged_ports: bool = False


class Namespace(Struct, frozen=True, forbid_unknown_fields=True):
    """A network namespace that the plan names.

    `name` is what logs and TLVs carry, `path` the namespace file, for instance `/run/netns/red`;
    an optional one may be missing, and is then waited for.
    """

    name: str
    path: str
    optional: bool


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the engine needs to run one configuration."""

    version: int
    global_: Global = field(name="global")
    namespaces: tuple[Namespace, ...]
    namespace_list: tuple[int, ...]
    lists: tuple[PatternList, ...]
    userlists: tuple[Userlist, ...]
    tables: tuple[StickTable, ...]
    acls: tuple[Acl, ...]
    frontends: tuple[Frontend, ...]
    backends: tuple[Backend, ...]
    tls: TlsFiles = TlsFiles()
