"""Keywords of section `global` that tune sockets, workers and what the process says by itself (manual 3)."""

from __future__ import annotations

from isthmus.config import Word, register
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.global_rows import Row, change, inert, inert_switch, number, size
from isthmus.keywords.row import Keyword, Use, Where
from isthmus.keywords.values import choice, integer, switch, unknown
from isthmus.model.resolvers import Family

_GLOBAL = Where.GLOBAL

TOO_MANY_THREADS = register(
    "W0195",
    "more threads than the limit",
    "`thread-hard-limit` holds whatever `nbthread` says.",
    "nbthread 4",
)
_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}
_SHARDS = {"by-process": 1, "by-thread": 0, "by-group": 1}
"""Sockets that share the address of a bind line, 0 for one a worker; all workers are one group."""


def _no_splice(use: Use[GlobalDraft]) -> None:
    change(use, splice=False)


def _default_shards(use: Use[GlobalDraft]) -> None:
    change(use, default_shards=_SHARDS[choice(use.words, tuple(_SHARDS), "a number of sockets")])


def _families(use: Use[GlobalDraft]) -> None:
    """`ipv4`, `ipv6`, or `auto`: IPv4, and IPv6 while there is a default route for it."""
    word = use.words.take("families between commas")
    chosen = word.text.split(",")
    for each in chosen:
        if each not in ("auto", *_FAMILIES):
            raise unknown(Word(each, word.span), ("auto", *_FAMILIES), "a family of addresses")
    routed = "auto" in chosen and "ipv6" not in chosen
    families = frozenset(Family) if "auto" in chosen else frozenset(_FAMILIES[each] for each in chosen)
    change(use, accept_families=families, accept_routed=routed)


_NO_QUIC = "there is no QUIC here"
_NO_DATAGRAMS = "nothing here listens for datagrams"
_ONE_GROUP = "all workers are one group"
_ALLOCATOR = "the allocator decides by itself"
_NO_TASKS = "a worker has no queue of tasks"
_COPIES = "what is forwarded without copies is so by splice(2)"

SOCKETS: tuple[Row, ...] = (
    Keyword(
        "dns-accept-family",
        _GLOBAL,
        "<family>[,...]",
        "Families of addresses that name servers are asked for",
        _families,
    ),
    Keyword(
        "harden.reject-privileged-ports.tcp",
        _GLOBAL,
        "{ on | off }",
        "Drop clients whose port is below 1024",
        lambda use: change(use, reject_privileged_ports=switch(use.words)),
    ),
    inert_switch("harden.reject-privileged-ports.quic", "The same for QUIC", _NO_QUIC),
    Keyword(
        "pp2-never-send-local",
        _GLOBAL,
        "",
        "Let health checks say in a PROXY header 2 that they are forwarded",
        lambda use: change(use, never_local=True),
    ),
    Keyword(
        "tune.listener.default-shards",
        _GLOBAL,
        "{ by-process | by-thread | by-group }",
        "How many sockets share the address of a bind line that does not say it",
        _default_shards,
    ),
    size("tune.notsent-lowat.client", "unsent_client", "Data to a client that waits in the kernel unsent"),
    size("tune.notsent-lowat.server", "unsent_server", "Data to a server that waits in the kernel unsent"),
    inert("tune.rcvbuf.backend", "<size>", "Kernel buffer of QUIC with servers", _NO_QUIC),
    inert("tune.rcvbuf.frontend", "<size>", "Kernel buffer for datagrams from clients", _NO_DATAGRAMS),
    inert("tune.sndbuf.frontend", "<size>", "Kernel buffer for datagrams to clients", _NO_DATAGRAMS),
)
WORKERS: tuple[Row, ...] = (
    Keyword(
        "thread-hard-limit",
        _GLOBAL,
        "<number>",
        "Most worker threads, whatever `nbthread` says",
        lambda use: change(
            use, thread_limit=integer(use.words, 1, 4096), thread_limit_span=use.line.keyword.span
        ),
    ),
    number("tune.renice.runtime", "nice", "Priority of the process, as nice(1) counts it", -20, 19),
    inert(
        "tune.renice.startup",
        "<number>",
        "Priority while the configuration is read",
        "it is read before its first line is known",
    ),
    size("tune.cli.max-payload-size", "payload", "Most bytes of the lines that follow a command"),
    Keyword("tune.disable-fast-forward", _GLOBAL, "", "Never forward inside the kernel", _no_splice),
)
WITHOUT_EFFECT: tuple[Row, ...] = (
    inert("cpu-affinity", "<affinity>", "Where threads run", "`cpu-map` places workers"),
    inert("max-threads-per-group", "<number>", "Most threads of a group", _ONE_GROUP),
    inert("tune.buffers.reserve", "<number>", "Buffers for emergencies", _ALLOCATOR),
    inert("tune.bufsize.large", "<size>", "Large buffers", "buffers are of one size"),
    inert("tune.bufsize.small", "<size>", "Small buffers", "buffers are of one size"),
    inert("tune.chksize", "<size>", "Buffer of a health check", "HAProxy ignores it too, since 2.4"),
    inert("tune.defaults.purge", "", "Forget defaults sections", "they take no memory worth the name"),
    inert(
        "tune.epoll.mask-events", "<event>[,...]", "Events that are not asked for", "epoll is used as it is"
    ),
    inert("tune.events.max-events-at-once", "<number>", "Events handled in a row", _NO_TASKS),
    inert_switch("tune.fd.edge-triggered", "Edge-triggered polling", "epoll is always used so that it pays"),
    inert(
        "tune.max-checks-per-thread",
        "<number>",
        "Health checks of a thread",
        "checks run beside the workers, not on them",
    ),
    inert(
        "tune.max-rules-at-once",
        "<number>",
        "Rules evaluated in a row",
        "rules of a request are evaluated in one go",
    ),
    inert("tune.memory.hot-size", "<number>", "Memory that a thread keeps", _ALLOCATOR),
    inert("tune.recv_enough", "<size>", "What a short read is", "it is read until nothing is left"),
    inert("tune.ring.queues", "<number>", "Queues in front of rings", "there are no rings"),
    inert("tune.takeover-other-tg-connections", "<value>", "Connections of other groups", _ONE_GROUP),
    inert_switch("tune.applet.zero-copy-forwarding", "Forward answers of applets without copies", _COPIES),
    inert_switch(
        "tune.pt.zero-copy-forwarding",
        "Forward without copies in TCP mode",
        "`option splice-*` says where, and `nosplice` that it is nowhere",
    ),
)

GLOBAL_TUNING: tuple[Row, ...] = (*SOCKETS, *WORKERS, *WITHOUT_EFFECT)
"""What tunes the process as a whole."""
