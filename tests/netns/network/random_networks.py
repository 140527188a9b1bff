"""Random networks that a kernel must accept: models whose parts fit together, of few names, so that two of
them drawn one after the other have much in common and differ in everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_address, ip_interface, ip_network

from hypothesis import strategies as st

from isthmus.network.model import (
    Bridge,
    Chain,
    End,
    Firewall,
    FirewallRule,
    Link,
    Macvlan,
    Masquerade,
    Namespace,
    Nat,
    Neighbour,
    Network,
    PortForward,
    Ports,
    Route,
    Rule,
    Shaping,
    Veth,
    Vxlan,
)

NAME = "random"
NAMES = ("na", "nb", "nc", "nd")
SETTINGS = ("net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv4.tcp_syn_retries")
"""What random networks set; `net.ipv4.conf.INTERFACE.rp_filter` beside them."""

Draw = Callable[[st.SearchStrategy], object]

_TABLES = st.sampled_from([254, 100, 1000])
_METRICS = st.sampled_from([None, 10, 20])


@dataclass(frozen=True)
class Place:
    """An interface that is up and has addresses: what routes and neighbours may stand on."""

    namespace: str
    name: str
    addresses: tuple

    def own(self, version: int) -> object | None:
        """An address of a wire, None where there is none of that version."""
        nets = (each for each in self.addresses if each.version == version)
        return next((each.ip for each in nets if each.network.num_addresses > 1), None)

    def beside(self, version: int) -> object | None:
        """An address on the same wire that nobody has."""
        own = self.own(version)
        return None if own is None else own + 0x70


@st.composite
def networks(draw: Draw) -> Network:
    """A network named NAME of two to four namespaces beside the host."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    inside = st.sampled_from([*names, "host"])
    bridges = draw(st.lists(inside, max_size=2, unique=True))
    links = [draw(bridge(each, number)) for number, each in enumerate(bridges)]
    links += [draw(pair(inside, bridges, number)) for number in range(draw(st.integers(1, 4)))]
    links += [draw(tunnel(inside, bridges, number)) for number in range(draw(st.integers(0, 1)))]
    links += [draw(macvlan(inside, links, number)) for number in range(draw(st.integers(0, 2)))]
    order = draw(st.permutations(links))
    places = [
        Place(end.namespace, end.name, end.addresses)
        for link in links
        for end in ends(link)
        if end.up and end.addresses
    ]
    spaces = [draw(namespace(each, places)) for each in [*names, "host"]]
    return Network(NAME, tuple(spaces), tuple(order))


def ends(link: Link) -> tuple[End, ...]:
    return (link.end, link.kind.peer) if isinstance(link.kind, Veth) else (link.end,)


@st.composite
def end(draw: Draw, namespace: str, name: str, wire: int, host: int, master: str | None) -> End:
    """An end on a wire; an address of its own for each wire and host."""
    given = [
        f"10.{wire}.0.{host}/24",
        f"10.{wire}.0.{host + 100}/24",
        f"10.{wire}.{host}.1/32",
        f"fd00:{wire}::{host}/64",
        f"fd00:{wire}:1::{host}/128",
    ]
    return End(
        namespace,
        name,
        tuple(ip_interface(each) for each in draw(st.lists(st.sampled_from(given), max_size=3, unique=True))),
        mac=draw(st.sampled_from([None, f"02:00:00:00:{wire:02x}:{host:02x}"])),
        # Below 1280 an interface has no IPv6.
        mtu=draw(st.sampled_from([None, None, 1280, 1400, 9000])),
        up=draw(st.sampled_from([True, True, True, False])),
        master=draw(st.sampled_from([None, master])),
        shaping=draw(st.sampled_from([None, None, Shaping(rate=80_000_000), Shaping(rate=8_000_000)])),
    )


@st.composite
def bridge(draw: Draw, namespace: str, number: int) -> Link:
    near = draw(end(namespace, "bridge", 10 + number, 1, None))
    kind = Bridge(stp=draw(st.booleans()), forward_delay=draw(st.sampled_from([None, 2, 15])))
    # A bridge that is told its MTU keeps it; its ports may have others.
    return Link(replace(near, shaping=None), kind)


@st.composite
def pair(draw: Draw, inside: st.SearchStrategy, bridges: list[str], number: int) -> Link:
    near, far = draw(st.tuples(inside, inside))
    wire = 20 + number
    return Link(
        draw(end(near, f"v{number}a", wire, 1, "bridge" if near in bridges else None)),
        Veth(draw(end(far, f"v{number}b", wire, 2, "bridge" if far in bridges else None))),
    )


@st.composite
def tunnel(draw: Draw, inside: st.SearchStrategy, bridges: list[str], number: int) -> Link:
    where = draw(inside)
    near = draw(end(where, f"x{number}", 40 + number, 1, "bridge" if where in bridges else None))
    far = draw(st.sampled_from([("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")]))
    kind = Vxlan(
        100 + draw(st.integers(0, 1)),
        remote=ip_address(far[0]),
        local=draw(st.sampled_from([None, ip_address(far[1])])),
        port=draw(st.sampled_from([4789, 8472])),
    )
    return Link(replace(near, shaping=None), kind)


@st.composite
def macvlan(draw: Draw, inside: st.SearchStrategy, links: list[Link], number: int) -> Link:
    free = [each for link in links for each in ends(link) if isinstance(link.kind, Veth | Bridge)]
    parent = draw(st.sampled_from([each for each in free if each.master is None] or [None]))
    if parent is None:
        return draw(pair(inside, [], 5 + number))
    name = f"m{number}" if number else draw(st.sampled_from(["m0", "v3a"]))
    taken = {(each.namespace, each.name) for link in links for each in ends(link)}
    where = draw(inside)
    near = draw(end(where, f"m{number}" if (where, name) in taken else name, 50 + number, 1, None))
    kind = Macvlan(parent.namespace, parent.name, draw(st.sampled_from(["bridge", "private", "vepa"])))
    # No larger than its parent's, not up where that is down: the kernel refuses both.
    return Link(replace(near, mtu=None, up=near.up and parent.up, shaping=None), kind)


