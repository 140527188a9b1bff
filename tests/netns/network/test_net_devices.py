"""Devices moved into a network: they come back as they were, whatever happens meanwhile."""

from __future__ import annotations

import json
import os

from .net_command import done, ip, net, until, write
from .world import in_world, snapshot

DEVICE = """
network: moved
namespaces: {tenant: {}}
links:
  - device: {device: card, in: tenant, name: eth0, addresses: [10.0.0.2/24]}
"""


@in_world()
def test_a_device_is_moved_in_and_comes_back() -> None:
    ip("link", "add", "card", "type", "veth", "peer", "name", "wire")
    before, file = snapshot(), write(DEVICE)
    done("apply", file)
    assert "10.0.0.2/24" in ip("-n", "tenant", "addr", "show", "eth0")
    assert "card" not in ip("link")
    assert done("apply", file) == "moved: nothing to do\n"
    done("down", file)
    assert snapshot() == before
    done("apply", file)
    # By its name alone, and when the line leaves the file.
    write("network: moved\nnamespaces: {tenant: {}}\n")
    done("apply", file)
    assert "card" in ip("link")
    write(DEVICE)
    done("apply", file)
    done("down", "moved")
    assert snapshot() == before


USED = """
network: moved
namespaces: {tenant: {}}
links:
  - device: {device: card, in: tenant, name: eth0, mtu: 1300, mac: "02:00:00:00:00:99", addresses: 10.7.0.9/8}
"""
BAD_SERVICE = """
services: {bad: {in: tenant, command: ["false"], ready: {tcp: 5}}}
"""


def used_card() -> str:
    """A device that somebody uses; return how it is, its addresses and all routes included."""
    ip("link", "add", "card", "type", "veth", "peer", "name", "wire")
    ip("link", "set", "wire", "up")
    ip("link", "set", "card", "mtu", "1400", "address", "02:00:00:00:00:01", "up")
    # As Isthmus sets addresses again where it did not move the device itself.
    ip("address", "add", "10.7.0.1/24", "brd", "+", "dev", "card")
    ip("address", "add", "10.7.0.5/24", "brd", "+", "dev", "card")
    ip("address", "add", "fd07::1/64", "dev", "card", "nodad")
    ip("route", "add", "10.8.0.0/16", "via", "10.7.0.254", "metric", "7")
    ip("route", "add", "default", "dev", "card", "src", "10.7.0.5")
    ip("-6", "route", "add", "fd08::/64", "via", "fd07::5")
    return state_of_card()


def state_of_card() -> str:
    settled = lambda: "tentative" not in ip("-6", "address")  # noqa: E731
    until(settled, "the link-local addresses")
    routes = [ip(family, "route", "show", "table", "all", "dev", "card") for family in ("-4", "-6")]
    return ip("address", "show", "card") + "".join("".join(sorted(each.splitlines(True))) for each in routes)


@in_world()
def test_a_device_comes_back_as_it_was_with_addresses_and_routes() -> None:
    before, file = used_card(), write(USED)
    done("apply", file)
    told = ip("-n", "tenant", "link", "show", "eth0")
    assert "mtu 1300" in told
    assert "02:00:00:00:00:99" in told
    assert done("apply", file) == "moved: nothing to do\n"
    done("down", file)
    assert state_of_card() == before


@in_world()
def test_an_apply_that_fails_leaves_a_device_as_it_was() -> None:
    before = used_card()
    # What no alias holds: another table, a name for an address.
    ip("route", "add", "10.66.0.0/16", "dev", "card", "table", "77")
    ip("address", "add", "10.7.0.7/24", "dev", "card", "label", "card:x")
    before = state_of_card()
    assert net("apply", write(USED + BAD_SERVICE)).returncode == 1
    assert state_of_card() == before


@in_world()
def test_a_device_that_a_crash_left_half_way_back_is_made_as_it_was_by_down() -> None:
    before, file = used_card(), write(USED)
    done("apply", file)
    # As a crash leaves it: moved, with its mark, and nothing else done.
    alias = json.loads(ip("-n", "tenant", "-j", "link", "show", "eth0"))[0]["ifalias"]
    ip("-n", "tenant", "link", "set", "eth0", "netns", str(os.getpid()), "name", "card")
    assert alias.startswith("isthmus:moved from host/card was up 1400")
    assert alias in ip("link", "show", "card")
    done("down", file)
    assert state_of_card() == before
    assert "isthmus" not in ip("link")


@in_world()
def test_a_device_that_cannot_go_back_stays_and_the_one_in_its_place_is_left_alone() -> None:
    before, file = used_card(), write(USED)
    done("apply", file)
    ip("link", "add", "card", "type", "bridge")
    theirs = ip("link", "show", "card")
    result = net("down", file)
    assert result.returncode == 1
    assert "`- namespace tenant`: there is a device in it" in result.stderr
    assert ip("link", "show", "card") == theirs
    assert "eth0" in ip("-n", "tenant", "link")
    ip("link", "delete", "card")
    done("down", file)
    assert state_of_card() == before


