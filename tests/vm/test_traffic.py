"""What the kernel's parts do to packets, built with `ip` and `tc`: the ground that networks stand on."""

from __future__ import annotations

import pytest
from pyroute2 import WireGuard

from .ground import Ground, address, inside, ip, ping, run

SECRETS = ("2CWm/qXB1Ur4TQ1RhBEGcjFSpGqoFVuoGyk9p8fO40w=", "eF7OvRKCap2Zh9O85oCLfuvT7VKyPK8NiJjzH5SHW10=")
PUBLIC = ("qgSd/e9xISxWCs//dJviex7DDHoSZGRWmvWawUzWjBM=", "IJi3fiIBCh7s5Uqu9DdwxrmOnPKemeQyy4vkY943WjE=")


@pytest.fixture
def pair(ground: Ground) -> Ground:
    """Namespaces red and blue with a cable between them, `cable` at both ends, up, without addresses."""
    ground.add("red", "blue")
    ip("-n red link add cable type veth peer name cable netns blue")
    for name in ("red", "blue"):
        ip(f"-n {name} link set cable up")
    return ground


def test_a_vlan_reaches_only_its_own_number(pair: Ground) -> None:
    for name, last in (("red", 1), ("blue", 2)):
        ip(f"-n {name} link add link cable name v10 type vlan id 10")
        address(name, "v10", f"10.0.10.{last}/24")
    ip("-n red link add link cable name odd type vlan id 20")
    ip("-n blue link add link cable name odd type vlan id 30")
    address("red", "odd", "10.0.20.1/24")
    address("blue", "odd", "10.0.20.2/24")
    assert ping("red", "10.0.10.2")
    assert ping("red", "10.0.20.2", wait=1) is None


@pytest.mark.parametrize("mode", ["l2", "l3", "l3s"])
def test_ipvlans_on_one_parent_reach_each_other(ground: Ground, mode: str) -> None:
    ground.add("outer", "red", "blue")
    ip("-n outer link add parent type dummy")
    ip("-n outer link set parent up")
    for last, name in enumerate(("red", "blue"), 1):
        ip(f"-n outer link add link parent name {name} type ipvlan mode {mode}")
        ip(f"-n outer link set {name} netns {name}")
        address(name, name, f"10.0.0.{last}/24")
    assert ping("red", "10.0.0.2")


def test_two_vrfs_keep_overlapping_addresses_apart(ground: Ground) -> None:
    ground.add("router", "red", "blue")
    for table, name in ((10, "red"), (20, "blue")):
        ip(f"-n router link add v{name} type vrf table {table}")
        ip(f"-n router link set v{name} up")
        ip(f"-n router link add {name} type veth peer name eth0 netns {name}")
        ip(f"-n router link set {name} master v{name}")
        address("router", name, "10.0.0.1/24")
        address(name, "eth0", "10.0.0.2/24")
    address("blue", "lo", "10.0.9.9/32")
    ip("-n router route add 10.0.9.9/32 via 10.0.0.2 dev blue table 20")
    assert ping("router", "10.0.0.2", device="vred")
    assert ping("router", "10.0.0.2", device="vblue")
    assert ping("router", "10.0.9.9", device="vblue")
    assert ping("router", "10.0.9.9", device="vred", wait=1) is None


def test_netem_delays_by_what_it_is_told(pair: Ground) -> None:
    address("red", "cable", "10.0.0.1/24")
    address("blue", "cable", "10.0.0.2/24")
    prompt = ping("red", "10.0.0.2")
    run("tc", "-n", "blue", "qdisc", "add", "dev", "cable", "root", "netem", "delay", "100ms")
    delayed = ping("red", "10.0.0.2")
    assert prompt is not None
    assert prompt < 0.1
    assert delayed is not None
    assert 0.1 <= delayed < 0.4


def test_netem_loses_what_it_is_told(pair: Ground) -> None:
    address("red", "cable", "10.0.0.1/24")
    address("blue", "cable", "10.0.0.2/24")
    assert ping("red", "10.0.0.2")
    run("tc", "-n", "blue", "qdisc", "add", "dev", "cable", "root", "netem", "loss", "100%")
    assert ping("red", "10.0.0.2", wait=1) is None


def test_a_wireguard_tunnel_carries_packets(pair: Ground) -> None:
    for mine, name in enumerate(("red", "blue")):
        address(name, "cable", f"192.0.2.{mine + 1}/24")
        ip(f"-n {name} link add wg0 type wireguard")
        address(name, "wg0", f"10.0.0.{mine + 1}/24")
        inside(name, lambda mine=mine: tell_wireguard(mine))
    assert ping("red", "10.0.0.2")


def tell_wireguard(mine: int) -> bool:
    other = 1 - mine
    with WireGuard() as wireguard:
        wireguard.set(
            "wg0",
            private_key=SECRETS[mine],
            listen_port=51820,
            peer={
                "public_key": PUBLIC[other],
                "endpoint_addr": f"192.0.2.{other + 1}",
                "endpoint_port": 51820,
                "allowed_ips": [f"10.0.0.{other + 1}/32"],
            },
        )
    return True


def test_a_network_card_is_moved_and_comes_back(ground: Ground) -> None:
    ground.add("red", "blue")
    ip("link set eth0 netns red")
    ip("link set eth1 netns blue")
    address("red", "eth0", "10.0.0.1/24")
    address("blue", "eth1", "10.0.0.2/24")
    assert ping("red", "10.0.0.2")
    ip("-n red link set eth0 netns 1")
    ip("-n blue link set eth1 netns 1")
    names = ip("-o link")
    assert "eth0" in names
    assert "eth1" in names
