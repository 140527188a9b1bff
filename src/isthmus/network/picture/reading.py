"""From a state (what is there, or what is wanted) to what a picture shows of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from isthmus.network.model import HOST, OUTSIDE, Shaping
from isthmus.network.objects import (
    Address,
    Interface,
    Queue,
    RouteObject,
    Ruleset,
    ServiceObject,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.network.picture.shape import Edge, Gateway, Graph, Group, Node, Running, Tie, natural, printable
from isthmus.network.picture.words import (
    detail,
    gateway_words,
    port_words,
    remotes,
    shaping_words,
    sysctl_words,
)
from isthmus.records import replace

_USUAL_MTU = {"loopback": (65536,), "vxlan": (1450, 1500), "wireguard": (1420,), "vrf": (65575, 65536, 1500)}
_LOOPBACK_ADDRESSES = ("127.0.0.1/8", "::1/128")
# What decides whether packets pass, and so what one looks for in a network that does not work.
_TELLING_SYSCTLS = ("forwarding", "ip_forward", "rp_filter", "ip_nonlocal_bind", "disable_ipv6", "proxy_arp")
# A ruleset's text is JSON as nft writes it, one command a line, or nft's own language.
_FILTERS = (
    ("masquerade", re.compile(r"\bmasquerade\b|\bsnat\b")),
    ("port forwarding", re.compile(r"\bdnat\b")),
    ("tproxy", re.compile(r"\btproxy\b")),
    (
        "firewall",
        re.compile(
            r'"hook": ?"(?:input|forward|output)".*"type": ?"filter"|'
            r"type filter hook (?:input|forward|output)"
        ),
    ),
)


def graph(state: State) -> Graph:
    """Return what a picture of the state shows: every namespace, interface and tie, unfolded."""
    parts = _Parts(state)
    interfaces = list(parts.interfaces.values())
    found = {edge for each in interfaces for edge in _edges(each, parts)}
    edges = sorted(found, key=lambda edge: (_pair_order(edge.source), _pair_order(edge.target), edge.tie))
    names = [*parts.names(), *(key[0] for edge in edges for key in (edge.source, edge.target))]
    known = dict.fromkeys(name for name in names if name)
    groups = {name: parts.group(name) for name in sorted(known, key=_reading_order)}
    shown = {node.key for group in groups.values() for node in group.nodes}
    for key in dict.fromkeys(key for edge in edges for key in (edge.source, edge.target)):
        if key[0] and key not in shown:
            groups[key[0]] = _with_unknown(groups[key[0]], key[1])
    return Graph(printable(state.network), tuple(groups.values()), tuple(edges))


def _reading_order(name: str) -> tuple[bool, bool, object]:
    return (name == OUTSIDE, name == HOST, natural(name))


def _with_unknown(group: Group, name: str) -> Group:
    """Add an interface that others point to and that is not the network's own."""
    return replace(group, nodes=(*group.nodes, Node(group.name, name, "device")))


