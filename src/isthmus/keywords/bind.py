"""`bind` lines, and `stats socket` lines, which take the same options (manual 5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from isthmus.config import Span, Word
from isthmus.config.values import BadValueError, parse_network
from isthmus.keywords.addresses import listen_addresses
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import (
    BAD_VALUE,
    DUPLICATE_ID,
    OPEN_ACCEPT_PROXY,
    OUT_OF_RANGE,
    UNKNOWN_BIND_OPTION,
)
from isthmus.keywords.congestion import congestion
from isthmus.keywords.context import Context
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.guid import guid
from isthmus.keywords.namespaces import namespace
from isthmus.keywords.option_row import Option, OptionTable, OptionUse, options, refused
from isthmus.keywords.row import Keyword, Reading, RefusedError, Use, Where, Words, place
from isthmus.keywords.tls_bind import TLS_BIND
from isthmus.keywords.tls_options import lifted
from isthmus.keywords.values import choice, integer, time
from isthmus.model.address import Inet, Listen
from isthmus.model.bind import Bind, BindSettings
from isthmus.records import replace

Read = Callable[[OptionUse[BindSettings]], BindSettings]
_MOST_THREADS = 4096


def _flag(**changes: bool) -> Read:
    return lambda use: changed(use.settings, **changes)


def _number(field: str, low: int = 0, high: int = 2**31 - 1) -> Read:
    return lambda use: changed(use.settings, **{field: integer(use.words, low, high)})


def _text(field: str, what: str) -> Read:
    return lambda use: changed(use.settings, **{field: use.words.take(what).text})


def _ignored(what: str) -> Read:
    def read(use: OptionUse[BindSettings]) -> BindSettings:
        use.words.take(what)
        return use.settings

    return read


def _accept_proxy(use: OptionUse[BindSettings]) -> BindSettings:
    """`accept-proxy [from <network> ...]`: the networks end where the next option begins."""
    networks: list[str] = []
    if use.words.peek == "from":
        use.words.take("from")
        while use.words and (network := _network(use.words.peek)) is not None:
            use.words.take("a network")
            networks.append(network)
        if not networks:
            word = use.words.take("a network")
            raise RefusedError(
                BAD_VALUE, f"`{word.text}` is not a network", word.span, expected="ADDRESS/LENGTH"
            )
    return replace(use.settings, accept_proxy=True, accept_proxy_from=tuple(networks))


def _network(text: str | None) -> str | None:
    try:
        return None if text is None else str(parse_network(text))
    except BadValueError:
        return None


def _mode(use: OptionUse[BindSettings]) -> BindSettings:
    word = use.words.take("permission bits in octal")
    if not re.fullmatch(r"[0-7]{1,4}", word.text):
        raise RefusedError(
            BAD_VALUE, f"`{word.text}` are no permission bits", word.span, expected="octal digits, as 660"
        )
    return replace(use.settings, mode=int(word.text, 8))


def _user(use: OptionUse[BindSettings]) -> BindSettings:
    word = use.words.take("a user name")
    uid = use.reading.world.user_id(word.text)
    if uid is None:
        raise RefusedError(BAD_VALUE, f"there is no user `{word.text}`", word.span)
    return replace(use.settings, uid=uid)


def _group(use: OptionUse[BindSettings]) -> BindSettings:
    word = use.words.take("a group name")
    gid = use.reading.world.group_id(word.text)
    if gid is None:
        raise RefusedError(BAD_VALUE, f"there is no group `{word.text}`", word.span)
    return replace(use.settings, gid=gid)


def _level(use: OptionUse[BindSettings]) -> BindSettings:
    return replace(use.settings, level=choice(use.words, ("user", "operator", "admin"), "a level"))


def _proto(use: OptionUse[BindSettings]) -> BindSettings:
    return replace(use.settings, h2=choice(use.words, ("h1", "h2"), "a protocol") == "h2")


def _shards(use: OptionUse[BindSettings]) -> BindSettings:
    if use.words.peek in ("by-thread", "by-group"):
        kind = use.words.take("a number").text
        return replace(use.settings, shards=0 if kind == "by-thread" else 1)
    return replace(use.settings, shards=integer(use.words, 1, _MOST_THREADS, "a number or by-thread"))


def _thread(use: OptionUse[BindSettings]) -> BindSettings:
    word = use.words.take("a set of threads")
    threads = set(use.settings.threads) | thread_set(word)
    return replace(use.settings, threads=tuple(sorted(threads)))


def thread_set(word: Word) -> set[int]:
    """Return the threads, counted from 0, that `all`, `odd`, `even`, `N`, `N-M` and their lists name."""
    _, _, text = word.text.rpartition("/")
    if text == "all":
        return set()
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4})?)?", part)
        if part in ("odd", "even"):
            found |= set(range(part == "even", 64, 2))
        elif match and 0 < int(match[1]) <= _MOST_THREADS:
            last = int(match[2] or (64 if part.endswith("-") else match[1]))
            if last < int(match[1]):
                raise RefusedError(OUT_OF_RANGE, f"the range `{part}` is empty", word.span)
            found |= set(range(int(match[1]) - 1, last))
        else:
            raise RefusedError(
                BAD_VALUE,
                f"`{word.text}` is not a set of threads",
                word.span,
                expected="all, odd, even, N or N-M, counted from 1",
            )
    return found


def _namespace(use: OptionUse[BindSettings]) -> BindSettings:
    return replace(use.settings, namespace=namespace(use.words, use.reading.world))


_ROWS: tuple[Option[BindSettings], ...] = (
    Option(
        "accept-proxy",
        "[from <network> ...]",
        "Connections begin with a PROXY protocol header, versions 1 and 2",
        _accept_proxy,
    ),
    Option("backlog", "<backlog>", "Length of the kernel's queue of connections", _number("backlog")),
    congestion(),
    Option("defer-accept", "", "Take a connection only once data came with it", _flag(defer_accept=True)),
    Option(
        "expose-fd",
        "listeners",
        "Pass listening sockets to a new process",
        _ignored("`listeners`"),
        inert="a new configuration is applied inside the running process, no socket changes hands",
    ),
    Option("gid", "<gid>", "Group of a unix socket, by number", _number("gid")),
    Option("group", "<group>", "Group of a unix socket, by name", _group),
    Option(
        "guid-prefix",
        "<prefix>",
        "What the listeners are told from all else by, behind it a number",
        lambda use: replace(use.settings, guid=guid(use.words)),
    ),
    Option("id", "<id>", "Number in statistics", _number("id", 1)),
    Option(
        "interface", "<interface>", "Take connections from one device only", _text("interface", "a device")
    ),
    Option("label", "<label>", "A mark of the sockets", _ignored("a label"), inert="nothing asks for it"),
    Option("level", "{ user | operator | admin }", "What commands of a stats socket may do", _level),
    Option("maxconn", "<maxconn>", "Most connections of the line", _number("maxconn")),
    Option("mode", "<mode>", "Permission bits of a unix socket", _mode),
    Option("mss", "<maxseg>", "Largest TCP segment announced", _number("mss", -65535, 65535)),
    Option("name", "<name>", "Name in statistics and logs", _text("name", "a name")),
    Option("namespace", "<name> [optional]", "Listen in a network namespace", _namespace),
    Option(
        "nice",
        "<nice>",
        "Priority of the connections",
        _ignored("a number"),
        inert="every connection of a worker is served in turn",
    ),
    refused("process", "<set>", "no longer exists in HAProxy", "`thread` says which threads serve a line"),
    Option("proto", "{ h1 | h2 }", "What clients speak, whatever they offer", _proto),
    Option("shards", "{ <number> | by-thread }", "How many sockets share the address", _shards),
    Option("tcp-ut", "<delay>", "How long sent data may stay unacknowledged", lambda use: _tcp_ut(use)),
    Option("tfo", "", "Accept data in the first packet (TCP Fast Open)", _flag(tfo=True)),
    Option("thread", "[<group>/]<set>", "Threads that serve the line", _thread),
    Option("transparent", "", "Take connections to any address routed here", _flag(transparent=True)),
    Option("uid", "<uid>", "Owner of a unix socket, by number", _number("uid")),
    Option("user", "<user>", "Owner of a unix socket, by name", _user),
    Option("v4v6", "", "Take IPv4 connections on an IPv6 address too", _flag(v6only=False)),
    Option("v6only", "", "Take no IPv4 connections on an IPv6 address", _flag(v6only=True)),
)


def _tcp_ut(use: OptionUse[BindSettings]) -> BindSettings:
    return replace(use.settings, tcp_user_timeout=time(use.words))


BIND_OPTIONS = OptionTable(
    "bind", "bind", UNKNOWN_BIND_OPTION, options(*_ROWS, *lifted(TLS_BIND, "tls", "ssl"))
)
"""Everything that may stand behind the addresses of a bind line."""


def read_binds(
    words: Words, settings: BindSettings, reading: Reading, context: Context, line: Span
) -> tuple[Bind, ...]:
    """Read addresses and the options behind them."""
    word = words.take("an address")
    addresses = listen_addresses(word, reading.world)
    settings = BIND_OPTIONS.read(words, settings, reading, context)
    if settings.id and len(addresses) > 1:
        raise RefusedError(DUPLICATE_ID, "`id` can only be given to a single address", word.span)
    if settings.accept_proxy and not settings.accept_proxy_from and any(map(_is_inet, addresses)):
        reading.diagnostics.warning(
            OPEN_ACCEPT_PROXY,
            "anyone who can connect here can claim any source address and any listed namespace",
            word.span,
            hint="name the proxies in front: `accept-proxy from 10.0.0.0/8`",
        )
    return tuple(Bind(address, settings, line) for address in addresses)


def _is_inet(address: Listen) -> bool:
    """Whether strangers may reach an address; unix sockets have permissions instead."""
    return isinstance(address, Inet)


def _bind(use: Use[ProxyDraft]) -> None:
    draft = use.draft
    binds = read_binds(use.words, draft.settings.default_bind, use.reading, draft.context, use.line.span)
    used = {bind.settings.id: bind for bind in draft.binds if bind.settings.id}
    other = used.get(binds[0].settings.id)
    if other is not None:
        raise RefusedError(
            DUPLICATE_ID, f"id {other.settings.id} is already used at {place(other.span)}", use.line.span
        )
    draft.binds += binds


def _default_bind(use: Use[ProxyDraft]) -> None:
    draft = use.draft
    settings = BIND_OPTIONS.read(use.words, draft.settings.default_bind, use.reading, draft.context)
    draft.settings = replace(draft.settings, default_bind=settings)


BIND: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "bind",
        Where.FRONTEND,
        "[<address>]:<port range> [, ...] [<option> ...]",
        "Listen on addresses",
        _bind,
    ),
    Keyword(
        "default-bind",
        Where.DEFAULTS | Where.FRONTEND,
        "<option> [...]",
        "What the bind lines below start with",
        _default_bind,
    ),
)
