"""Networks made, changed, made again and taken down, seen from the kernel."""

import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from unittest import mock

import pytest

from isthmus.network import building, operating, spacemaking
from isthmus.network import machine as network_machine
from isthmus.network.applying import ApplyError
from isthmus.network.desired import spaces
from isthmus.network.difference import Step, satisfies
from isthmus.network.machine import machine
from isthmus.network.model import (
    AttachedPath,
    Bridge,
    BridgePort,
    End,
    Interception,
    Link,
    Macvlan,
    Masquerade,
    Namespace,
    Nat,
    Neighbour,
    Network,
    Ports,
    Route,
    Rule,
    Shaping,
    Veth,
)
from isthmus.network.netlink.channel import Channel
from isthmus.network.objects import Interface, SpaceObject

from .world import in_world, snapshot

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
WAYS = pytest.mark.parametrize("rootless", [False, True], ids=["as-root", "rootless"])


def pair_network() -> Network:
    """Two namespaces behind a bridge of the host, with something of each kind."""
    red = Namespace(
        "red",
        hostname="alpha",
        sysctls=(("net.ipv4.ip_forward", "1"),),
        routes=(
            Route(None, via=ip_address("10.5.0.1")),
            Route(ip_network("10.9.0.0/16"), kind="blackhole", table=100),
        ),
        rules=(Rule(100, source=ip_network("10.7.0.0/16"), table=100),),
        neighbours=(Neighbour(ip_address("10.5.0.99"), "eth0", "02:00:00:00:00:99"),),
    )
    blue = Namespace("blue", named=False, loopback_up=False)
    host = Namespace(
        "host",
        sysctls=(("net.ipv4.ip_forward", "1"),),
        nat=Nat(masquerades=(Masquerade(sources=(ip_network("10.5.0.0/24"),)),)),
    )
    links = (
        Link(
            End("host", "p-red", master="br0", mtu=1400),
            Veth(
                End(
                    "red",
                    "eth0",
                    (ip_interface("10.5.0.2/24"), ip_interface("fd05::2/64")),
                    mac="02:00:00:00:00:02",
                    shaping=Shaping(rate=100_000_000),
                )
            ),
        ),
        Link(End("host", "p-blue", master="br0"), Veth(End("blue", "eth0", (ip_interface("10.5.0.3/24"),)))),
        Link(End("host", "br0", (ip_interface("10.5.0.1/24"),)), Bridge()),
    )
    return Network("pair", (host, red, blue), links)


def apply(network: Network) -> int:
    """Apply a network and return how many changes the kernel was asked for."""
    before = Channel.writes
    with machine(spaces(network).values()) as opened:
        building.build(network, building.compare(network, opened), opened, lambda _: None)
    return Channel.writes - before


def steps(network: Network) -> tuple[Step, ...]:
    with machine(spaces(network).values()) as opened:
        return building.compare(network, opened).steps


def down(network: Network) -> None:
    with machine(spaces(network).values()) as opened:
        assert building.dismantle(network, opened, lambda _: None) == []


def ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


@WAYS
def test_what_was_applied_is_there_and_applying_again_writes_nothing(rootless: bool) -> None:
    @in_world(rootless=rootless)
    def test() -> None:
        network = pair_network()
        assert apply(network) > 10
        assert apply(network) == 0
        assert "red" in ip("netns")
        assert "blue" not in ip("netns")
        assert "10.5.0.2/24" in ip("-n", "red", "addr")
        assert "via 10.5.0.1" in ip("-n", "red", "route")
        assert "lookup 100" in ip("-n", "red", "rule")
        assert "02:00:00:00:00:99 PERMANENT" in ip("-n", "red", "neigh")
        assert "mtu 1400" in ip("link", "show", "p-red")
        assert "tbf" in ip("-n", "red", "link", "show", "eth0")

    test()


@WAYS
def test_interception_is_kept_as_it_was_applied(rootless: bool) -> None:
    @in_world(rootless=rootless)
    def test() -> None:
        ports = Ports("tcp", 80, 80)
        gate = Namespace("gate", interceptions=(Interception(ports, 3129),))
        network = Network("caught", (gate,), ())
        assert apply(network) > 4
        assert apply(network) == 0
        assert "local default dev lo" in ip("-n", "gate", "route", "show", "table", "100")

    test()


@in_world()
def test_an_interface_may_have_the_name_of_its_parent_elsewhere() -> None:
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "other")
    before = snapshot()
    links = [Link(End(name, "eth0"), Macvlan("host", "eth0")) for name in ("red", "blue")]
    network = Network("same", (Namespace("red"), Namespace("blue")), tuple(links))
    assert apply(network) > 0
    assert apply(network) == 0
    assert "macvlan" in ip("-n", "red", "-d", "link", "show", "eth0")
    down(network)
    assert snapshot() == before


@WAYS
def test_down_leaves_the_machine_as_it_was(rootless: bool) -> None:
    @in_world(rootless=rootless)
    def test() -> None:
        before = snapshot()
        forward = FORWARD.read_text()
        apply(pair_network())
        assert FORWARD.read_text() == "1\n"
        down(pair_network())
        assert snapshot() == before
        assert FORWARD.read_text() == forward
        down(pair_network())

    test()