class _Parts:
    """The objects of a state, found by the namespace or the interface that they belong to."""

    def __init__(self, state: State) -> None:
        self.spaces: dict[str, SpaceObject] = {}
        self.interfaces: dict[tuple[str, str], Interface] = {}
        self.addresses: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.queues: dict[tuple[str, str], Shaping] = {}
        self.sysctls: defaultdict[str, list[str]] = defaultdict(list)
        self.filters: dict[str, tuple[str, ...]] = {}
        self.services: defaultdict[str, list[Running]] = defaultdict(list)
        self.gateways: defaultdict[str, list[Gateway]] = defaultdict(list)
        self.others: dict[str, None] = {}
        for each in state.objects.values():
            self._add(each)
        self.standing: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for key in dict.fromkeys((*self.interfaces, *self.addresses, *self.queues)):
            self.standing[key[0]].append(key)

    def _add(self, each: object) -> None:
        match each:
            case SpaceObject():
                self.spaces[printable(each.space.name)] = each
            case Interface():
                self.interfaces[(printable(each.namespace), printable(each.name))] = each
            case Address():
                key = (printable(each.namespace), printable(each.interface))
                self.addresses[key].append(str(each.address))
            case Queue():
                self.queues[(printable(each.namespace), printable(each.interface))] = each.shaping
            case _:
                self._add_to_namespace(each)

    def _add_to_namespace(self, each: object) -> None:
        match each:
            case Sysctl() if each.name.rpartition(".")[2] in _TELLING_SYSCTLS:
                self.sysctls[printable(each.namespace)].append(sysctl_words(each))
            case Ruleset():
                found = tuple(name for name, pattern in _FILTERS if pattern.search(each.text))
                self.filters[printable(each.namespace)] = found
            case ServiceObject():
                running = Running(printable(each.name), printable(each.state))
                self.services[printable(each.namespace)].append(running)
            case RouteObject() if each.route.to is None and each.route.kind == "unicast":
                self.gateways[printable(each.namespace)].append(gateway_words(each))
            case _:
                # Rules, neighbours and other routes have no picture, yet their namespace is there.
                self.others[printable(str(getattr(each, "namespace", "")))] = None

    def names(self) -> Iterator[str]:
        """Every namespace that anything belongs to."""
        yield from self.spaces
        for parts in (self.standing, self.sysctls, self.filters, self.services, self.gateways, self.others):
            yield from parts

    def group(self, name: str) -> Group:
        """Everything in one namespace."""
        space = self.spaces.get(name)
        nodes = [self._node(key) for key in self.standing[name]]
        return Group(
            name=name,
            owned=space is not None,
            hostname=printable(space.hostname) if space and space.hostname is not None else None,
            sysctls=tuple(sorted(self.sysctls[name])),
            filters=self.filters.get(name, ()),
            services=tuple(sorted(self.services[name], key=lambda each: natural(each.name))),
            gateways=tuple(self.gateways[name]),
            nodes=tuple(sorted((node for node in nodes if _worth_showing(node)), key=_node_order)),
        )

    def _node(self, key: tuple[str, str]) -> Node:
        interface = self.interfaces.get(key)
        addresses, shaping = tuple(self.addresses[key]), self.queues.get(key)
        shaped = shaping_words(shaping) if shaping else None
        if interface is None:
            kind = "loopback" if key[1] == "lo" else "device"
            return Node(*key, kind, addresses=addresses, shaping=shaped)
        usual = _USUAL_MTU.get(interface.kind, (1500,))
        origin = interface.origin
        return Node(
            *key,
            kind=printable(interface.kind),
            detail=detail(interface),
            addresses=addresses,
            mac=printable(interface.mac) if interface.mac and interface.kind != "loopback" else None,
            mtu=None if interface.mtu in usual else interface.mtu,
            up=interface.up,
            port=port_words(interface.port) if interface.port else None,
            shaping=shaped,
            origin=printable(f"{origin[0]}/{origin[1]}") if origin else None,
        )


def _worth_showing(node: Node) -> bool:
    """Every loopback is the same, unless it is down or carries something: only then is it news."""
    own = [each for each in node.addresses if each not in _LOOPBACK_ADDRESSES]
    return node.kind != "loopback" or not node.up or bool(own) or node.shaping is not None


def _node_order(node: Node) -> tuple[bool, bool, object]:
    return (node.kind == "loopback", node.kind not in ("bridge", "vrf"), natural(node.name))


def _edges(interface: Interface, parts: _Parts) -> Iterator[Edge]:
    here = (printable(interface.namespace), printable(interface.name))
    if interface.peer is not None:
        there = (printable(interface.peer[0]), printable(interface.peer[1]))
        # Both ends name each other: one edge, whichever end comes first.
        first = here if there not in parts.interfaces else min(here, there, key=_pair_order)
        yield Edge(Tie.PAIR, first, there if first == here else here)
    if interface.parent is not None:
        yield Edge(Tie.PARENT, here, (printable(interface.parent[0]), printable(interface.parent[1])))
    if interface.master is not None:
        yield Edge(Tie.MASTER, here, (here[0], printable(interface.master)))
    for remote in remotes(interface):
        yield Edge(Tie.REMOTE, here, ("", printable(remote)))


def _pair_order(key: tuple[str, str]) -> tuple[object, object]:
    return (_reading_order(key[0]), natural(key[1]))
