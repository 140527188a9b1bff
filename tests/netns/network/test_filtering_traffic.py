"""Real traffic through a gate: red (10.1.0.2, fd01::2) - gate - blue (10.2.0.2, fd02::2)."""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import ip_address, ip_network

import pytest

from isthmus.network.model import (
    Chain,
    Firewall,
    FirewallRule,
    Interception,
    Masquerade,
    Namespace,
    Nat,
    PortForward,
    Ports,
)

from ..ground import find
from ..wire import Origin, ask, dial, family_of, greeting, line
from . import filtered

RED = {4: "10.1.0.2", 6: "fd01::2"}
BLUE = {4: "10.2.0.2", 6: "fd02::2"}
GATE_INSIDE = {4: "10.1.0.1", 6: "fd01::1"}
GATE_OUTSIDE = {4: "10.2.0.1", 6: "fd02::1"}
RED_NETWORK = {4: ip_network("10.1.0.0/24"), 6: ip_network("fd01::/64")}
CONNECTED = (*RED_NETWORK.values(), ip_network("10.2.0.0/24"), ip_network("fd02::/64"))
TCP_80, UDP_53 = Ports("tcp", 80, 80), Ports("udp", 53, 53)

# How long a packet that is dropped is waited for: it crosses two wires of this machine or none.
PATIENCE = 0.5

IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
IP_RECVORIGDSTADDR = 20

both_families = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])


@pytest.fixture
def gate(ground):
    if not find("nft"):
        pytest.skip("no nft (Debian package: nftables)")
    made, red, blue = ground.add("gate"), ground.add("red"), ground.add("blue")
    ground.link_pair(made, red, "inside", "10.1.0")
    ground.link_pair(made, blue, "outside", "10.2.0")
    for namespace, device, address in (
        (made, "inside", "fd01::1/64"),
        (red, "inside", "fd01::2/64"),
        (made, "outside", "fd02::1/64"),
        (blue, "outside", "fd02::2/64"),
    ):
        namespace.address(address, device)
    for family, setting in GATE_INSIDE.items():
        red.run("ip", f"-{family}", "route", "add", "default", "via", setting)
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        made.run("sh", "-c", f"echo 1 > /proc/sys/net/{setting}")
    return made


def routed_back(ground) -> None:
    """Blue knows the way to red: nothing has to be masqueraded."""
    for version, address in GATE_OUTSIDE.items():
        words = ("route", "add", str(RED_NETWORK[version]), "via", address)
        ground.named("blue").run("ip", f"-{version}", *words)


def is_dropped(namespace, host: str, port: int) -> bool:
    with namespace.socket(family_of(host)) as client:
        client.settimeout(PATIENCE)
        try:
            client.connect((host, port))
        except TimeoutError:
            return True
        return False


def seen(namespace, host: str, port: int) -> list[str]:
    """Who the origin is, who it saw, and which of its addresses was reached."""
    name, peer, _, own, own_port = greeting(namespace, host, port).split()
    return [name, peer, own, own_port]


# An echo request in a process of its own: raw sockets take a protocol, which the ground's have not.
PING = """
import os, socket, struct, sys
host, version, patience = sys.argv[1], sys.argv[2], float(sys.argv[3])
family, protocol, request, answer = (
    (socket.AF_INET, socket.IPPROTO_ICMP, 8, 0) if version == "4" else
    (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129)
)
with socket.socket(family, socket.SOCK_RAW, protocol) as end:
    end.settimeout(patience)
    end.connect((host, 0))
    # Another identifier each time, or conntrack takes it for the ping before. Only two words are not 0.
    name = os.getpid() & 0x7FFF
    end.send(struct.pack("!BBHHH", request, 0, 0xFFFF - (request << 8) - name, name, 0))
    try:
        while True:
            got = end.recv(99)
            if got[20 if version == "4" else 0] == answer:
                print("answered")
                break
    except TimeoutError:
        print("silence")
"""


def pings(namespace, host: str) -> bool:
    version = "6" if ":" in host else "4"
    words = (sys.executable, "-c", PING, host, version, str(PATIENCE))
    return namespace.run(*words).strip() == "answered"


