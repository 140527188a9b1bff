"""The server side of the plan."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.model.balance import Algorithm, Balance
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.frontends import keep_alive, splice
from isthmus.plan.names import byte_string

NEEDS_REQUEST = (Algorithm.URI, Algorithm.URL_PARAM, Algorithm.HEADER)
"""The algorithms that hash a part of an HTTP request."""

_OWN_FILES = 40
"""Descriptors kept for listeners, logs, pollers and the runtime API."""


def algorithm(balance: Balance, mode: str, names: Names) -> document.Algorithm:
    """Return how servers are chosen; parts of requests can be hashed in mode http only."""
    if mode != "http" and balance.algorithm in NEEDS_REQUEST:
        return document.Roundrobin()
    hashed = document.Hash(
        document.HashKind.CONSISTENT if balance.hash.consistent else document.HashKind.MAP_BASED,
        document.HashFunction(balance.hash.function),
        balance.hash.avalanche,
        balance.factor,
    )
    part = balance.part
    match balance.algorithm:
        case Algorithm.ROUNDROBIN:
            return document.Roundrobin()
        case Algorithm.STATIC_RR:
            return document.StaticRr()
        case Algorithm.LEASTCONN:
            return document.Leastconn()
        case Algorithm.FIRST:
            return document.First()
        case Algorithm.RANDOM:
            return document.Random(balance.draws)
        case Algorithm.SOURCE:
            return document.Source(hashed)
        case Algorithm.URI:
            return document.Uri(part.length, part.depth, part.whole, part.flag, hashed)
        case Algorithm.URL_PARAM:
            return document.UrlParam(byte_string(part.name), part.flag, hashed)
        case Algorithm.HEADER:
            return document.Header(part.name, part.flag, hashed)
        case Algorithm.RDP_COOKIE:
            return document.RdpCookie(byte_string(part.name), hashed)
        case Algorithm.HASH if balance.expression is not None:
            return document.HashOf(names.expression(balance.expression), hashed)
    raise TypeError("a hash without an expression")


def automatic_maxconn(open_files: int) -> int:
    """Return how many sessions the descriptors are enough for: two each, and some for the process itself."""
    return max(1, (open_files - _OWN_FILES) // 2)


def fullconn(proxy: Proxy, users: Iterable[Proxy], maxconn: int) -> int:
    """Return the load at which servers reach their `maxconn`.

    Where it is not said, a tenth of what the frontends that may use the backend can bring, rounded up
    (manual `fullconn`); a frontend without a `maxconn` can bring that of the process.
    """
    if proxy.settings.fullconn is not None:
        return proxy.settings.fullconn
    return max(1, -(-sum(each.settings.maxconn or maxconn for each in users) // 10))


def backend_options(proxy: Proxy) -> document.BackendOptions:
    """Return a backend's `option` lines."""
    settings = proxy.settings
    return document.BackendOptions(
        keepalive=keep_alive(settings.server_keepalive),
        nolinger=settings.options.nolinger,
        independent_streams=settings.options.independent_streams,
        splice=splice(settings.options),
        abortonclose=settings.options.abortonclose,
        allbackups=settings.options.allbackups,
    )
