"""`option transparent`: who bears no cookie, and whom no rule sends elsewhere, goes where it was going.

What serves them is a server of its own, at the address `*`. The others have no weight: only cookies and
`use-server` lead to them.
"""

from __future__ import annotations

from isthmus.config import Diagnostics, register
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, RefusedError, Sense, Use, Where, place
from isthmus.model.address import Port, Remote
from isthmus.model.balance import Algorithm
from isthmus.model.server import Server, ServerSettings
from isthmus.records import replace

TRANSPARENT = "transparent"
"""The name of the server that leads to the client's own destination."""

BALANCED = register(
    "E0189",
    "`option transparent` beside `balance`",
    "Nothing is balanced with it: clients go where they were going, or where a cookie leads.",
    "option transparent   # and no `balance`, here or in the defaults",
)
_HERE = Where.DEFAULTS | Where.BACKEND


def _read(use: Use[ProxyDraft]) -> None:
    options = replace(use.draft.settings.options, transparent=use.sense is Sense.SET)
    use.draft.settings = replace(use.draft.settings, options=options)


OPTION: tuple[Keyword[ProxyDraft], ...] = (
    Keyword("option transparent", _HERE, "", "Send clients where they were going", _read, negatable=True),
    Keyword("transparent", _HERE, "", "Send clients where they were going (deprecated)", _read),
)


def lead_on(draft: ProxyDraft, diagnostics: Diagnostics) -> None:
    """Give a section the server that leads to the client's own destination, where it is to have one."""
    if not draft.settings.options.transparent or not draft.where & Where.BACKEND:
        return
    balance = draft.settings.balance
    if balance.span is not None:
        message = f"`{draft.name}` is transparent, and balances at {place(balance.span)}"
        RefusedError(BALANCED, message, draft.span, hint="leave one of both out").report(diagnostics)
        return
    if draft.dispatches:
        return
    if TRANSPARENT in draft.server_names:
        message = f"`{draft.name}` has a server `{TRANSPARENT}`, which is what `option transparent` makes"
        RefusedError(BALANCED, message, draft.server_names[TRANSPARENT].span).report(diagnostics)
        return
    unweighed = [replace(each, settings=replace(each.settings, weight=0)) for each in draft.servers]
    here = draft.span
    leading = Server(TRANSPARENT, Remote(None, Port(0, relative=True)), ServerSettings(), here, here)
    # Behind the others, which keep their numbers.
    draft.servers[:] = [*unweighed, leading]
    draft.settings = replace(draft.settings, balance=replace(balance, algorithm=Algorithm.FIRST))