@both_families
def test_masquerading_changes_the_source_that_is_seen(ground, gate, version):
    Origin(ground.named("blue"), BLUE[version], 80)
    filtered.filter_as(gate, Namespace("gate", nat=Nat((Masquerade("outside"),))))
    assert seen(ground.named("red"), BLUE[version], 80)[:2] == ["blue", GATE_OUTSIDE[version]]


@both_families
def test_only_the_sources_that_are_named_are_masqueraded(ground, gate, version):
    routed_back(ground)
    Origin(ground.named("blue"), BLUE[version], 80)
    others = (ip_network("10.9.0.0/16"), ip_network("fd09::/64"))
    filtered.filter_as(gate, Namespace("gate", nat=Nat((Masquerade("outside", others),))))
    assert seen(ground.named("red"), BLUE[version], 80)[1] == RED[version]
    filtered.filter_as(gate, Namespace("gate", nat=Nat((Masquerade("outside", (RED_NETWORK[version],)),))))
    assert seen(ground.named("red"), BLUE[version], 80)[1] == GATE_OUTSIDE[version]


def forwarding(version: int, **more) -> Namespace:
    forward = PortForward(Ports("tcp", 8080, 8081), ip_address(RED[version]), 80, **more)
    return Namespace("gate", nat=Nat(forwards=(forward,)))


@both_families
def test_a_forwarded_port_is_reached_from_outside(ground, gate, version):
    Origin(ground.named("red"), RED[version], 80)
    filtered.filter_as(gate, forwarding(version))
    for port in (8080, 8081):
        assert seen(ground.named("blue"), GATE_OUTSIDE[version], port) == [
            *("red", BLUE[version], RED[version], "80")
        ]


@both_families
def test_a_forwarded_port_is_reached_by_the_namespace_itself(ground, gate, version):
    Origin(ground.named("red"), RED[version], 80)
    filtered.filter_as(gate, forwarding(version))
    assert seen(gate, GATE_OUTSIDE[version], 8080)[:2] == ["red", GATE_INSIDE[version]]


@both_families
def test_a_forwarded_port_is_reached_from_beside_the_target(ground, gate, version):
    Origin(ground.named("red"), RED[version], 80)
    filtered.filter_as(gate, forwarding(version), connected=CONNECTED)
    assert seen(ground.named("red"), GATE_OUTSIDE[version], 8080)[:2] == ["red", GATE_INSIDE[version]]


def test_a_forward_by_one_link_and_address_is_for_nobody_else(ground, gate):
    gate.address("10.2.0.7/24", "outside")
    Origin(ground.named("red"), RED[4], 80)
    filtered.filter_as(gate, forwarding(4, incoming="outside", address=ip_address("10.2.0.7")))
    assert seen(ground.named("blue"), "10.2.0.7", 8080)[0] == "red"
    for client, host in (("blue", GATE_OUTSIDE[4]), ("red", "10.2.0.7"), ("gate", "10.2.0.7")):
        with pytest.raises(ConnectionRefusedError):
            dial(ground.named(client), host, 8080, patient=False)


def test_udp_is_forwarded_to_the_same_port(ground, gate):
    server = ground.named("red").socket(kind=socket.SOCK_DGRAM)
    server.bind((RED[4], 53))
    forward = PortForward(UDP_53, ip_address(RED[4]))
    filtered.filter_as(gate, Namespace("gate", nat=Nat(forwards=(forward,))))
    client = ground.named("blue").socket(kind=socket.SOCK_DGRAM)
    client.sendto(b"?", (GATE_OUTSIDE[4], 53))
    question, asker = server.recvfrom(9)
    server.sendto(b"!", asker)
    assert (question, asker[0]) == (b"?", BLUE[4])
    assert client.recvfrom(9) == (b"!", (GATE_OUTSIDE[4], 53))


def walled(**chains: Chain) -> Namespace:
    return Namespace("gate", firewall=Firewall(**chains))


def allowing(**more) -> Chain:
    return Chain(False, (FirewallRule(True, **more),))


