"""What a picture shows of a state, and what it must not show."""

from __future__ import annotations

import pytest
from drawn_networks import Drawing, pair

from isthmus.network.model import BridgePort, Shaping, WireguardPeer
from isthmus.network.objects import Queue, State
from isthmus.network.picture import Edge, Graph, Group, Node, Tie, as_json, graph, svg, tree


def only(drawing: Drawing) -> tuple[Group, Node]:
    """The one namespace and its one interface."""
    (group,) = graph(drawing.state()).groups
    (node,) = group.nodes
    return group, node


def test_both_ends_of_a_pair_are_one_edge() -> None:
    assert graph(pair()).edges == (Edge(Tie.PAIR, ("blue", "eth0"), ("red", "eth0")),)


def test_a_loopback_is_shown_only_where_it_is_down_or_carries_something() -> None:
    drawing = Drawing("n")
    drawing.interface("up/lo", "loopback", "127.0.0.1/8", "::1/128", mtu=65536)
    drawing.interface("down/lo", "loopback", up=False, mac="00:00:00:00:00:00")
    drawing.interface("anycast/lo", "loopback", "192.0.2.1/32")
    shown = {group.name: group.nodes for group in graph(drawing.state()).groups if group.nodes}
    assert list(shown) == ["anycast", "down"]
    assert shown["down"][0].mac is None, "all have the same, which says nothing"


def test_a_key_of_a_tunnel_is_never_shown() -> None:
    drawing = Drawing("n")
    peer = WireguardPeer("PUBLIC", preshared_key="SHARED")
    drawing.interface("a/wg0", "wireguard", settings=(("peers", (peer,)), ("private-key", "PRIVATE")))
    drawn = graph(drawing.state())
    for text in (as_json(drawn), svg(drawn), tree(drawn)):
        assert "PRIVATE" not in text
        assert "SHARED" not in text


@pytest.mark.parametrize(
    ("kind", "settings", "detail"),
    [
        ("vlan", (("id", 10),), ("10",)),
        ("vlan", (("id", 10), ("protocol", "802.1ad")), ("10 (802.1ad)",)),
        ("vxlan", (("id", 42),), ("42",)),
        ("macvlan", (("mode", "vepa"),), ("vepa",)),
        ("ipvlan", (("flag", "private"), ("mode", "l3")), ("l3", "private")),
        ("bridge", (("stp", True), ("vlan-filtering", True)), ("STP", "VLAN filtering")),
        ("bridge", (("stp", 0), ("vlan_filtering", 0)), ()),
        ("vrf", (("table", 10),), ("table 10",)),
        ("dummy", (), ()),
    ],
)
def test_an_interface_says_how_it_is_what_it_is(kind: str, settings: tuple, detail: tuple[str, ...]) -> None:
    drawing = Drawing("n")
    drawing.interface("a/x", kind, settings=settings)
    assert only(drawing)[1].detail == detail


@pytest.mark.parametrize(
    ("shaping", "words"),
    [
        (Shaping(rate=10_000_000), "10mbit"),
        (Shaping(rate=1_500, delay=10_000, jitter=1_500), "1.5kbit 10ms ±1.5ms"),
        (Shaping(delay=20, loss=0.5), "20us 0.5% loss"),
    ],
)
def test_shaping_is_said_in_the_file_s_units(shaping: Shaping, words: str) -> None:
    drawing = Drawing("n")
    drawing.objects.append(Queue("a", "x", shaping))
    assert only(drawing)[1].shaping == words


@pytest.mark.parametrize(("mtu", "shown"), [(None, None), (1500, None), (9000, 9000)])
def test_only_an_unusual_mtu_is_worth_a_word(mtu: int | None, shown: int | None) -> None:
    drawing = Drawing("n")
    drawing.interface("a/x", "veth", mtu=mtu, port=BridgePort(10, (20, 30)))
    node = only(drawing)[1]
    assert (node.mtu, node.port) == (shown, "untagged 10, tagged 20 30")


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        (
            '{"add":{"chain":{"hook":"input","name":"input","policy":"accept","type":"filter"}}}',
            ("firewall",),
        ),
        ('{"add":{"chain":{"hook":"prerouting","type":"filter"}}}\n{"tproxy":{}}', ("tproxy",)),
        ('{"add":{"chain":{"hook":"output","type":"nat"}}}\n{"dnat":{}}', ("port forwarding",)),
        ('{"masquerade":null}', ("masquerade",)),
        ('{"add":{"chain":{"name":"former"}}}', ()),
    ],
)
def test_what_nftables_does_is_told_by_name(text: str, filters: tuple[str, ...]) -> None:
    drawing = Drawing("n")
    drawing.ruleset("a", text)
    assert graph(drawing.state()).groups[0].filters == filters


def test_only_sysctls_that_decide_what_passes_are_shown() -> None:
    drawing = Drawing("n")
    drawing.sysctl("a", "net.ipv4.ip_forward", "1")
    drawing.sysctl("a", "net.ipv6.conf.all.forwarding", "1")
    drawing.sysctl("a", "net.core.somaxconn", "4096")
    assert graph(drawing.state()).groups[0].sysctls == ("ip_forward=1", "ipv6.conf.all.forwarding=1")


def test_an_interface_that_is_only_pointed_at_is_there_all_the_same() -> None:
    drawing = Drawing("n")
    drawing.interface("a/eth0", "macvlan", parent=("host", "eth0"))
    host = graph(drawing.state()).groups[-1]
    assert (host.name, host.owned, host.nodes) == ("host", False, (Node("host", "eth0", "device"),))


def test_a_state_with_nothing_is_a_graph_with_nothing() -> None:
    drawn = graph(State("empty", {}))
    assert drawn == Graph("empty")
    assert tree(drawn) == "empty  0 namespaces, 0 interfaces\n"
    assert svg(drawn).startswith("<svg ")
