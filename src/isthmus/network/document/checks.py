"""Checks on a whole network: names that are referred to exist, and what may not be is refused.

Links have `link_checks`. Nothing is asked of the kernel: what exists in `host` or in a namespace
that is attached is not known here, and taken to be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from isthmus.config import Span
from isthmus.network.document.codes import LOOP, RESERVED, UNKNOWN_NAME
from isthmus.network.document.kinds import Reader
from isthmus.network.document.link_checks import Interfaces, check_links
from isthmus.network.document.loops import find_loops
from isthmus.network.model import HOST, OUTSIDE, Namespace, Network, Service


def check(network: Network, reader: Reader) -> None:
    """Report what is wrong with a network that was read."""
    own = {namespace.name for namespace in network.namespaces}
    places = own | {HOST, OUTSIDE}
    failed = reader.report.failed
    interfaces = check_links(network, own | {HOST}, reader)
    for namespace in network.namespaces:
        if namespace.name == HOST:
            _host(namespace, reader)
        if not failed:
            _devices(namespace, interfaces, reader)
    _services(network.services, places, reader)
    _expectations(network, places, reader)
    if network.proxy and network.proxy.namespace not in places:
        span = reader.at(network.proxy.span, "in")
        reader.report.unknown(UNKNOWN_NAME, "namespace", network.proxy.namespace, span, places)


def _host(namespace: Namespace, reader: Reader) -> None:
    """`host` exists already: what would make it another namespace has no meaning there."""
    refused = {
        "hostname": namespace.hostname is not None,
        "attach": namespace.attach is not None,
        "lo": not namespace.loopback_up,
        "named": not namespace.named,
    }
    for key in (key for key, there in refused.items() if there):
        reader.report.alert(
            RESERVED, f"`{key}` cannot be set for `host`: it exists already", namespace.span or _NOWHERE
        )


_NOWHERE = Span("", 1, 1, 1)


class _Part(Protocol):
    @property
    def span(self) -> Span | None: ...


def _devices(namespace: Namespace, interfaces: Interfaces, reader: Reader) -> None:
    """Interfaces named by routes, rules, neighbours and filters are there."""
    known = interfaces.known(namespace.name)
    if known is None:
        return
    for part, key, name in _named_devices(namespace):
        if name not in known:
            where = f" in `{namespace.name}`"
            reader.report.unknown(UNKNOWN_NAME, "interface", name, reader.at(part.span, key), known, where)


def _named_devices(namespace: Namespace) -> Iterator[tuple[_Part, str, str]]:
    found: list[tuple[_Part, str, str | None]] = []
    found += [(route, "dev", route.device) for route in namespace.routes]
    found += [(neighbour, "dev", neighbour.device) for neighbour in namespace.neighbours]
    for rule in namespace.rules:
        found += [(rule, "iif", rule.incoming), (rule, "oif", rule.outgoing)]
    if namespace.nat:
        found += [(each, "out", each.out) for each in namespace.nat.masquerades]
        found += [(forward, "in", forward.incoming) for forward in namespace.nat.forwards]
    found += [(each, "in", each.incoming) for each in namespace.interceptions]
    wall = namespace.firewall
    for chain in (wall.input, wall.forward, wall.output) if wall else ():
        for line in chain.rules if chain else ():
            found += [(line, "in", line.incoming), (line, "out", line.outgoing)]
    for part, key, name in found:
        if name is not None:
            yield part, key, name


def _services(services: tuple[Service, ...], places: set[str], reader: Reader) -> None:
    names = {service.name for service in services}
    for service in services:
        if service.namespace not in places:
            span = reader.at(service.span, "in")
            reader.report.unknown(UNKNOWN_NAME, "namespace", service.namespace, span, places)
        for need in service.needs:
            if need not in names:
                span = reader.at(service.span, "needs")
                reader.report.unknown(UNKNOWN_NAME, "service", need, span, names)
    graph = {service.name: service.needs for service in services}
    spans = {service.name: reader.at(service.span, "needs") for service in services}
    for loop in find_loops(graph):
        way = " -> ".join((*loop, loop[0]))
        reader.report.alert(LOOP, f"services need each other: {way}", spans[loop[0]])


def _expectations(network: Network, places: Iterable[str], reader: Reader) -> None:
    known = set(places)
    for expectation in network.expectations:
        meaning = expectation.meaning
        for name in dict.fromkeys((meaning.source, meaning.target.name)):
            if name is not None and name not in known:
                span = expectation.span or _NOWHERE
                quoted = span.end - span.column > len(expectation.sentence)
                at = expectation.sentence.find(name) + quoted
                reader.report.unknown(UNKNOWN_NAME, "namespace", name, span.part(at, len(name)), known)