@both_families
def test_input_lets_in_what_is_allowed_and_drops_the_rest(ground, gate, version):
    for port in (80, 81):
        Origin(gate, GATE_INSIDE[version], port)
    red = ground.named("red")
    filtered.filter_as(gate, walled(input=allowing(sources=(RED_NETWORK[version],), ports=(TCP_80,))))
    assert seen(red, GATE_INSIDE[version], 80)[0] == "gate"
    assert is_dropped(red, GATE_INSIDE[version], 81)
    assert is_dropped(ground.named("blue"), GATE_OUTSIDE[version], 80)
    assert seen(gate, GATE_INSIDE[version], 81)[0] == "gate", "what stays on loopback is not filtered"


@both_families
def test_answers_to_what_was_allowed_out_come_in(ground, gate, version):
    Origin(ground.named("blue"), BLUE[version], 80)
    filtered.filter_as(gate, walled(input=Chain(False), output=allowing(ports=(TCP_80,))))
    assert seen(gate, BLUE[version], 80)[0] == "blue"
    assert is_dropped(gate, BLUE[version], 81)


def test_without_state_answers_are_dropped_too(ground, gate):
    Origin(ground.named("blue"), BLUE[4], 80)
    filtered.filter_as(gate, Namespace("gate", firewall=Firewall(input=Chain(False), stateful=False)))
    assert is_dropped(gate, BLUE[4], 80)


@both_families
def test_forward_is_filtered_in_one_direction_and_its_answers_pass(ground, gate, version):
    routed_back(ground)
    red, blue = ground.named("red"), ground.named("blue")
    Origin(blue, BLUE[version], 80)
    Origin(red, RED[version], 80)
    filtered.filter_as(gate, walled(forward=allowing(incoming="inside", outgoing="outside")))
    assert seen(red, BLUE[version], 80)[0] == "blue"
    assert is_dropped(blue, RED[version], 80)


def test_a_denial_stands_before_what_is_open_by_default(ground, gate):
    routed_back(ground)
    red = ground.named("red")
    for port in (80, 81):
        Origin(ground.named("blue"), BLUE[4], port)
    denial = FirewallRule(False, destinations=(ip_network("10.2.0.2/32"),), ports=(TCP_80,))
    filtered.filter_as(gate, walled(forward=Chain(True, (denial,))))
    assert is_dropped(red, BLUE[4], 80)
    assert seen(red, BLUE[4], 81)[0] == "blue"


@both_families
def test_a_connection_lives_on_when_the_firewall_is_changed(ground, gate, version):
    routed_back(ground)
    Origin(ground.named("blue"), BLUE[version], 80)
    filtered.filter_as(gate, walled(forward=allowing(ports=(TCP_80,))))
    with dial(ground.named("red"), BLUE[version], 80) as client:
        line(client)
        filtered.filter_as(gate, walled(forward=Chain(False)))
        assert ask(client, "still there") == "still there"
    assert is_dropped(ground.named("red"), BLUE[version], 80)


@both_families
def test_icmp_is_allowed_by_itself(ground, gate, version):
    red = ground.named("red")
    filtered.filter_as(gate, walled(input=allowing(icmp=True)))
    assert pings(red, GATE_INSIDE[version])
    filtered.filter_as(gate, walled(input=Chain(False)))
    assert not pings(red, GATE_INSIDE[version])


def test_neighbours_of_ipv6_are_found_through_closed_walls(ground, gate):
    filtered.filter_as(gate, walled(input=allowing(ports=(TCP_80,)), output=Chain(False)))
    gate.run("ip", "-6", "neighbour", "flush", "all")
    ground.named("red").run("ip", "-6", "neighbour", "flush", "all")
    Origin(gate, GATE_INSIDE[6], 80)
    assert seen(ground.named("red"), GATE_INSIDE[6], 80)[0] == "gate"


def test_removal_opens_the_walls_again(ground, gate):
    Origin(gate, GATE_INSIDE[4], 80)
    filtered.filter_as(gate, walled(input=Chain(False)))
    assert is_dropped(ground.named("red"), GATE_INSIDE[4], 80)
    assert filtered.apply(gate, None) is None
    assert seen(ground.named("red"), GATE_INSIDE[4], 80)[0] == "gate"