@st.composite
def namespace(draw: Draw, name: str, places: Iterable[Place]) -> Namespace:
    mine = [each for each in places if each.namespace == name]
    made = name != "host"
    return Namespace(
        name,
        named=draw(st.booleans()) if made else True,
        hostname=draw(st.sampled_from([None, None, "alpha", "beta"])) if made else None,
        loopback_up=draw(st.sampled_from([True, True, False])) if made else True,
        sysctls=draw(settings(mine)),
        routes=draw(routes(mine)),
        rules=draw(rules(mine)),
        neighbours=draw(neighbours(mine)),
        nat=draw(st.none() | nat(mine)),
        firewall=draw(st.none() | firewall()),
    )


@st.composite
def settings(draw: Draw, mine: list[Place]) -> tuple[tuple[str, str], ...]:
    given = [("net.ipv4.ip_forward", "1"), ("net.ipv4.conf.all.rp_filter", "2")]
    given += [("net.ipv4.tcp_syn_retries", str(draw(st.integers(1, 9))))]
    given += [(f"net.ipv4.conf.{each.name}.rp_filter", str(draw(st.integers(0, 2)))) for each in mine[:1]]
    return tuple(draw(st.lists(st.sampled_from(given), max_size=2, unique=True)))


@st.composite
def routes(draw: Draw, mine: list[Place]) -> tuple[Route, ...]:
    drawn = [draw(route(mine)) for _ in range(draw(st.integers(0, 3)))]
    return tuple({(each.to, each.table, each.metric): each for each in drawn}.values())


@st.composite
def route(draw: Draw, mine: list[Place]) -> Route:
    version = draw(st.sampled_from([4, 6]))
    far = ("10.200.0.0/16", "0.0.0.0/0", "10.201.1.1/32") if version == 4 else ("fd99::/32", "::/0")
    to = ip_network(draw(st.sampled_from(far)))
    table, metric = draw(_TABLES), draw(_METRICS)
    standing = [each for each in mine if each.beside(version) is not None]
    if not standing or draw(st.integers(0, 3)) == 0:
        kind = draw(st.sampled_from(["blackhole", "unreachable", "prohibit"]))
        return Route(to, table=table, metric=metric, kind=kind)
    by = draw(st.sampled_from(standing))
    way = draw(st.sampled_from(["via", "via and dev", "dev", "onlink"]))
    return Route(
        to,
        via=None if way == "dev" else by.beside(version),
        device=None if way == "via" else by.name,
        source=draw(st.sampled_from([None, by.own(version)])),
        table=table,
        metric=metric,
        on_link=way == "onlink",
    )


@st.composite
def rules(draw: Draw, mine: list[Place]) -> tuple[Rule, ...]:
    made = []
    for number in range(draw(st.integers(0, 2))):
        family = draw(st.sampled_from([4, 6]))
        sources = ["10.77.0.0/16", "10.78.0.1/32"] if family == 4 else ["fd77::/32"]
        mark = draw(st.sampled_from([None, 0x1, 0xFF]))
        action = draw(st.sampled_from(["lookup", "blackhole", "unreachable", "prohibit"]))
        made.append(
            Rule(
                100 + number,
                family,
                # A rule for every packet decides over gateways too: the kernel then refuses routes.
                source=ip_network(draw(st.sampled_from(sources))),
                mark=mark,
                mask=None if mark is None else draw(st.sampled_from([None, 0xFF])),
                incoming=draw(st.sampled_from([None, "lo", *(each.name for each in mine)])),
                table=draw(_TABLES) if action == "lookup" else None,
                action=action,
            )
        )
    return tuple(made)


@st.composite
def neighbours(draw: Draw, mine: list[Place]) -> tuple[Neighbour, ...]:
    known = [
        Neighbour(address, each.name, f"02:aa:00:00:00:{draw(st.integers(1, 3)):02x}")
        for each in mine
        for address in (each.beside(4), each.beside(6))
        if address is not None
    ]
    return tuple(draw(st.lists(st.sampled_from(known), max_size=2, unique=True))) if known else ()


@st.composite
def nat(draw: Draw, mine: list[Place]) -> Nat:
    links = st.sampled_from([None, *(each.name for each in mine)])
    sources = st.sampled_from([(), (IPv4Network("10.20.0.0/16"),)])
    forwarded = [
        PortForward(Ports("tcp", port, port), ip_address("10.20.0.9"), draw(st.sampled_from([None, 80])))
        for port in draw(st.lists(st.sampled_from([8080, 8081, 8082]), max_size=2, unique=True))
    ]
    return Nat((Masquerade(draw(links), draw(sources)),), tuple(forwarded))


@st.composite
def firewall(draw: Draw) -> Firewall:
    rule = st.builds(
        FirewallRule,
        st.booleans(),
        sources=st.sampled_from([(), (ip_network("10.66.0.0/16"),)]),
        ports=st.sampled_from([(), (Ports("tcp", 443, 443),), (Ports("udp", 5000, 5010),)]),
    )
    chain = st.none() | st.builds(Chain, st.booleans(), st.lists(rule, max_size=2).map(tuple))
    return Firewall(draw(chain), draw(chain), draw(chain), draw(st.booleans()))
