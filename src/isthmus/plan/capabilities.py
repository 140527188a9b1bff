"""Capabilities that lines need and the process lacks, said when the configuration is read.

It is a warning: a configuration may be checked by somebody who is not the one that runs it.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config import Diagnostics, Span
from isthmus.keywords.codes import MISSING_CAPABILITY
from isthmus.keywords.world import World
from isthmus.model.bind import Bind
from isthmus.model.configuration import Configuration
from isthmus.model.server import Server, Source

_ENTER = frozenset({"CAP_SYS_ADMIN"})
_PRETEND = frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"})
"""Either of these is enough for IP_TRANSPARENT."""


def warn_of_capabilities(configuration: Configuration, world: World, diagnostics: Diagnostics) -> None:
    """Collect a warning for each line that needs a capability which the process does not have."""
    held = world.capabilities()
    told: set[tuple[Span, frozenset[str]]] = set()
    for span, what, needed in _needs(configuration):
        if needed & held or (span, needed) in told:
            continue
        told.add((span, needed))
        names = " or ".join(sorted(needed))
        diagnostics.warning(MISSING_CAPABILITY, f"{what} needs {names}, which this process lacks", span)


def _needs(configuration: Configuration) -> Iterator[tuple[Span, str, frozenset[str]]]:
    for bind in configuration.global_.stats_sockets:
        yield from _needs_of_bind(bind)
    for proxy in configuration.proxies:
        for bind in proxy.binds:
            yield from _needs_of_bind(bind)
        if proxy.is_backend:
            yield from _needs_of_source(proxy.settings.source)
        for server in proxy.servers:
            yield from _needs_of_server(server)


def _needs_of_bind(bind: Bind) -> Iterator[tuple[Span, str, frozenset[str]]]:
    if bind.settings.namespace is not None:
        yield bind.span, f"listening in namespace `{bind.settings.namespace.name}`", _ENTER
    if bind.settings.transparent:
        yield bind.span, "`transparent`", _PRETEND


def _needs_of_server(server: Server) -> Iterator[tuple[Span, str, frozenset[str]]]:
    if server.settings.namespace is not None:
        yield server.span, "connecting in another namespace", _ENTER
    yield from _needs_of_source(server.settings.source)


def _needs_of_source(source: Source | None) -> Iterator[tuple[Span, str, frozenset[str]]]:
    if source is not None and source.usesrc is not None:
        yield source.span, "`usesrc`", _PRETEND