@in_world()
def test_a_network_of_more_namespaces_than_may_be_open_at_once_is_made_and_removed() -> None:
    names = [f"t{number}" for number in range(20)]
    links = [
        Link(End(name, "eth0", (ip_interface(f"10.6.0.{number + 2}/24"),)), Veth(End("host", f"v-{name}")))
        for number, name in enumerate(names)
    ]
    network = Network("many", tuple(Namespace(name) for name in names), tuple(links))
    before = snapshot()
    with mock.patch.object(network_machine, "_descriptors_allowed", return_value=4 * 6):
        apply(network)
        assert steps(network) == ()
        down(network)
    assert snapshot() == before


class InjectedError(OSError):
    """A failure that the test makes."""


@WAYS
def test_a_failure_at_any_step_leaves_the_machine_as_it_was(rootless: bool) -> None:
    @in_world(rootless=rootless)
    def test() -> None:
        network = pair_network()
        before = snapshot()
        total = sum(not isinstance(each.subject, SpaceObject) for each in steps(network))
        assert total > 15
        for number in range(total):
            with (
                mock.patch.object(operating.Operator, "work", failing_work(number)),
                pytest.raises(ApplyError),
            ):
                apply(network)
            assert snapshot() == before, f"step {number} left something"

    test()


@in_world()
def test_a_namespace_that_cannot_be_made_leaves_the_machine_as_it_was() -> None:
    before = snapshot()
    original = spacemaking.make

    def make(wanted: list[SpaceObject], mark: str) -> list[object]:
        return [*original(wanted[:1], mark), OSError(28, "no space")]

    with mock.patch("isthmus.network.applying.make", make), pytest.raises(ApplyError, match="no space"):
        apply(pair_network())
    assert snapshot() == before


def failing_work(number: int):
    """The operator's `work`, except that the step of this number cannot be done."""
    original = operating.Operator.work
    subjects: list[object] = []

    def work(self: operating.Operator, step: Step, phase: int) -> Iterator[operating.Work]:
        if step.new is not None and step.subject not in subjects:
            subjects.append(step.subject)
        if len(subjects) > number and step.new is not None:
            raise InjectedError("injected")
        return original(self, step, phase)

    return work


EXTRA = ip_interface("10.5.0.77/24")
# With another link address the kernel forgets the neighbours, which are put back.
CHANGES = [
    (
        "an address more",
        lambda end: replace(end, addresses=(*end.addresses, ip_interface("10.5.0.77/24"))),
        1,
    ),
    ("an address less", lambda end: replace(end, addresses=end.addresses[:1]), 1),
    ("another MTU", lambda end: replace(end, mtu=1300), 1),
    ("another rate", lambda end: replace(end, shaping=Shaping(rate=50_000_000)), 1),
    ("no shaping", lambda end: replace(end, shaping=None), 1),
    ("another link address", lambda end: replace(end, mac="02:00:00:00:00:12"), 2),
]


@pytest.mark.parametrize(("what", "change", "writes"), CHANGES, ids=[each[0] for each in CHANGES])
def test_a_changed_file_changes_only_what_differs(what, change, writes) -> None:
    @in_world()
    def test() -> None:
        network = pair_network()
        apply(network)
        index = ip("-n", "red", "link", "show", "eth0").split(":")[0]
        link = network.links[0]
        changed = replace(
            network, links=(replace(link, kind=Veth(change(link.kind.peer))), *network.links[1:])
        )
        assert apply(changed) == writes
        assert apply(changed) == 0
        assert ip("-n", "red", "link", "show", "eth0").split(":")[0] == index
        apply(network)
        assert steps(network) == ()

    test()


@in_world()
def test_what_leaves_the_file_leaves_the_machine_and_the_rest_stays() -> None:
    network = pair_network()
    apply(network)
    index = ip("-n", "red", "link", "show", "eth0").split(":")[0]
    smaller = replace(network, namespaces=network.namespaces[:2], links=(network.links[0], network.links[2]))
    apply(smaller)
    assert ip("-n", "red", "link", "show", "eth0").split(":")[0] == index
    assert "p-blue" not in ip("link")
    assert steps(smaller) == ()


@in_world()
def test_a_crash_between_any_two_requests_leaves_nothing_that_down_does_not_find() -> None:
    network = pair_network()
    before = snapshot()
    total = len(steps(network))
    for number in range(0, total, 3):
        child = os.fork()
        if child == 0:
            with mock.patch.object(operating.Operator, "work", crashing_work(number)):
                apply(network)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 9, "the child was to be killed"
        down(network)
        assert snapshot() == before, f"the crash at step {number} left something"


def crashing_work(number: int):
    original = operating.Operator.work
    calls: list[object] = []

    def work(self: operating.Operator, step: Step, phase: int) -> Iterator[operating.Work]:
        calls.append(step)
        if len(calls) > number:
            os.kill(os.getpid(), 9)
        return original(self, step, phase)

    return work