PLAIN = """
network: moved
namespaces: {tenant: {}}
links:
  - device: {device: card, in: tenant, name: eth0}
"""
REFUSED_ROUTE = "{tenant: {routes: [{to: 10.99.0.0/16, via: 192.0.2.1}]}}"
"""A route whose gateway the kernel does not know."""


def alias_of(interface: str, *space: str) -> str:
    told: str = json.loads(ip(*space, "-j", "link", "show", interface))[0].get("ifalias", "")
    return told


@in_world()
def test_a_change_that_is_undone_leaves_what_is_known_of_how_a_device_was() -> None:
    before, file = used_card(), write(PLAIN)
    done("apply", file)
    alias = alias_of("eth0", "-n", "tenant")
    changed = PLAIN.replace("name: eth0", "name: eth0, mtu: 1300").replace("{tenant: {}}", REFUSED_ROUTE)
    assert net("apply", write(changed)).returncode == 1
    assert alias_of("eth0", "-n", "tenant") == alias
    done("down", file)
    assert state_of_card() == before


@in_world()
def test_a_device_is_renamed_and_moved_to_another_namespace_by_its_file() -> None:
    before, file = used_card(), write(PLAIN)
    done("apply", file)
    write(PLAIN.replace("eth0", "lan0"))
    done("plan", file)
    done("apply", file)
    assert "lan0" in ip("-n", "tenant", "link")
    write(PLAIN.replace("tenant", "other"))
    done("apply", file)
    assert "eth0" in ip("-n", "other", "link")
    done("down", file)
    assert state_of_card() == before


def card_with_a_route_that_nobody_keeps() -> str:
    """A used device, one of whose routes stands on one that the kernel is said to have set itself."""
    used_card()
    ip("route", "delete", "default", "dev", "card")
    ip("route", "add", "192.0.2.9", "dev", "card", "proto", "kernel")
    ip("route", "add", "10.44.0.0/16", "via", "192.0.2.9")
    return state_of_card()


@in_world()
def test_what_of_a_device_cannot_be_put_back_by_down_is_told_and_put_back_by_the_next() -> None:
    before, file = card_with_a_route_that_nobody_keeps(), write(PLAIN)
    done("apply", file)
    result = net("down", file)
    assert result.returncode == 1
    assert "mtu 1400`: it is back, but not all as it was: " in result.stderr
    assert "10.7.0.5/24" in ip("address", "show", "card")
    # What it was in has gone, since it is no longer there.
    assert "tenant" not in ip("netns")
    assert alias_of("card").startswith("isthmus:moved from host/card was up")
    ip("route", "add", "192.0.2.9", "dev", "card", "proto", "kernel")
    done("down", file)
    assert state_of_card() == before


@in_world()
def test_what_of_a_device_a_failed_service_does_not_let_come_back_is_told() -> None:
    before, file = card_with_a_route_that_nobody_keeps(), write(PLAIN + BAD_SERVICE)
    result = net("apply", file)
    assert result.returncode == 1
    assert "as it was undone: it is back, but not all as it was: " in result.stderr
    ip("route", "add", "192.0.2.9", "dev", "card", "proto", "kernel")
    done("down", file)
    assert state_of_card() == before


@in_world()
def test_a_removal_that_is_undone_leaves_what_is_known_of_how_a_device_was() -> None:
    before, file = card_with_a_route_that_nobody_keeps(), write(PLAIN)
    done("apply", file)
    alias = alias_of("eth0", "-n", "tenant")
    assert net("apply", write("network: moved\nnamespaces: {tenant: {}}\n")).returncode == 1
    assert alias_of("eth0", "-n", "tenant") == alias
    net("down", file)
    ip("route", "add", "192.0.2.9", "dev", "card", "proto", "kernel")
    done("down", file)
    assert state_of_card() == before


@in_world()
def test_an_address_whose_route_was_set_apart_comes_back_with_a_route() -> None:
    used_card()
    ip("address", "add", "10.6.0.1/24", "dev", "card", "noprefixroute")
    ip("route", "add", "10.6.0.0/24", "dev", "card", "proto", "kernel", "scope", "link", "src", "10.6.0.1")
    before = state_of_card().replace(" noprefixroute", "")
    assert net("apply", write(USED + BAD_SERVICE)).returncode == 1
    assert state_of_card() == before


@in_world()
def test_an_address_that_ends_comes_back_after_an_apply_that_fails_and_is_no_lasting_one_by_down() -> None:
    used_card()
    ip("address", "add", "10.5.0.1/24", "dev", "card", "valid_lft", "49000", "preferred_lft", "40000")
    assert net("apply", write(USED + BAD_SERVICE)).returncode == 1
    assert "10.5.0.1/24" in ip("address", "show", "card")
    assert "valid_lft 4" in ip("address", "show", "card")
    done("apply", write(USED))
    done("down", "moved")
    assert "10.5.0.1/24" not in ip("address", "show", "card")