class Transparent:
    """A namespace whose sockets may carry addresses that are not its own."""

    def __init__(self, namespace) -> None:
        self.namespace = namespace
        self.name, self.ground = namespace.name, namespace.ground

    def socket(self, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        made = self.namespace.socket(family, kind)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        else:
            made.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        return made


ANY = {4: "0.0.0.0", 6: "::"}
LOCAL = {4: "127.0.0.1", 6: "::1"}


@both_families
@pytest.mark.parametrize("bound", [ANY, LOCAL], ids=["wildcard", "address"])
def test_what_passes_is_intercepted_with_the_destination_that_was_meant(ground, gate, version, bound):
    Origin(Transparent(gate), bound[version], 3129)
    to = ip_address(LOCAL[version]) if bound is LOCAL else None
    filtered.filter_as(gate, Namespace("gate", interceptions=(Interception(TCP_80, 3129, to),)))
    for host in ("198.51.100.9" if version == 4 else "2001:db8::9", BLUE[version]):
        with dial(ground.named("red"), host, 80) as client:
            name, peer, _, own, port = line(client).split()
            assert (name, peer, own, port) == ("gate", RED[version], host, "80")
            assert ask(client, "ping") == "ping"


def test_only_what_is_asked_for_is_intercepted(ground, gate):
    routed_back(ground)
    red, blue = ground.named("red"), ground.named("blue")
    Origin(Transparent(gate), "0.0.0.0", 80)
    for port in (80, 81):
        Origin(blue, BLUE[4], port)
    Origin(blue, "10.2.0.2", 8080)
    interception = Interception(TCP_80, 80, sources=(ip_network("10.1.0.2/32"),), incoming="inside")
    filtered.filter_as(gate, Namespace("gate", interceptions=(interception,)))
    red.address("10.1.0.3/24", "inside")
    assert seen(red, BLUE[4], 80)[0] == "gate"
    assert seen(red, BLUE[4], 81)[0] == "blue"
    with dial(red, BLUE[4], 80, source="10.1.0.3") as other:
        assert line(other).split()[:2] == ["blue", "10.1.0.3"], (
            "the listener's port is not ours on other hosts"
        )


def test_answers_to_a_connection_under_the_clients_address_reach_the_proxy(ground, gate):
    routed_back(ground)
    Origin(ground.named("blue"), BLUE[4], 80)
    filtered.filter_as(gate, Namespace("gate", interceptions=(Interception(TCP_80, 3129),)))
    outgoing = Transparent(gate).socket(socket.AF_INET)
    outgoing.bind((RED[4], 0))
    outgoing.connect((BLUE[4], 80))
    assert line(outgoing).split()[:2] == ["blue", RED[4]]


def test_udp_is_intercepted_with_the_destination_that_was_meant(ground, gate):
    listener = Transparent(gate).socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_IP, IP_RECVORIGDSTADDR, 1)
    listener.bind(("0.0.0.0", 3153))
    filtered.filter_as(gate, Namespace("gate", interceptions=(Interception(UDP_53, 3153),)))
    client = ground.named("red").socket(kind=socket.SOCK_DGRAM)
    client.sendto(b"?", ("198.51.100.9", 53))
    data, ancillary, _, peer = listener.recvmsg(9, 64)
    assert (data, peer[0]) == (b"?", RED[4])
    ((_, kind, address),) = ancillary
    port, host = struct.unpack_from("!2xH4s", address)
    assert (kind, socket.inet_ntoa(host), port) == (IP_RECVORIGDSTADDR, "198.51.100.9", 53)


def test_the_namespaces_own_port_is_not_intercepted(ground, gate):
    Origin(Transparent(gate), "0.0.0.0", 3129)
    Origin(gate, GATE_INSIDE[4], 80, name="own")
    filtered.filter_as(gate, Namespace("gate", interceptions=(Interception(TCP_80, 3129),)))
    assert seen(ground.named("red"), GATE_INSIDE[4], 80)[0] == "own"
    assert seen(ground.named("red"), "198.51.100.9", 80)[0] == "gate"
