"""What making and removing many tenants at once rests on, seen from the kernel."""

import json
import subprocess
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from unittest import mock

import pytest

from isthmus.network import building, operating
from isthmus.network.desired import spaces
from isthmus.network.machine import machine
from isthmus.network.model import Bridge, End, Link, Namespace, Network, Route, Veth
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.mark import group_of
from isthmus.network.netlink.reading import Reading

from .world import in_world, snapshot


def tenants(count: int, **host: object) -> Network:
    """Namespaces behind one bridge of the host."""
    names = [f"t{number}" for number in range(count)]
    ends = [
        Link(
            End("host", f"v-{name}", master="br0"),
            Veth(End(name, "eth0", (ip_interface(f"10.6.0.{number + 2}/24"),))),
        )
        for number, name in enumerate(names)
    ]
    bridge = Link(End("host", "br0", (ip_interface("10.6.0.1/24"),)), Bridge())
    inside = [Namespace(name, routes=(Route(None, via=ip_address("10.6.0.1")),)) for name in names]
    return Network("many", (Namespace("host", **host), *inside), (bridge, *ends))


def apply(network: Network) -> None:
    with machine(spaces(network).values()) as opened:
        building.build(network, building.compare(network, opened), opened, lambda _: None)


def down(network: Network) -> int:
    """Remove a network and return how many changes the kernel was asked for."""
    before = Channel.writes
    with machine(spaces(network).values()) as opened:
        assert building.dismantle(network, opened, lambda _: None) == []
    return Channel.writes - before


def differing(network: Network) -> int:
    with machine(spaces(network).values()) as opened:
        return len(building.compare(network, opened).steps)


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


def is_up(interface: str) -> bool:
    return "UP" in json.loads(ip("-j", "link", "show", interface))[0]["flags"]


@in_world()
def test_a_bridge_comes_up_when_its_ports_are_there_and_everything_is_as_wanted() -> None:
    network = tenants(3)
    raised: list[bool] = []
    original = operating.Operator.work

    def work(self, step, phase):
        raised.append("br0" in ip("link") and is_up("br0"))
        return original(self, step, phase)

    with mock.patch.object(operating.Operator, "work", work):
        apply(network)
    assert not any(raised[:-1]), "it was up before the last step"
    assert is_up("br0")
    assert differing(network) == 0


@in_world()
def test_a_route_over_a_new_bridge_finds_it_up() -> None:
    network = tenants(2, routes=(Route(ip_network("10.9.0.0/16"), via=ip_address("10.6.0.2")),))
    apply(network)
    assert "via 10.6.0.2 dev br0" in ip("route")
    assert differing(network) == 0


@in_world()
def test_a_bridge_that_a_crash_left_down_comes_up_with_the_next_apply() -> None:
    network = tenants(2)
    apply(network)
    ip("link", "set", "br0", "down")
    assert differing(network) == 1
    apply(network)
    assert is_up("br0")


@in_world()
def test_down_asks_the_kernel_as_often_for_many_tenants_as_for_few() -> None:
    asked = []
    before = snapshot()
    for count in (2, 9):
        apply(tenants(count))
        asked.append(down(tenants(count)))
        assert snapshot() == before
    assert asked[0] == asked[1]


@in_world()
def test_bridges_are_found_without_the_kernel_telling_of_their_ports() -> None:
    apply(tenants(3))
    channel = Channel()
    assert set(Reading("host", channel).names.values()) == {"lo", "br0", "v-t0", "v-t1", "v-t2"}
    bridges = Reading("host", channel, bridges_alone=True)
    assert set(bridges.names.values()) == {"br0"}
    (index,) = bridges.bridges_up("many")
    assert bridges.names[index] == "br0"
    ip("link", "set", "br0", "down")
    assert Reading("host", channel, bridges_alone=True).bridges_up("many") == []
    channel.close()


@in_world()
def test_what_a_network_wants_is_worked_out_once_however_often_the_kernel_is_looked_at() -> None:
    with (
        mock.patch.object(building, "wanted_state", wraps=building.wanted_state) as wanted,
        mock.patch.object(building, "observe", wraps=building.observe) as looked,
    ):
        apply(tenants(2))
    assert looked.call_count > 1
    assert wanted.call_count == 1


@in_world()
def test_an_end_that_somebody_put_into_another_group_goes_all_the_same() -> None:
    before = snapshot()
    apply(tenants(3))
    ip("link", "set", "v-t1", "group", "7")
    down(tenants(3))
    assert snapshot() == before


@in_world()
def test_another_networks_interface_in_our_group_stays() -> None:
    ip("link", "add", "theirs", "type", "veth", "peer", "name", "far")
    ip("link", "set", "theirs", "alias", "isthmus:other")
    apply(tenants(3))
    ip("link", "set", "theirs", "group", str(group_of("many")))
    down(tenants(3))
    assert "theirs" in ip("link")
    assert "v-t" not in ip("link")


@in_world()
def test_the_ends_of_a_pair_have_one_queue_each_way_however_many_processors_there_are() -> None:
    apply(tenants(1))
    for words in (("link", "show", "v-t0"), ("-n", "t0", "link", "show", "eth0")):
        told = json.loads(ip("-j", "-d", *words))[0]
        assert (told["num_tx_queues"], told["num_rx_queues"]) == (1, 1)


@pytest.mark.parametrize("missing", ["address", "route", "end"])
def test_what_is_lost_in_a_tenant_later_is_seen_and_put_back(missing: str) -> None:
    @in_world()
    def test() -> None:
        network = tenants(2)
        apply(network)
        words = {
            "address": ("-n", "t1", "addr", "del", "10.6.0.3/24", "dev", "eth0"),
            "route": ("-n", "t1", "route", "del", "default"),
            "end": ("-n", "t1", "link", "del", "eth0"),
        }
        ip(*words[missing])
        assert differing(network) > 0
        apply(network)
        assert differing(network) == 0

    test()


@in_world()
def test_a_tenant_more_leaves_the_bridge_and_the_others_as_they_are() -> None:
    apply(tenants(2))
    index = ip("link", "show", "br0").split(":")[0]
    apply(tenants(3))
    assert ip("link", "show", "br0").split(":")[0] == index
    assert is_up("br0")
    assert differing(tenants(3)) == 0
    smaller = replace(tenants(3), namespaces=tenants(2).namespaces, links=tenants(2).links)
    apply(smaller)
    assert differing(smaller) == 0
    assert "v-t2" not in ip("link")