@in_world()
def test_an_interface_of_somebody_else_is_a_conflict_and_is_not_touched() -> None:
    ip("link", "add", "br0", "type", "bridge")
    with machine(spaces(pair_network()).values()) as opened:
        conflicts = building.compare(pair_network(), opened).conflicts
    assert list(conflicts) == [("interface", "host", "br0")]


@in_world()
def test_a_namespace_of_somebody_else_is_a_conflict() -> None:
    ip("netns", "add", "red")
    with machine(spaces(pair_network()).values()) as opened:
        conflicts = building.compare(pair_network(), opened).conflicts
    assert list(conflicts) == [("namespace", "red")]


@in_world()
def test_what_somebody_changed_by_hand_is_put_right() -> None:
    network = pair_network()
    apply(network)
    ip("-n", "red", "addr", "del", "10.5.0.2/24", "dev", "eth0")
    ip("link", "set", "p-blue", "down")
    ip("link", "set", "p-red", "nomaster")
    subprocess.run(["nft", "flush", "table", "inet", "isthmus_pair"], check=True)
    assert len(steps(network)) >= 4
    apply(network)
    assert steps(network) == ()
    assert "via 10.5.0.1" in ip("-n", "red", "route")


@in_world()
def test_a_namespace_deleted_by_hand_is_made_again_with_its_links() -> None:
    network = pair_network()
    apply(network)
    ip("netns", "del", "red")
    apply(network)
    assert steps(network) == ()


@WAYS
def test_a_sysctl_that_leaves_the_file_is_again_what_it_was_when_the_namespace_was_made(
    rootless: bool,
) -> None:
    @in_world(rootless=rootless)
    def test() -> None:
        def network(*settings: tuple[str, str]) -> Network:
            return Network("set", (Namespace("red", sysctls=settings),))

        planned = steps(network(("net.ipv4.ip_forward", "1")))
        said: list[Step | str] = []
        with machine(spaces(network()).values()) as opened:
            wanted = network(("net.ipv4.ip_forward", "1"))
            building.build(wanted, building.compare(wanted, opened), opened, said.append)
        assert said == list(planned), "every step is told beforehand, and done once"
        show = ("netns", "exec", "red", "cat", str(FORWARD))
        assert ip(*show) == "1\n"
        apply(network())
        assert ip(*show) == "0\n"

    test()


def test_a_port_of_vlan_1_untagged_is_as_the_kernel_makes_it() -> None:
    as_made = Interface("switch", "port", "veth", master="br0", peer=("red", "eth0"))
    assert satisfies(as_made, replace(as_made, port=BridgePort(untagged=1)))
    assert not satisfies(as_made, replace(as_made, port=BridgePort(untagged=2)))


@in_world()
def test_interfaces_that_are_changed_are_changed_by_one_batch_of_requests() -> None:
    def network(mtu: int) -> Network:
        links = (Link(End("red", f"a{n}", mtu=mtu), Veth(End("red", f"b{n}", mtu=mtu))) for n in range(10))
        return Network("many", (Namespace("red"),), tuple(links))

    apply(network(1400))
    sizes: list[int] = []
    change = Channel.change

    def counted(self, requests):
        sizes.append(len(requests))
        return change(self, requests)

    with mock.patch.object(Channel, "change", counted):
        apply(network(1300))
    assert sizes == [20]


@in_world()
def test_another_host_name_leaves_a_namespace_open() -> None:
    network = Network("named", (Namespace("red", hostname="alpha"),), ())
    apply(network)
    other = replace(network, namespaces=(Namespace("red", hostname="beta"),))
    with machine(spaces(other).values()) as opened:
        comparison = building.compare(other, opened)
        channel = opened.channel("red")
        building.build(other, comparison, opened, lambda _: None)
        assert opened.channel("red") is channel
        assert opened.spaces["red"].call(socket.gethostname) == "beta"


@in_world()
def test_a_host_name_that_is_undone_goes_also_where_a_crash_left_its_file() -> None:
    network = Network("named", (Namespace("red"),), ())
    apply(network)
    file = Path("/run/isthmus/uts/named/red")
    file.parent.mkdir(parents=True)
    file.touch()
    refused = Route(ip_network("10.9.0.0/16"), via=ip_address("192.0.2.1"))
    named = replace(network, namespaces=(Namespace("red", hostname="alpha", routes=(refused,)),))
    with pytest.raises(ApplyError):
        apply(named)
    assert not file.exists()
    assert steps(network) == ()


def test_a_namespace_that_may_not_be_entered_is_said_to_be_that() -> None:
    outside = os.open("/proc/self/ns/net", os.O_RDONLY)
    path = Path(f"/proc/self/fd/{outside}")

    @in_world(rootless=True)
    def test() -> None:
        network = Network("used", (Namespace("theirs", attach=AttachedPath(path)),), ())
        with machine(spaces(network).values()) as opened:
            absent = building.compare(network, opened).found.absent
        assert absent == {"theirs": f"may not be entered: {path}: Operation not permitted"}

    try:
        test()
    finally:
        os.close(outside)
