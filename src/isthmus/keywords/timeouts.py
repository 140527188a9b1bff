"""The `timeout` lines of proxies."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.changes import changed
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, Use, Where
from isthmus.keywords.values import time
from isthmus.records import replace


def _sets(field: str) -> Callable[[Use[ProxyDraft]], None]:
    def read(use: Use[ProxyDraft]) -> None:
        value = time(use.words)
        # As in HAProxy, 0 is the same as no timeout; `plan` warns where one is missing.
        timeouts = changed(use.draft.settings.timeouts, **{field: value or None})
        use.draft.settings = replace(use.draft.settings, timeouts=timeouts)

    return read


def _row(name: str, field: str, where: Where, about: str) -> Keyword[ProxyDraft]:
    return Keyword(f"timeout {name}", where | Where.DEFAULTS, "<timeout>", about, _sets(field))


TIMEOUTS = (
    _row("check", "check", Where.BACKEND, "Longest wait for a health check behind its connect"),
    _row("client", "client", Where.FRONTEND, "Longest silence of a client"),
    _row(
        "client-fin", "client_fin", Where.FRONTEND, "Longest silence of a client of which one way is closed"
    ),
    _row(
        "client-hs", "client_hs", Where.FRONTEND, "Longest wait for a client's handshake (PROXY header, TLS)"
    ),
    _row("connect", "connect", Where.BACKEND, "Longest wait for a connection to a server"),
    _row(
        "http-keep-alive",
        "http_keep_alive",
        Where.LISTEN,
        "Longest wait for the next request on a connection",
    ),
    _row("http-request", "http_request", Where.LISTEN, "Longest wait for a complete request head"),
    _row("queue", "queue", Where.BACKEND, "Longest wait in a queue for a free slot of a server"),
    _row("server", "server", Where.BACKEND, "Longest silence of a server"),
    _row("server-fin", "server_fin", Where.BACKEND, "Longest silence of a server of which one way is closed"),
    _row("tarpit", "tarpit", Where.LISTEN, "How long a tarpitted request is held"),
    _row("tunnel", "tunnel", Where.BACKEND, "Longest silence of both sides once data went both ways"),
)
