"""A machine parted by security zone, with the firewall outside: VLANs of a trunk, and macvlans."""

from __future__ import annotations

import pytest

from ..machine import Machine
from .proxied import VISITORS, Visitor, has_no, visit

EXAMPLE = "security-zones"
SERVICES = ("bills", "mail", "orders", "store", "web")
HEAR = """
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).makefile().readline(), end="")
except OSError:
    print("no way")
"""
# (from, address, port, answer): what the firewall lets pass, and what it does not.
TRAFFIC = [
    ("dmz", "10.20.0.11", "8080", "orders was asked by 10.10.0.11"),
    ("dmz", "10.20.0.12", "8080", "bills was asked by 10.10.0.11"),
    ("app", "10.30.0.11", "5432", "store was asked by 10.20.0.11"),
    ("app", "10.20.0.12", "8080", "bills was asked by 10.20.0.11"),
    ("dmz", "10.30.0.11", "5432", "no way"),
    ("data", "10.10.0.11", "80", "no way"),
]


@VISITORS
def test_zones_on_macvlans_reach_what_the_firewall_outside_allows(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        walk_through(visitor, "network-macvlan.yaml")


@pytest.mark.skipif(has_no("vlan id 2"), reason="this kernel has no vlan (8021q); tests/vm has one that does")
@VISITORS
def test_zones_on_vlans_reach_what_the_firewall_outside_allows(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        walk_through(visitor, "network.yaml")


@pytest.mark.skipif(not has_no("vlan id 2"), reason="this kernel has vlan")
@VISITORS
def test_without_vlans_in_the_kernel_it_says_so_and_touches_nothing(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        for file in ("outside/network.yaml", "network.yaml"):
            said = visitor.net("apply", file, status=1)
            assert "this kernel has no vlan: load its module 8021q" in said


def walk_through(visitor: Visitor, file: str) -> None:
    visitor.net("apply", f"outside/{file}")
    visitor.made_checked_and_unchanged(file)
    for zone, address, port, answer in TRAFFIC:
        assert visitor.inside(zone, "python3", "-c", HEAR, address, port).strip() == answer
    assert_addresses_are_generated(visitor)
    assert_hooks_ran(visitor)
    visitor.net("down", file)
    assert visitor.inside("host", "ls", "/run/isthmus-zones") == "", "every service is taken out of service"
    visitor.inside("host", "rmdir", "/run/isthmus-zones")
    visitor.net("down", f"outside/{file}")


def assert_addresses_are_generated(visitor: Visitor) -> None:
    """The firewall sees each zone's own MAC: 02, the VLAN, the machine, the index."""
    neighbours = visitor.inside("firewall", "ip", "neigh")
    for vlan in (10, 20, 30):
        assert f"10.{vlan}.0.11 dev zone{vlan} lladdr 02:00:{vlan:02x}:00:07:01" in neighbours


def assert_hooks_ran(visitor: Visitor) -> None:
    """Every service was put into service outside, and its own hooks saw its zone's interface."""
    assert visitor.inside("host", "ls", "/run/isthmus-zones").split() == [
        f"{each}.serves" for each in SERVICES
    ]
    log = visitor.inside("host", "cat", f"/run/isthmus/log/{EXAMPLE}/orders.log")
    said = [line for line in log.splitlines() if " of orders, " in line]
    own = "of orders, eth0 is 02:00:14:00:07:01"
    assert said == [f"initialize {own}", f"pre-start {own}", "post-start of orders, eth0 is elsewhere"]
