"""TPROXY interception: the nft rules, and the policy routing that brings the packets to the listener.

Linux's Documentation/networking/tproxy.rst: a packet is given to a local socket and marked; a rule
for the mark asks a table in which every address is local. Packets to the namespace's own addresses
are not passing through, and are left alone unless `destination` names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from isthmus.network.filtering.expressions import (
    ACCEPT,
    TCP,
    UDP,
    Expression,
    Expressions,
    address_type,
    between,
    destination_ports,
    family_word,
    links,
    match,
    meta,
)
from isthmus.network.model import Interception, Namespace, Route, Rule
from isthmus.network.objects import Object, RouteObject, RuleObject

PRIORITY = 9000
"""Of the policy rules: behind those that people number by hand, before main (32766)."""


def interception_rules(interceptions: tuple[Interception, ...]) -> list[Expressions]:
    """Return the rules of the prerouting chain: what has a socket already, then what is to get one."""
    marks = {each.mark for each in interceptions}
    # Each mark leads to a table in which all is local: any of them does for an established socket.
    established = [_established(min(marks))] if marks else []
    return [*established, *(rule for each in interceptions for rule in _interceptions(each))]


def interception_objects(namespace: Namespace) -> list[Object]:
    """Return the policy rules and the local routes that go with the marks, per family."""
    found: dict[Object, None] = {}
    for interception in namespace.interceptions:
        for version in _versions(interception):
            rule = Rule(PRIORITY, version, mark=interception.mark, table=interception.table)
            # Written out, as the kernel tells it: otherwise it would be taken for another route.
            to = IPv4Network("0.0.0.0/0") if version == 4 else IPv6Network("::/0")
            route = Route(to, device="lo", table=interception.table, kind="local")
            found[RuleObject(namespace.name, rule)] = None
            found[RouteObject(namespace.name, route)] = None
    return list(found)


def _versions(interception: Interception) -> list[int]:
    versions = {4, 6}
    if interception.address is not None:
        versions &= {interception.address.version}
    for networks in (interception.sources, interception.destinations):
        if networks:
            versions &= {one.version for one in networks}
    return sorted(versions)


def _mark(value: int) -> Expression:
    return {"mangle": {"key": {"meta": {"key": "mark"}}, "value": value}}


def _established(mark: int) -> Expressions:
    return [
        meta("l4proto", {"set": [TCP, UDP]}),
        match({"socket": {"key": "transparent"}}, 1),
        # A listener on the wildcard address is no connection: its port on other hosts is not ours.
        match({"socket": {"key": "wildcard"}}, 0),
        _mark(mark),
        ACCEPT,
    ]


def _interceptions(interception: Interception) -> Iterator[Expressions]:
    ends = (interception.sources, interception.destinations)
    passing = []
    if not interception.destinations:
        passing = [address_type("daddr", ("local", "broadcast", "multicast"), "!=")]
    any_family = interception.address is None and not any(ends)
    for version in [None] if any_family else _versions(interception):
        first = [*links(interception.incoming), *(each for some in between(*ends, version) for each in some)]
        for ports in destination_ports([interception.ports]):
            listener = _listener(interception, version)
            yield [*first, *passing, ports, listener, _mark(interception.mark), ACCEPT]


def _listener(interception: Interception, version: int | None) -> Expression:
    to: Expression = {"port": interception.listener_port}
    if version is not None:
        to["family"] = family_word(version)
    if interception.address is not None:
        to["addr"] = str(interception.address)
    return {"tproxy": to}
