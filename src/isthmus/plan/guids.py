"""What proxies, servers and listeners are told by from all else (`guid`): each belongs to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.config import Diagnostics, Span
from isthmus.keywords.guid import GUID_TWICE
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.built import Owner
from isthmus.plan.names import origin


def guids(
    proxies: Iterable[Proxy], frontends: Iterable[document.Frontend], diagnostics: Diagnostics
) -> dict[Owner, str]:
    """Return the guids by what has them, and collect an error for each that two things have."""
    planned = {each.name: each.binds for each in frontends}
    found: dict[Owner, str] = {}
    first: dict[str, Span] = {}
    for proxy in proxies:
        for owners, guid, span in _of(proxy, planned.get(proxy.name, ())):
            if guid in first:
                message = f"guid `{guid}` belongs to what stands at {origin(first[guid])} already"
                diagnostics.alert(GUID_TWICE, message, span)
            first.setdefault(guid, span)
            found |= dict.fromkeys(owners, guid)
    return found


def _of(proxy: Proxy, binds: tuple[document.Bind, ...]) -> Iterator[tuple[list[Owner], str, Span]]:
    """Give each guid of a section, what has it, and where it is said."""
    if proxy.guid is not None:
        # A listen section is one proxy, whose two sides are shown.
        sides = [("F", proxy.is_frontend), ("B", proxy.is_backend)]
        yield [(side, proxy.name, "") for side, has in sides if has], proxy.guid, proxy.span
    line, number = 0, 0
    for bind, planned in zip(proxy.binds, binds, strict=False):
        number = number + 1 if bind.span.line == line else 0
        line = bind.span.line
        if bind.settings.guid is not None:
            yield [("L", proxy.name, str(planned.id))], f"{bind.settings.guid}-{number}", bind.span
    for server in proxy.servers:
        if server.settings.guid is not None:
            yield [("S", proxy.name, server.name)], server.settings.guid, server.span
