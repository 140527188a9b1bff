"""What tests of examples compare does not change with what the kernel changes by itself."""

from __future__ import annotations

import subprocess
import time

import pytest

from .examples import Reader, steady
from .world import in_world

_CABLE = "link/ether 02:00:00:00:00:02 brd ff:ff:ff:ff:ff:ff link-netns street"


@pytest.mark.parametrize(
    "lines",
    [
        [
            f"2: up0@if2: <{flags}> mtu 1500 qdisc {qdisc} state {state} mode DEFAULT group 7\n  {_CABLE}"
            for flags, qdisc, state in (
                ("BROADCAST,MULTICAST,UP", "noop", "DOWN"),
                ("BROADCAST,MULTICAST,UP,LOWER_UP", "noqueue", "UP"),
                ("BROADCAST,MULTICAST,UP,LOWER_UP", "noqueue", "UNKNOWN"),
                ("NO-CARRIER,BROADCAST,MULTICAST,UP", "noqueue", "LOWERLAYERDOWN"),
                ("NO-CARRIER,BROADCAST,MULTICAST,UP,LOWER_UP", "noqueue", "LOWERLAYERDOWN"),
                ("NO-CARRIER,BROADCAST,MULTICAST,UP,M-DOWN", "noqueue", "LOWERLAYERDOWN"),
            )
        ],
        ["    inet6 2001:db8::1/64 scope global ", "    inet6 2001:db8::1/64 scope global tentative "],
        ["10.9.0.0/16 via 192.0.2.2 dev up0 ", "10.9.0.0/16 via 192.0.2.2 dev up0 linkdown "],
    ],
    ids=["carrier", "duplicate-address-detection", "routes-over-a-link-without-carrier"],
)
def test_what_the_kernel_changes_by_itself_is_left_out(lines: list[str]) -> None:
    assert {tuple(steady(line)) for line in lines} == {tuple(steady(lines[0]))}


@pytest.mark.parametrize(
    "other",
    [
        "2: up0@if2: <BROADCAST,MULTICAST,LOWER_UP> mtu 1500 state UP",
        "2: up0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 state UP",
        "2: up0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP",
    ],
    ids=["set-down", "mtu", "another-peer"],
)
def test_what_a_network_changes_is_kept(other: str) -> None:
    assert steady("2: up0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP") != steady(other)


@in_world()
def test_a_cable_looks_the_same_whether_the_kernel_has_noticed_its_carrier_or_not() -> None:
    def ip(words: str) -> str:
        return subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True).stdout

    ip("netns add street")
    ip("link add up0 type veth peer name eth0 netns street")
    ip("addr add 192.0.2.1/24 dev up0")
    ip("link set up0 up")
    ip("route add 10.9.0.0/16 via 192.0.2.2")
    wait_for(lambda: "NO-CARRIER" in ip("link show up0"))
    without = Reader().snapshot()
    ip("-n street link set eth0 up")
    wait_for(lambda: "state UP" in ip("link show up0"))
    assert Reader().snapshot() == without


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
