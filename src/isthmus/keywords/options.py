"""The `option` lines of proxies, and the keep-alive counts that go with some of them."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.config.values import TimeUnit
from isthmus.keywords.changes import changed
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, Sense, Use, Where
from isthmus.keywords.values import choice, integer, time
from isthmus.records import replace

_FRONTEND = Where.DEFAULTS | Where.FRONTEND
_BACKEND = Where.DEFAULTS | Where.BACKEND


def _switch(name: str, where: Where, about: str, field: str = "") -> Keyword[ProxyDraft]:
    field = field or name.replace("-", "_")

    def read(use: Use[ProxyDraft]) -> None:
        options = changed(use.draft.settings.options, **{field: use.sense is Sense.SET})
        use.draft.settings = replace(use.draft.settings, options=options)

    return Keyword(f"option {name}", where, "", about, read, negatable=True)


def _inert(name: str, where: Where, about: str, why: str) -> Keyword[ProxyDraft]:
    return Keyword(f"option {name}", where, "", about, lambda _use: None, negatable=True, inert=why)


def _keepalive(
    name: str, where: Where, about: str, *sides: str, negatable: bool = True
) -> Keyword[ProxyDraft]:
    def read(use: Use[ProxyDraft]) -> None:
        for side in sides:
            kept = replace(getattr(use.draft.settings, side), enabled=use.sense is Sense.SET)
            use.draft.settings = changed(use.draft.settings, **{side: kept})

    return Keyword(f"option {name}", where, "", about, read, negatable=negatable)


def _redispatch(use: Use[ProxyDraft]) -> None:
    """`option redispatch [interval]`: no interval is -1, the last retry."""
    interval = integer(use.words, -(2**31), what="an interval") if use.words else -1
    value = interval if use.sense is Sense.SET else 0
    options = replace(use.draft.settings.options, redispatch=value)
    use.draft.settings = replace(use.draft.settings, options=options)


def _netns_unlisted(use: Use[ProxyDraft]) -> None:
    """`option netns-unlisted ignore`: as HAProxy, such a connection stays in the listener's namespace."""
    ignore = choice(use.words, ("ignore", "close"), "what to do") == "ignore"
    options = replace(use.draft.settings.options, netns_unlisted_ignore=ignore)
    use.draft.settings = replace(use.draft.settings, options=options)


OPTIONS: tuple[Keyword[ProxyDraft], ...] = (
    _switch("abortonclose", _BACKEND, "Drop queued requests whose client has gone"),
    _switch("allbackups", _BACKEND, "Use all backup servers together, not the first alone"),
    _keepalive("clitcpka", _FRONTEND, "TCP keep-alive probes to clients", "client_keepalive"),
    _inert("contstats", _FRONTEND, "Count bytes while they flow", "bytes are always counted while they flow"),
    _switch("dontlog-normal", _FRONTEND, "Log only sessions that went wrong"),
    _switch("dontlognull", _FRONTEND, "Do not log connections on which nothing was sent"),
    _switch("independent-streams", Where.PROXY, "Take what a peer is sent for no sign that it is there"),
    _switch("log-health-checks", _BACKEND, "Log every change of a health check's result"),
    _switch("log-separate-errors", _FRONTEND, "Log sessions that went wrong at level err"),
    _switch("logasap", _FRONTEND, "Log as soon as the server is connected"),
    Keyword(
        "option netns-unlisted",
        _FRONTEND,
        "{ ignore | close }",
        "What a PROXY header that names an unlisted namespace does",
        _netns_unlisted,
    ),
    _switch("nolinger", Where.PROXY, "Drop unsent data when a connection is closed"),
    Keyword(
        "option redispatch",
        _BACKEND,
        "[<interval>]",
        "Try another server when one cannot be connected to",
        _redispatch,
        negatable=True,
    ),
    _switch("socket-stats", _FRONTEND, "Count for each bind line by itself"),
    _switch("splice-auto", Where.PROXY, "Forward inside the kernel where it seems to pay"),
    _switch("splice-request", Where.PROXY, "Forward inside the kernel from client to server"),
    _switch("splice-response", Where.PROXY, "Forward inside the kernel from server to client"),
    _keepalive("srvtcpka", _BACKEND, "TCP keep-alive probes to servers", "server_keepalive"),
    Keyword(
        "option tcp-check",
        _BACKEND,
        "",
        "Check servers by TCP: they are up when they can be connected to",
        # What `check` does by itself; HAProxy needs the line only where `tcp-check` lines say more.
        lambda _use: None,
    ),
    _inert(
        "tcp-smart-accept",
        _FRONTEND,
        "Save the acknowledgement of a request by waiting for the response",
        "the kernel's own delayed acknowledgement does this",
    ),
    _inert(
        "tcp-smart-connect",
        _BACKEND,
        "Save the last acknowledgement of the handshake",
        "the first data already carries this acknowledgement where there is any",
    ),
    _keepalive(
        "tcpka",
        Where.PROXY,
        "TCP keep-alive probes on both sides",
        "client_keepalive",
        "server_keepalive",
        negatable=False,
    ),
)


def _count(side: str, field: str) -> Callable[[Use[ProxyDraft]], None]:
    def read(use: Use[ProxyDraft]) -> None:
        value = integer(use.words) if field == "count" else time(use.words, TimeUnit.SECONDS)
        kept = changed(getattr(use.draft.settings, side), **{field: value or None})
        use.draft.settings = changed(use.draft.settings, **{side: kept})

    return read


def _counts(prefix: str, where: Where, side: str, whom: str) -> tuple[Keyword[ProxyDraft], ...]:
    rows = (
        ("cnt", "count", "<count>", f"Unanswered keep-alive probes after which {whom} is given up"),
        ("idle", "idle", "<timeout>", f"Silence of {whom} before the first keep-alive probe (seconds)"),
        ("intvl", "interval", "<timeout>", f"Time between keep-alive probes to {whom} (seconds)"),
    )
    return tuple(
        Keyword(f"{prefix}-{end}", where, syntax, about, _count(side, field))
        for end, field, syntax, about in rows
    )


KEEP_ALIVE = (
    *_counts("clitcpka", _FRONTEND, "client_keepalive", "a client"),
    *_counts("srvtcpka", _BACKEND, "server_keepalive", "a server"),
)
