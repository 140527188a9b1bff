"""`server`, `default-server` and `server-template` lines."""

from __future__ import annotations

import re

from isthmus.config import Word, register
from isthmus.keywords.addresses import server_address
from isthmus.keywords.codes import BAD_VALUE, DUPLICATE_ID, DUPLICATE_SERVER, NO_EFFECT
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.names import check_name
from isthmus.keywords.row import Keyword, RefusedError, Use, Where, place
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.model.address import Remote
from isthmus.model.server import Server, ServerSettings
from isthmus.records import replace

DISPATCH_AND_SERVERS = register(
    "E0188",
    "dispatch beside servers",
    """`dispatch` makes the only server of a section. HAProxy takes both, and `balance` says which counts.""",
    "server one 192.0.2.1:80",
)
_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?\Z")


def _server(use: Use[ProxyDraft]) -> None:
    name = use.words.take("a name and an address")
    _add(use, [name.text], name)


def _dispatch(use: Use[ProxyDraft]) -> None:
    """`dispatch`: the only server of the section, and one without options (deprecated)."""
    draft, spot = use.draft, use.words.take("an address and a port")
    if draft.servers:
        raise _dispatched_twice(draft.servers[0], use)
    address = server_address(spot)
    fixed = isinstance(address, Remote) and address.host is not None and not address.port.relative
    if not fixed:
        raise RefusedError(
            BAD_VALUE,
            f"`{spot.text}` is not where connections can be dispatched to",
            spot.span,
            expected="ADDRESS:PORT; what is more than that is a `server` line",
        )
    draft.add_server(Server(DISPATCH, address, ServerSettings(), use.line.span, spot.span))
    draft.dispatches = True


def _dispatched_twice(other: Server, use: Use[ProxyDraft]) -> RefusedError:
    """One of `dispatch` and servers, where the section has both."""
    message = f"`dispatch` and servers exclude each other, and `{other.name}` stands at {place(other.span)}"
    return RefusedError(DISPATCH_AND_SERVERS, message, use.line.span, hint="write `server` lines only")


def _server_template(use: Use[ProxyDraft]) -> None:
    prefix = use.words.take("a prefix, a number or range, and an address")
    count = use.words.take("a number or range, and an address")
    match = _RANGE.match(count.text)
    first = int(match[1]) if match and match[2] else 1
    last = int(match[2] or match[1]) if match else 0
    if not match or last < first or first < 1:
        raise RefusedError(
            BAD_VALUE,
            f"`{count.text}` is not a number of servers",
            count.span,
            expected="N, or N-M with M not below N",
        )
    _add(use, [f"{prefix.text}{number}" for number in range(first, last + 1)], prefix)


def _add(use: Use[ProxyDraft], names: list[str], where: Word) -> None:
    """Add servers of these names; only the first of a template gets the `id`."""
    draft = use.draft
    if draft.dispatches:
        raise _dispatched_twice(draft.servers[0], use)
    check_name(where, "server")
    spot = use.words.take("an address")
    address = server_address(spot)
    settings = SERVER_OPTIONS.read(use.words, draft.settings.default_server, use.reading, draft.context)
    number = settings.id
    _refuse_twice(names, number, where, draft)
    for offset, name in enumerate(names):
        given = replace(settings, id=0 if offset else number)
        draft.add_server(Server(name, address, given, use.line.span, spot.span))


def _refuse_twice(names: list[str], number: int, where: Word, draft: ProxyDraft) -> None:
    for name in names:
        other = draft.server_names.get(name)
        if other is not None:
            message = f"`{draft.name}` already has a server `{name}` at {place(other.span)}"
            raise RefusedError(DUPLICATE_SERVER, message, where.span)
    other = draft.server_ids.get(number)
    if other is not None:
        message = f"id {number} is already used by server `{other.name}` at {place(other.span)}"
        raise RefusedError(DUPLICATE_ID, message, where.span)


def _default_server(use: Use[ProxyDraft]) -> None:
    draft = use.draft
    settings = SERVER_OPTIONS.read(use.words, draft.settings.default_server, use.reading, draft.context)
    if settings.id:
        use.reading.diagnostics.warning(
            NO_EFFECT, "`id` has no effect: servers have different ids", use.line.span
        )
    draft.settings = replace(draft.settings, default_server=replace(settings, id=0))


DISPATCH = "dispatch"
"""The name of the server that `dispatch` stands for."""

SERVER: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "default-server",
        Where.DEFAULTS | Where.BACKEND,
        "<option> [...]",
        "What the server lines below start with",
        _default_server,
        strict=True,
    ),
    Keyword("dispatch", Where.BACKEND, "<address>:<port>", "The only server (deprecated)", _dispatch),
    Keyword(
        "server",
        Where.BACKEND,
        "<name> <address>[:[port]] [<option> ...]",
        "A server",
        _server,
        strict=True,
    ),
    Keyword(
        "server-template",
        Where.BACKEND,
        "<prefix> { <number> | <range> } <address>[:<port>] [<option> ...]",
        "Several servers with numbered names",
        _server_template,
        strict=True,
    ),
)
