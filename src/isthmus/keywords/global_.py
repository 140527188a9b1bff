"""Section `global`: the process as a whole (manual 3)."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.bind import read_binds
from isthmus.keywords.codes import BAD_VALUE, OUT_OF_RANGE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.global_http import GLOBAL_HTTP
from isthmus.keywords.global_rows import change, inert, number, size
from isthmus.keywords.global_services import GLOBAL_SERVICES
from isthmus.keywords.global_tls import GLOBAL_TLS
from isthmus.keywords.global_tokens import ROWS as TOKENS
from isthmus.keywords.global_tuning import GLOBAL_TUNING
from isthmus.keywords.global_variables import VARIABLES
from isthmus.keywords.log_lines import GLOBAL_LOGS
from isthmus.keywords.processors import PROCESSORS
from isthmus.keywords.row import Keyword, RefusedError, Use, Where, takes_all
from isthmus.keywords.sections import table
from isthmus.keywords.status_codes import STATUS_CODES
from isthmus.keywords.unix_bind import UNIX_BIND
from isthmus.keywords.values import time
from isthmus.model.bind import BindSettings

Row = Keyword[GlobalDraft]
Read = Callable[[Use[GlobalDraft]], None]
_GLOBAL = Where.GLOBAL


def _flag(name: str, about: str, field: str = "", value: bool = True) -> Row:
    return Keyword(name, _GLOBAL, "", about, lambda use: change(use, **{field or name: value}))


def _time(name: str, about: str, field: str) -> Row:
    return Keyword(name, _GLOBAL, "<time>", about, lambda use: change(use, **{field: time(use.words)}))


def _text(name: str, syntax: str, about: str, field: str = "") -> Row:
    def read(use: Use[GlobalDraft]) -> None:
        change(use, **{field or name: use.words.take(syntax.strip("<>")).text})

    return Keyword(name, _GLOBAL, syntax, about, read)


def _silent(name: str, syntax: str, about: str) -> Row:
    """Return the row of a keyword whose work is done while the text is read."""
    return Keyword(name, _GLOBAL, syntax, about, takes_all)


def _user(use: Use[GlobalDraft]) -> None:
    word = use.words.take("a user name")
    uid = use.reading.world.user_id(word.text)
    if uid is None:
        raise RefusedError(BAD_VALUE, f"there is no user `{word.text}`", word.span)
    change(use, uid=uid, user=word.text)


def _group(use: Use[GlobalDraft]) -> None:
    word = use.words.take("a group name")
    gid = use.reading.world.group_id(word.text)
    if gid is None:
        raise RefusedError(BAD_VALUE, f"there is no group `{word.text}`", word.span)
    change(use, gid=gid, group=word.text)


def _description(use: Use[GlobalDraft]) -> None:
    first = use.words.take("a text")
    change(use, description=" ".join(word.text for word in (first, *use.words.take_all())))


def _setcap(use: Use[GlobalDraft]) -> None:
    names = use.words.take("names of capabilities").text
    change(use, setcap=tuple(name for name in names.split(",") if name))


def _master_worker(use: Use[GlobalDraft]) -> None:
    if use.words.peek == "no-exit-on-failure":
        use.words.take("")
    change(use, master_worker=True)


def _stats_socket(use: Use[GlobalDraft]) -> None:
    sockets = read_binds(use.words, BindSettings(), use.reading, use.reading.context(), use.line.span)
    change(use, stats_sockets=use.draft.settings.stats_sockets + sockets)


def _stats_timeout(use: Use[GlobalDraft]) -> None:
    word = use.words.rest[:1]
    value = time(use.words)
    if not value:
        raise RefusedError(OUT_OF_RANGE, "`stats timeout` cannot be 0", word[0].span)
    change(use, stats_timeout=value)


_ONE_PROCESS = "a new configuration is applied inside the running process"
_EPOLL = "epoll is the only poller here"

PROCESS: tuple[Row, ...] = (
    _text("chroot", "<dir>", "Root directory of the running process"),
    _flag("daemon", "Run in the background"),
    Keyword("description", _GLOBAL, "<text>", "A text about this instance", _description),
    number("gid", "gid", "Group to run as, by number"),
    _time("grace", "How long listeners stay after a graceful stop was asked for", "grace"),
    Keyword("group", _GLOBAL, "<group>", "Group to run as, by name", _group),
    _time("hard-stop-after", "When a graceful stop becomes a hard one", "hard_stop_after"),
    _text("localpeer", "<name>", "Name of this instance among peers"),
    Keyword("master-worker", _GLOBAL, "", "Run under a master process", _master_worker),
    _text("node", "<name>", "Name of this instance"),
    _text("pidfile", "<file>", "File that the process writes its number to"),
    _silent("presetenv", "<name> <value>", "Set a variable that is not in the environment"),
    _flag("quiet", "No messages at start"),
    _silent("resetenv", "[<name> ...]", "Empty the environment but for some variables"),
    Keyword("setcap", _GLOBAL, "<name>[,<name>...]", "Capabilities to keep", _setcap),
    _silent("setenv", "<name> <value>", "Set a variable of the environment"),
    Keyword("stats socket", _GLOBAL, "<address> [<option> ...]", "A socket for commands", _stats_socket),
    number("stats maxconn", "stats_maxconn", "Most connections to stats sockets", 1),
    Keyword("stats timeout", _GLOBAL, "<timeout>", "Longest silence on a stats socket", _stats_timeout),
    number("uid", "uid", "User to run as, by number"),
    number("ulimit-n", "ulimit_n", "Most open files", 1),
    _silent("unsetenv", "<name> ...", "Remove variables of the environment"),
    Keyword("user", _GLOBAL, "<user>", "User to run as, by name", _user),
    _flag("zero-warning", "A warning is an error", "zero_warning"),
)

TUNING: tuple[Row, ...] = (
    number("max-spread-checks", "max_spread_checks", "Milliseconds over which checks are spread at most"),
    number("maxconn", "maxconn", "Most client connections"),
    number("maxconnrate", "maxconnrate", "Most new connections in a second"),
    number("maxsessrate", "maxsessrate", "Most new sessions in a second"),
    number("maxsslconn", "maxsslconn", "Most TLS connections, with clients and servers"),
    number("maxsslrate", "maxsslrate", "Most new TLS connections of clients in a second"),
    number("nbthread", "nbthread", "Worker threads", 1, 4096),
    _flag("nosplice", "Never use splice(2)", "splice", False),
    number("spread-checks", "spread_checks", "Percent by which the times of checks vary", 0, 50),
    size("tune.bufsize", "bufsize", "Size of a buffer", 1),
    number("tune.maxaccept", "maxaccept", "Most connections accepted in a row", -1),
    number("tune.maxpollevents", "maxpollevents", "Most events taken from the poller at once", 1),
    size("tune.pipesize", "pipesize", "Size of a pipe for splice(2)"),
    size("tune.rcvbuf.client", "receive_buffer_client", "Kernel buffer for data from clients"),
    size("tune.rcvbuf.server", "receive_buffer_server", "Kernel buffer for data from servers"),
    number("tune.stick-counters", "stick_counters", "Most entries that a session tracks", 0, 4096),
    size("tune.sndbuf.client", "send_buffer_client", "Kernel buffer for data to clients"),
    size("tune.sndbuf.server", "send_buffer_server", "Kernel buffer for data to servers"),
)

WITHOUT_EFFECT: tuple[Row, ...] = (
    inert("busy-polling", "", "Poll without sleeping", "workers sleep when idle", negatable=True),
    inert("expose-experimental-directives", "", "Allow experimental keywords", "no keyword here needs it"),
    inert("expose-deprecated-directives", "", "Allow deprecated keywords", "no keyword here needs it"),
    inert("insecure-fork-wanted", "", "Allow fork(2)", "workers never fork", negatable=True),
    inert(
        "insecure-setuid-wanted", "", "Allow setuid programs", "workers execute no program", negatable=True
    ),
    inert("maxpipes", "<number>", "Most pipes for splice(2)", "each worker keeps a few pipes for reuse"),
    inert("mworker-max-reloads", "<number>", "Reloads an old worker survives", _ONE_PROCESS),
    inert("no-memory-trimming", "", "Keep freed memory", "the allocator decides by itself"),
    inert("noepoll", "", "Do not use epoll", _EPOLL),
    inert("noevports", "", "Do not use event ports", _EPOLL),
    inert("nogetaddrinfo", "", "Resolve names with gethostbyname", "getaddrinfo is the only resolver"),
    inert("nokqueue", "", "Do not use kqueue", _EPOLL),
    inert("nopoll", "", "Do not use poll", _EPOLL),
    inert("numa-cpu-mapping", "", "Stay on one NUMA node", "the kernel places the workers", negatable=True),
    inert("prealloc-fd", "", "Make room for descriptors at start", "the kernel makes room as they come"),
    inert("profiling.tasks", "{ on | off | auto }", "Measure tasks", "there are no tasks of this kind"),
    inert("set-dumpable", "", "Allow core dumps", "the system's own limits decide", negatable=True),
    inert("strict-limits", "", "Refuse to start where a limit is too low", "it is always so", negatable=True),
    inert("tune.sched.low-latency", "{ on | off }", "Order of tasks", "a worker has no queue of tasks"),
    inert("thread-groups", "<number>", "Groups of threads", "all workers are one group"),
    inert("thread-group", "<number> <threads>", "Threads of a group", "all workers are one group"),
    inert("cpu-policy", "<policy>", "Where threads run", "the kernel places the workers"),
    inert("tune.listener.multi-queue", "{ on | fair | off }", "Share of threads", "each has its own sockets"),
    inert("tune.runqueue-depth", "<number>", "Tasks run in a row", "a worker has no queue of tasks"),
)

GLOBAL = table(
    PROCESS,
    TUNING,
    WITHOUT_EFFECT,
    GLOBAL_LOGS,
    VARIABLES,
    GLOBAL_HTTP,
    GLOBAL_SERVICES,
    GLOBAL_TLS,
    TOKENS,
    GLOBAL_TUNING,
    PROCESSORS,
    STATUS_CODES,
    UNIX_BIND,
)
"""Every keyword of section `global`."""
