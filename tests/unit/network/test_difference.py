"""Which steps lead from one state to another, and in which order."""

from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

from isthmus.network.difference import Step, default_of_setting, difference
from isthmus.network.model import Route
from isthmus.network.objects import Address, Interface, Object, RouteObject, SpaceObject, State, Sysctl
from isthmus.network.spaces import Space

RED = SpaceObject(Space("red", Path("/run/netns/red")))
VETH = Interface("red", "eth0", "veth", peer=("host", "v0"))
PEER = Interface("host", "v0", "veth", peer=("red", "eth0"))
ABOVE = Interface("red", "m0", "macvlan", (("mode", "bridge"),), parent=("red", "eth0"))
ADDRESS = Address("red", "eth0", ip_interface("10.0.0.1/24"))
DEVICE = Interface("red", "eth1", "device", origin=("host", "eth1"))


def state(*objects: Object) -> State:
    return State("net", {each.key: each for each in objects})


def test_children_are_made_after_their_parents_and_removed_before_them() -> None:
    objects = state(ABOVE, PEER, VETH)
    assert difference(objects, state())[-1].new == ABOVE
    assert difference(state(), objects)[0].old == ABOVE


def test_what_the_kernel_removes_by_itself_has_no_step() -> None:
    assert difference(state(), state(RED, VETH, ADDRESS)) == [Step(RED, None)]


def test_a_device_is_moved_back_before_its_namespace_is_removed() -> None:
    assert difference(state(), state(RED, DEVICE)) == [Step(DEVICE, None), Step(RED, None)]


def test_an_interface_that_is_made_again_takes_its_addresses_and_children_along() -> None:
    remade = Interface("red", "eth0", "bridge")
    steps = difference(state(RED, remade, ADDRESS, ABOVE), state(RED, VETH, ADDRESS, ABOVE))
    assert {step.old for step in steps if step.new is None} == {VETH, ABOVE}
    assert [step.new for step in steps if step.new is not None] == [remade, ABOVE, ADDRESS]


def test_a_namespace_that_becomes_unnamed_is_made_again() -> None:
    unnamed = SpaceObject(Space("red", Path("/run/isthmus/net/net/red")))
    assert difference(state(unnamed), state(RED)) == [Step(RED, None), Step(None, unnamed)]


def test_a_setting_of_an_interface_comes_after_it() -> None:
    setting = Sysctl("red", "net.ipv4.conf.eth0.rp_filter", "2")
    assert [step.new for step in difference(state(setting, VETH), state())] == [VETH, setting]
    assert default_of_setting(setting.name) == "net.ipv4.conf.default.rp_filter"
    assert default_of_setting("net.ipv4.ip_forward") is None


def test_a_route_or_address_goes_when_its_successor_is_there() -> None:
    to = ip_network("0.0.0.0/0")
    old = RouteObject("red", Route(to, ip_address("10.0.0.9")))
    new = RouteObject("red", Route(to, ip_address("10.0.0.9"), metric=7))
    wider = Address("red", "eth0", ip_interface("10.0.0.1/16"))
    steps = difference(state(VETH, wider, new), state(VETH, ADDRESS, old))
    assert steps == [Step(None, wider), Step(None, new), Step(old, None), Step(ADDRESS, None)]


def test_an_address_of_ipv6_goes_before_it_comes_again_with_another_prefix() -> None:
    narrow, wide = (Address("red", "eth0", ip_interface(f"fd00::1/{length}")) for length in (64, 48))
    assert difference(state(VETH, wide), state(VETH, narrow)) == [Step(narrow, None), Step(None, wide)]
