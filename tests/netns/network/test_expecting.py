"""`isthmus net check` in real namespaces: each kind of expectation true and false, and why it is false."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from isthmus.network.model import (
    AttachedPath,
    Bound,
    Chain,
    Firewall,
    FirewallRule,
    Namespace,
    Nat,
    Ping,
    PortForward,
    Ports,
    Reach,
    ReachAs,
    Readiness,
    Service,
    Target,
)

from .expecting_ground import ExpectingGround, reason_without_namespaces

BLUE = Target("blue")


def at(text: str) -> Target:
    return Target(address=ip_address(text))


@pytest.fixture
def ground() -> Iterator[ExpectingGround]:
    reason = reason_without_namespaces()
    if reason:
        pytest.skip(reason)
    made = ExpectingGround()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pair(ground: ExpectingGround) -> ExpectingGround:
    """Red and blue on one cable, with both families."""
    ground.add("red", "blue")
    ground.join("red", "blue", six="2001:db8")
    return ground


def one(ground: ExpectingGround, meaning: object, **network: object):
    return ground.judge(meaning, **network)[0]


@pytest.mark.parametrize("target", [BLUE, at("10.0.0.2"), at("2001:db8::2"), Target("red"), at("127.0.0.1")])
def test_what_is_joined_can_be_pinged(pair, target):
    verdict = one(pair, Ping("red", target))
    assert verdict.ok, verdict
    assert "answers in" in verdict.observed


def test_ipv6_alone_can_be_pinged_though_its_addresses_are_still_tentative(ground):
    ground.add("red", "blue")
    ground.join("red", "blue", net="", six="2001:db8", dad="")
    verdict = one(ground, Ping("red", BLUE))
    assert verdict.ok, verdict
    assert verdict.observed.startswith("2001:db8::2 answers")


def test_cannot_fails_where_there_is_a_way_and_tells_which(pair):
    verdicts = pair.judge(Ping("red", BLUE, possible=False), Reach("red", BLUE, "tcp", 80, possible=False))
    for verdict in verdicts:
        assert not verdict.ok
        assert verdict.why == "red has a way to 10.0.0.2: through blue"


def test_own_address_without_lo_fails_because_lo_is_down(ground):
    ground.add("red", lo=False)
    ground.add("blue")
    ground.join("red", "blue", six="2001:db8")
    targets = (Target("red"), at("10.0.0.1"), at("2001:db8::1"))
    for verdict in ground.judge(*(Ping("red", target) for target in targets)):
        assert not verdict.ok
        assert verdict.why.startswith("lo is down in red"), verdict
    assert one(ground, Ping("red", BLUE)).ok


def break_down(ground):
    ground.ip("red", "link set blue down")


def break_far(ground):
    ground.ip("blue", "link set red down")


def break_address(ground):
    ground.ip("red", "addr flush dev blue")


@pytest.mark.parametrize(
    ("spoil", "target", "why"),
    [
        (break_down, BLUE, "blue is down in red"),
        (break_far, BLUE, "blue has no carrier in red: its other end is down"),
        (break_address, BLUE, "red has no IPv4 address"),
        (None, at("192.0.2.7"), "red has no route to 192.0.2.7 (no route)"),
        (None, at("10.0.0.9"), "10.0.0.9 does not answer ARP on blue in red"),
        (None, at("2001:db8::9"), "2001:db8::9 does not answer neighbour discovery on blue in red"),
    ],
)
def test_a_ping_that_fails_is_explained(pair, spoil, target, why):
    if spoil:
        spoil(pair)
    can, cannot = pair.judge(Ping("red", target), Ping("red", target, possible=False))
    assert not can.ok
    assert can.why.startswith(why), can
    assert cannot.ok, cannot


def test_a_namespace_that_is_absent_is_said_to_be(pair):
    pair.spaces["gone"] = type(pair.spaces["red"])("gone", Path("/run/netns/there-is-no-such-namespace"))
    gone = Namespace("gone", attach=AttachedPath(Path("/run/netns/there-is-no-such-namespace")))
    for meaning in (
        Ping("gone", BLUE),
        Ping("red", Target("gone")),
        Ping("red", Target("gone"), possible=False),
    ):
        verdict = one(pair, meaning, namespaces=(gone,))
        assert not verdict.ok
        assert verdict.why.startswith("namespace gone is absent")


def routed(ground: ExpectingGround) -> None:
    """Red and blue on both sides of a router."""
    ground.add("red", "router", "blue")
    ground.join("red", "router", "10.0.0")
    ground.join("router", "blue", "10.1.0")
    ground.ip("red", "route add default via 10.0.0.2")
    ground.ip("blue", "route add default via 10.1.0.1")


def test_through_a_router_that_forwards_or_does_not(ground):
    routed(ground)
    verdict = one(ground, Ping("red", BLUE))
    assert verdict.why == "router, the gateway 10.0.0.2, does not forward (net.ipv4.ip_forward is 0)"
    ground.sysctl("router", "net/ipv4/ip_forward", "1")
    assert one(ground, Ping("red", BLUE)).ok
    ground.ip("blue", "route del default")
    assert one(ground, Ping("red", BLUE)).why == "blue has no route back to 10.0.0.1 (no route)"


def test_a_namespace_with_the_same_address_is_not_taken_for_the_one_that_is_meant(pair):
    pair.add("green", "purple")
    pair.join("purple", "green")
    purple, green = pair.judge(Ping("red", Target("purple")), Ping("red", Target("green")))
    assert "every address of purple is one of red's own too" in purple.why
    assert green.observed == "10.0.0.2 answered, but it is not green"
    meanings = [Ping("red", Target("green"), False), Reach("red", Target("green"), "tcp", 80, False)]
    meanings.append(Reach("red", Target("green"), "udp", 80, False))
    for verdict in pair.judge(*meanings):
        assert verdict.ok, verdict


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("target", [BLUE, at("10.0.0.2"), at("2001:db8::2")])
def test_a_port_where_nothing_listens_is_tested_with_a_listener_of_our_own(pair, protocol, target):
    verdict = one(pair, Reach("red", target, protocol, 5432))
    assert verdict.ok, verdict
    assert verdict.observed.endswith("(nothing listens; tested with a listener of our own)")


@pytest.mark.parametrize("address", ["10.0.0.2", "0.0.0.0", "::", "2001:db8::2"])
def test_a_service_that_listens_is_asked_itself(pair, address):
    pair.serve("blue", address, 5432)
    verdict = one(pair, Reach("red", BLUE, "tcp", 5432))
    assert verdict.ok, verdict
    assert "of our own" not in verdict.observed


def test_a_service_on_a_wrong_address_is_named(pair):
    pair.serve("blue", "127.0.0.1", 5432)
    verdict = one(pair, Reach("red", BLUE, "tcp", 5432))
    assert not verdict.ok
    assert "nothing listens on 10.0.0.2 port 5432/tcp in blue; python" in verdict.why
    assert verdict.why.endswith("listens on 127.0.0.1")


def test_a_declared_service_must_listen(pair):
    service = Service("db", "blue", ("postgres",), readiness=Readiness(tcp=("", 5432)))
    verdict = one(pair, Reach("red", BLUE, "tcp", 5432), services=(service,))
    assert not verdict.ok
    assert verdict.why.endswith("service db should")


DENY = """table inet isthmus_test { chain input { type filter hook input priority 0; policy accept;
  %s } }"""


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("action", ["drop", "reject"])
def test_a_firewall_is_seen_and_named_with_and_without_a_service(pair, protocol, action):
    pair.nft("blue", DENY % f"{protocol} dport 5432 {action}")
    if protocol == "tcp":
        pair.serve("blue", "0.0.0.0", 5432)
    ports = (Ports(protocol, 5432, 5432),)
    rules = (FirewallRule(False, (ip_network("10.0.0.0/24"), ip_network("2001:db8::/64")), ports=ports),)
    blue = Namespace("blue", firewall=Firewall(input=Chain(rules=rules)))
    can, cannot, other = pair.judge(
        Reach("red", BLUE, protocol, 5432),
        Reach("red", BLUE, protocol, 5432, possible=False),
        Reach("red", BLUE, protocol, 5433),
        namespaces=(blue,),
    )
    assert not can.ok
    assert can.why == "the firewall of blue denies it on input: a deny rule"
    assert cannot.ok, cannot
    assert other.ok, other


def test_silence_about_a_datagram_satisfies_neither_more_nor_less_than_it_proves(pair):
    pair.ip("red", "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev blue")
    can, cannot, unresolved, measured = pair.judge(
        Reach("red", at("10.0.0.9"), "udp", 53),
        Reach("red", at("10.0.0.9"), "udp", 53, possible=False),
        Reach("red", at("10.0.0.10"), "udp", 53),
        Reach("red", at("10.0.0.9"), "udp", 53, bound=Bound(latency=1.0)),
    )
    assert can.ok
    assert "not refused" in can.observed
    assert cannot.ok
    assert not unresolved.ok
    assert unresolved.why.startswith("10.0.0.10 does not answer ARP")
    assert measured.why == "nothing answers, so nothing can be measured"


def test_the_address_that_the_far_end_sees(ground):
    routed(ground)
    ground.sysctl("router", "net/ipv4/ip_forward", "1")
    seen = ReachAs("red", at("10.1.0.2"), 80, ip_address("10.1.0.1"))
    plain = one(ground, seen)
    assert not plain.ok
    assert plain.observed.startswith("seen as 10.0.0.1")
    assert plain.why == "10.0.0.1 is red's own address: nothing translates it on the way"
    ground.nft(
        "router", "table ip t { chain c { type nat hook postrouting priority 100; oif blue masquerade; } }"
    )
    assert one(ground, seen).ok
    ground.serve("blue", "10.1.0.2", 80)
    real = one(ground, seen)
    assert real.ok, real
    assert real.observed == "seen as 10.1.0.1"
    wrong = one(ground, ReachAs("red", BLUE, 80, ip_address("10.9.9.9")))
    assert wrong.why == "10.1.0.1 belongs to router: the connection is translated there"


def test_a_forwarded_port_is_followed_to_where_it_leads(ground):
    routed(ground)
    ground.sysctl("router", "net/ipv4/ip_forward", "1")
    chain = "type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.1.0.2:80"
    ground.nft("router", f"table ip t {{ chain c {{ {chain} }} }}")
    forward = PortForward(Ports("tcp", 8080, 8080), ip_address("10.1.0.2"), 80)
    router = Namespace("router", nat=Nat(forwards=(forward,)))
    meanings = [
        Reach("red", at("10.0.0.2"), "tcp", 8080),
        Reach("red", Target("router"), "tcp", 8080),
        ReachAs("red", at("10.0.0.2"), 8080, ip_address("10.0.0.1")),
    ]
    for verdict in ground.judge(*meanings, namespaces=(router,)):
        assert verdict.ok, verdict
        assert verdict.observed.endswith("a listener of our own)")
    ground.serve("blue", "10.1.0.2", 80)
    for verdict in ground.judge(*meanings, namespaces=(router,)):
        assert verdict.ok, verdict
        assert "of our own" not in verdict.observed


def test_bounds_of_latency(pair):
    slow, fast = Bound(latency=1e-9), Bound(latency=2.0)
    meanings = [Ping("red", BLUE, bound=fast), Reach("red", BLUE, "tcp", 80, bound=fast)]
    assert all(verdict.ok for verdict in pair.judge(*meanings))
    for verdict in pair.judge(Ping("red", BLUE, bound=slow), Reach("red", BLUE, "udp", 80, bound=slow)):
        assert not verdict.ok
        assert verdict.observed.startswith("best round trip")


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_bounds_of_throughput(pair, protocol):
    pair.run("red", "tc", "-b", "-", stdin="qdisc add dev blue root tbf rate 20mbit burst 32k latency 50ms\n")
    for rate, ok in ((15e6, True), (40e6, False)):
        verdict = one(pair, Reach("red", BLUE, protocol, 80, bound=Bound(throughput=rate)))
        assert verdict.ok is ok, verdict
        assert "Mbit/s" in verdict.observed


def test_throughput_beside_a_service_is_measured_on_another_port(pair):
    pair.serve("blue", "10.0.0.2", 80)
    verdict = one(pair, Reach("red", BLUE, "tcp", 80, bound=Bound(throughput=1e6)))
    assert verdict.ok, verdict
    assert "80 belongs to a service" in verdict.observed


def test_hundreds_of_expectations_take_seconds_and_keep_their_order(pair):
    silent = at("10.0.0.77")
    meanings = [
        meaning
        for number in range(100)
        for meaning in (
            Ping("red", BLUE),
            Ping("red", silent, possible=False),
            Reach("red", BLUE, "tcp", 2000 + number),
            Reach("blue", at("10.0.0.78"), "udp", 2000 + number, possible=False),
        )
    ]
    started = time.monotonic()
    verdicts = pair.judge(*meanings)
    assert [verdict.expectation.meaning for verdict in verdicts] == meanings
    assert all(verdict.ok for verdict in verdicts), [each for each in verdicts if not each.ok][:3]
    assert time.monotonic() - started < 30


# One of each kind: what may depend on a right is in them.
ROOTLESS = (
    "lo_is_down or tentative or same_address or (of_our_own and target0) or 0.0.0.0 or udp and reject or sees"
)


@pytest.mark.skipif("ISTHMUS_NESTED" in os.environ, reason="this is the run without root")
def test_the_same_without_root():
    unshared = ["unshare", "--user", "--map-root-user", "--net", "--"]
    tried = subprocess.run([*unshared, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no user namespaces: {tried.stderr.strip()}")
    done = subprocess.run(
        [*unshared, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", ROOTLESS, __file__],
        env={**os.environ, "ISTHMUS_NESTED": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout
