"""Steps in words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from isthmus.network.describing import describe, details_of_change, sign
from isthmus.network.difference import Step
from isthmus.network.model import BridgePort, Neighbour, Route, Rule, Shaping
from isthmus.network.objects import (
    Address,
    Interface,
    NeighbourObject,
    Queue,
    RouteObject,
    RuleObject,
    Ruleset,
    Secret,
    ServiceObject,
    SpaceObject,
    Sysctl,
)
from isthmus.network.spaces import Space

SPACE = Space("red", Path("/run/netns/red"))
VETH = Interface("red", "eth0", "veth", peer=("host", "v0"), mtu=1400)
VXLAN = Interface("red", "x0", "vxlan", (("identifier", 5), ("local", None), ("port", 4789)), up=False)
TUNNEL = Interface("red", "w0", "wireguard", (("listen_port", 51820), ("private_key", Secret("hush"))))
DEFAULT = RouteObject("red", Route(None, via=ip_address("10.0.0.1"), metric=10))
BLACKHOLE = RouteObject("red", Route(ip_network("10.9.0.0/16"), kind="blackhole", table=100))
RULE = RuleObject("red", Rule(100, source=ip_network("10.7.0.0/16"), mark=1, mask=255, table=100))
SERVICE = ServiceObject("web", "red", "one", "running")

MAKINGS = [
    (SpaceObject(SPACE), "namespace red"),
    (SpaceObject(SPACE, "alpha"), "namespace red with host name alpha"),
    (Sysctl("red", "net.ipv4.ip_forward", "1"), "red: net.ipv4.ip_forward = 1"),
    (VETH, "red/eth0 veth, to host/v0, mtu 1400"),
    (VXLAN, "red/x0 vxlan, identifier 5, port 4789, down"),
    (TUNNEL, "red/w0 wireguard, listen-port 51820"),
    (
        replace(VETH, master="br0", port=BridgePort(10, (20, 30))),
        "red/eth0 veth, to host/v0, port of br0, vlan 10 untagged, 20 30 tagged, mtu 1400",
    ),
    (Address("red", "eth0", ip_interface("10.0.0.2/24")), "red/eth0: address 10.0.0.2/24"),
    (DEFAULT, "red: route default via 10.0.0.1 metric 10"),
    (BLACKHOLE, "red: blackhole route 10.9.0.0/16 table 100"),
    (RULE, "red: rule 100 from 10.7.0.0/16 fwmark 0x1/0xff lookup 100"),
    (
        NeighbourObject("red", Neighbour(ip_address("10.0.0.9"), "eth0", "02:00:00:00:00:09")),
        "red/eth0: neighbour 10.0.0.9 at 02:00:00:00:00:09",
    ),
    (Queue("red", "eth0", Shaping(rate=50_000_000)), "red/eth0: shaping rate 50mbit"),
    (
        Queue("red", "eth0", Shaping(rate=1_500, delay=10_000, jitter=1_500, loss=0.5)),
        "red/eth0: shaping rate 1500bit delay 10ms jitter 1500us loss 0.5%",
    ),
    (Ruleset("red", "one\ntwo\n"), "red: nftables rules (2 lines)"),
    (SERVICE, "service web in red"),
]


@pytest.mark.parametrize(("made", "words"), MAKINGS, ids=[words for _, words in MAKINGS])
def test_a_step_is_told_in_one_line_with_its_sign(made, words) -> None:
    assert (sign(Step(None, made)), describe(Step(None, made))) == ("+", words)
    assert (sign(Step(made, None)), describe(Step(made, None))) == ("-", words)


CHANGES = [
    (VETH, replace(VETH, mtu=9000), "red/eth0: mtu 1400 → 9000"),
    (VETH, replace(VETH, master="br0", up=False), "red/eth0: port of nothing → br0, state up → down"),
    (replace(VETH, begun=True), VETH, "red/eth0: finished"),
    (
        replace(VETH, given=frozenset({"mtu"})),
        replace(VETH, mtu=None),
        "red/eth0: mtu 1400 → the kernel's choice",
    ),
    (VETH, replace(VETH, given=frozenset({"mtu"})), "red/eth0: mtu 1400 is the file's now"),
    (
        replace(VETH, kind="device", origin=("host", "v"), mac="02:00:00:00:00:01", given=frozenset({"mac"})),
        replace(VETH, kind="device", origin=("host", "v")),
        "red/eth0: address 02:00:00:00:00:01 → what it was before",
    ),
    (
        TUNNEL,
        replace(TUNNEL, settings=(("listen_port", 51820), ("private_key", Secret("psst")))),
        "red/w0: private-key changed",
    ),
    (
        SpaceObject(SPACE),
        SpaceObject(SPACE, "alpha"),
        "namespace red: host name not its own → alpha",
    ),
    (Sysctl("red", "net.a", "0"), Sysctl("red", "net.a", "1"), "red: net.a: = 0 → = 1"),
    (
        Queue("red", "eth0", Shaping(rate=1_000)),
        Queue("red", "eth0", Shaping(rate=2_000_000_000)),
        "red/eth0: shaping: rate 1kbit → rate 2gbit",
    ),
    (SERVICE, replace(SERVICE, fingerprint="two"), "service web: restarted with its new definition"),
    (replace(SERVICE, state="failed"), SERVICE, "service web: started again"),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES, ids=[each[2] for each in CHANGES])
def test_a_change_is_told_as_before_and_after(old, new, words) -> None:
    assert (sign(Step(old, new)), describe(Step(old, new))) == ("~", words)


def test_the_lines_of_rules_that_differ_are_told_and_no_others() -> None:
    step = Step(Ruleset("red", "same\nold\n"), Ruleset("red", "same\nnew\n"))
    assert describe(step) == "red: nftables rules: changed"
    assert details_of_change(step) == ("- old", "+ new")
    assert details_of_change(Step(None, VETH)) == ()


def test_all_lines_of_new_rules_are_told_in_nfts_words() -> None:
    rule = '{"add":{"rule":{"chain":"input","expr":[{"drop":null}]}}}'
    assert details_of_change(Step(None, Ruleset("red", rule))) == ("+ input: drop",)
