"""A model turned into the objects that it asks the kernel for, in the order in which they are made.

Thinking only. What depends on what is there now (the former values of sysctls, which go into the
ruleset) comes as an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from isthmus.network import tunnels
from isthmus.network.model import (
    HOST,
    OUTSIDE,
    Bridge,
    Device,
    End,
    Ipvlan,
    Link,
    Macvlan,
    Namespace,
    Network,
    Route,
    Veth,
    Vlan,
    Vrf,
    Vxlan,
    Wireguard,
)
from isthmus.network.objects import (
    Address,
    Interface,
    NeighbourObject,
    Object,
    Queue,
    RouteObject,
    RuleObject,
    Setting,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.network.spaces import Space, locate
from isthmus.records import replace

Former = Mapping[str, Mapping[str, str]]
"""For each namespace, what its sysctls were before the network set them."""


def is_owned(namespace: Namespace) -> bool:
    """Say whether a namespace is made by apply and removed by down."""
    return namespace.attach is None and namespace.name not in (HOST, OUTSIDE)


def all_namespaces(network: Network) -> tuple[Namespace, ...]:
    """Return the network's namespaces, with those that need not be named: host and outside."""
    named = {each.name for each in network.namespaces}
    given = tuple(Namespace(name) for name in (HOST, OUTSIDE) if name not in named)
    return (*given, *network.namespaces)


def spaces(network: Network) -> dict[str, Space]:
    """Say where each namespace of a network is found."""
    return {each.name: locate(each, network.name) for each in all_namespaces(network)}


def desired(network: Network) -> State:
    """Return all objects of a network except rulesets and services, which their own parts make."""
    objects = [*_spaces(network), *_interfaces(network), *_within(network)]
    return State(network.name, {each.key: each for each in objects})


def _spaces(network: Network) -> Iterator[Object]:
    for namespace in network.namespaces:
        if is_owned(namespace):
            yield SpaceObject(locate(namespace, network.name), namespace.hostname)
    for namespace in network.namespaces:
        if is_owned(namespace):
            yield Interface(namespace.name, "lo", "loopback", up=namespace.loopback_up)


def _interfaces(network: Network) -> Iterator[Object]:
    for link in _masters_first(network.links):
        yield from _link_interfaces(link)
    for link in network.links:
        for end in ends_of(link):
            for address in end.addresses:
                yield Address(end.namespace, end.name, address)
    for link in network.links:
        for end in ends_of(link):
            if end.shaping is not None:
                yield Queue(end.namespace, end.name, end.shaping)


def ends_of(link: Link) -> tuple[End, ...]:
    """Return the interfaces that a link makes: two of a pair, one of all others."""
    return (link.end, link.kind.peer) if isinstance(link.kind, Veth) else (link.end,)


def _masters_first(links: tuple[Link, ...]) -> list[Link]:
    """Order links so that what a link stands on, or belongs to, is made before it."""
    places = {(end.namespace, end.name): link for link in links for end in ends_of(link)}
    ordered: dict[int, Link] = {}

    def visit(link: Link, depth: int) -> None:
        if id(link) in ordered or depth > len(links):
            return
        for needed in _needs(link):
            below = places.get(needed)
            if below is not None and below is not link:
                visit(below, depth + 1)
        ordered.setdefault(id(link), link)

    for link in links:
        visit(link, 0)
    return list(ordered.values())


def _needs(link: Link) -> Iterator[tuple[str, str]]:
    for end in ends_of(link):
        if end.master is not None:
            yield end.namespace, end.master
    parent = _parent(link)
    if parent is not None:
        yield parent


def _parent(link: Link) -> tuple[str, str] | None:
    match link.kind:
        case Macvlan() | Ipvlan() | Vlan() as kind:
            return kind.parent_namespace, kind.parent
        case Vxlan(parent=str(parent)):
            return link.end.namespace, parent
        case _:
            return None


def _link_interfaces(link: Link) -> Iterator[Interface]:
    end, kind = link.end, link.kind
    if isinstance(kind, Veth):
        near, far = (end.namespace, end.name), (kind.peer.namespace, kind.peer.name)
        yield replace(_interface(end, "veth"), peer=far)
        yield replace(_interface(kind.peer, "veth"), peer=near)
    elif isinstance(kind, Device):
        yield replace(_interface(end, "device"), origin=(kind.origin, kind.original_name))
    else:
        name, settings = _settings(kind)
        made = _interface(end, name)
        # What else the kernel would choose, and can be told to choose again.
        given = made.given | {each for each in ("forward_delay",) if settings.get(each) is not None}
        made = replace(made, settings=tuple(sorted(settings.items())), given=given)
        yield replace(made, parent=_parent(link))


# Made once: a network has a thousand ends, and what they are compared by is these.
_GIVEN = {
    (mac, mtu): frozenset(name for name, is_given in (("mac", mac), ("mtu", mtu)) if is_given)
    for mac in (False, True)
    for mtu in (False, True)
}


def _interface(end: End, kind: str) -> Interface:
    return Interface(
        namespace=end.namespace,
        name=end.name,
        kind=kind,
        mac=end.mac,
        mtu=end.mtu,
        up=end.up,
        master=end.master,
        port=end.port,
        given=_GIVEN[end.mac is not None, end.mtu is not None],
    )


def _settings(kind: object) -> tuple[str, dict[str, Setting]]:
    match kind:
        case Bridge(stp, filtering, delay):
            return "bridge", {"stp": stp, "vlan_filtering": filtering, "forward_delay": delay}
        case Macvlan(mode=mode):
            return "macvlan", {"mode": mode}
        case Ipvlan(mode=mode, flag=flag):
            return "ipvlan", {"mode": mode, "flag": flag}
        case Vlan(identifier=identifier, protocol=protocol):
            return "vlan", {"identifier": identifier, "protocol": protocol}
        case Vxlan(identifier, remote, local, port, _):
            return "vxlan", {
                "identifier": identifier,
                "port": port,
                "remote": str(remote) if remote else None,
                "local": str(local) if local else None,
            }
        case Vrf(table):
            return "vrf", {"table": table}
        case Wireguard():
            return "wireguard", tunnels.wanted_settings(kind)
        case _:
            return "dummy", {}


def _within(network: Network) -> Iterator[Object]:
    for namespace in network.namespaces:
        for name, value in namespace.sysctls:
            yield Sysctl(namespace.name, name, value)
        for neighbour in namespace.neighbours:
            yield NeighbourObject(namespace.name, neighbour)
        for route in namespace.routes:
            yield RouteObject(namespace.name, _completed(route))
        for rule in namespace.rules:
            yield RuleObject(namespace.name, rule)


def _completed(route: Route) -> Route:
    """Write the default route's destination out, as the kernel does."""
    if route.to is not None:
        return route
    version = route.via.version if route.via else 4
    return replace(route, to=ip_network("::/0" if version == 6 else "0.0.0.0/0"))
