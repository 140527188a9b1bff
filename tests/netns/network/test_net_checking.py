"""What `isthmus net check` says of a network that it made itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .net_command import done, ip, net, write
from .world import in_world

BRIDGED = """
network: bridged
namespaces: {red: {}, blue: {}, switch: {}}
links:
  - bridge: {in: switch, name: br0, stp: %s}
  - veth: [{in: red, name: e0, addresses: 10.0.0.1/24}, {in: switch, name: p1, master: br0}]
  - veth: [{in: blue, name: e0, addresses: 10.0.0.2/24}, {in: switch, name: p2, master: br0}]
expect: [red can ping blue]
"""


@pytest.mark.parametrize(
    ("stp", "spoiling", "why"),
    [
        ("true", None, "p1, a port of br0 in switch, does not forward yet"),
        ("false", "link set br0 down", "br0, the bridge between them, is down in switch"),
    ],
)
def test_what_a_bridge_does_not_let_through_is_told(stp: str, spoiling: str | None, why: str) -> None:
    def test() -> None:
        file = write(BRIDGED % stp)
        done("apply", file)
        if spoiling is not None:
            ip("-n", "switch", *spoiling.split())
        result = net("check", file)
        assert result.returncode == 1
        assert f"why: {why}" in result.stdout
        assert result.stdout.endswith("\n1 expectation, 1 FAILED\n")

    in_world()(test)()


@in_world()
def test_where_nothing_listens_cannot_reach_says_that_a_listener_of_its_own_was_reached() -> None:
    file = write((BRIDGED % "false").replace("can ping blue", "cannot reach blue:5432/tcp"))
    done("apply", file)
    result = net("check", file)
    assert result.returncode == 1
    assert "nothing listens; tested with a listener of our own" in result.stdout


OVERLAPPING = """
network: overlapping
for:
  - each: {i: 1..19}
    namespaces: {"g${i}": {}}
  - each: {i: 20..20}
    namespaces: {"g${i}": {firewall: {input: {default: deny}}}}
  - each: {i: 1..20}
    namespaces: {"t${i}": {}}
    links:
      - veth: [{in: "g${i}", name: e, addresses: 10.0.0.1/24}, {in: "t${i}", name: e, addresses: 10.0.0.2/24}]
expect: [t20 can ping 10.0.0.1]
"""


@in_world()
def test_of_many_with_one_address_the_one_on_the_wire_is_asked_why_it_does_not_answer() -> None:
    file = write(OVERLAPPING)
    done("apply", file)
    assert "why: the firewall of g20 denies it on input" in net("check", file).stdout


WALLED = """
network: walled
namespaces:
  a: {}
  b: {firewall: {input: {default: deny, rules: [{allow: {port: 80/tcp}}]}}}
links:
  - veth:
      - {in: a, name: e, addresses: [10.0.0.1/24, "fd00::1/64"], shaping: {rate: 20mbit}}
      - {in: b, name: e, addresses: [10.0.0.2/24, "fd00::2/64"]}
services:
  web: {in: b, command: [python3, -m, http.server, "80", --bind, "::"], ready: {tcp: 80}}
expect:
  - a can reach b:80/tcp at 5mbit
  - a can reach [fd00::2]:80/tcp at 5mbit
  - a can reach b:80/tcp at 100mbit
"""


@pytest.mark.parametrize("rootless", [False, True], ids=["as-root", "rootless"])
def test_throughput_to_a_service_is_measured_on_its_port_where_a_firewall_allows_no_other(
    rootless: bool,
) -> None:
    def test() -> None:
        file = write(WALLED)
        done("apply", file)
        verdicts = json.loads(net("check", "--json", file).stdout)
        assert [each["ok"] for each in verdicts] == [True, True, False], verdicts
        assert all("measured past the service on port 80" in each["observed"] for each in verdicts)
        assert verdicts[2]["why"] == "the file shapes a/e"
        # It heard nothing of it.
        assert "code 400" not in Path("/run/isthmus/log/walled/web.log").read_text()
        done("down", file)

    in_world(rootless=rootless)(test)()
