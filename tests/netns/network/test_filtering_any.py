"""Any model at all: the kernel gives back the text that was wanted."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.network.filtering import wanted_ruleset
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
from . import filtered

# Few bits vary, so that prefixes meet, overlap and hold one another.
four = st.builds(
    lambda low, length: IPv4Network((0x0A000000 + low, length), strict=False),
    st.integers(0, 255),
    st.sampled_from([0, 1, 8, 23, 24, 25, 30, 31, 32]),
)
six = st.builds(
    lambda low, length: IPv6Network(((0x20010DB8 << 96) + low, length), strict=False),
    st.integers(0, 255),
    st.sampled_from([0, 1, 32, 64, 121, 127, 128]),
)
networks = st.lists(four | six, max_size=5).map(tuple)
ports = st.builds(
    lambda protocol, first, more: Ports(protocol, first, min(first + more, 65535)),
    st.sampled_from(["tcp", "udp"]),
    st.integers(0, 20) | st.integers(0, 65535),
    st.sampled_from([0, 0, 1, 5, 1000, 65535]),
)
port = st.integers(1, 65535)
device = st.sampled_from(["eth0", "eth-1.5", "br_a:b"])
maybe_device = st.none() | device
address = st.integers(1, 254).map(lambda last: ip_address(f"10.0.0.{last}"))
address_six = st.integers(1, 254).map(lambda last: ip_address(f"2001:db8::{last:x}"))
rule = st.builds(
    FirewallRule,
    st.booleans(),
    networks,
    networks,
    st.lists(ports, max_size=4).map(tuple),
    st.booleans(),
    maybe_device,
    maybe_device,
)
chain = st.none() | st.builds(Chain, st.booleans(), st.lists(rule, max_size=4).map(tuple))
forward = st.builds(
    PortForward, ports, address, st.none() | port, maybe_device, st.none() | address
) | st.builds(PortForward, ports, address_six, st.none() | port, maybe_device, st.none() | address_six)
interception = st.builds(
    Interception,
    ports,
    port,
    st.none() | address | address_six,
    networks,
    networks,
    maybe_device,
    st.sampled_from([1, 0xFF, 0x80000000]),
)
namespace = st.builds(
    Namespace,
    st.just("red"),
    nat=st.builds(
        Nat,
        st.lists(st.builds(Masquerade, maybe_device, networks), max_size=2).map(tuple),
        st.lists(forward, max_size=3).map(tuple),
    ),
    firewall=st.builds(Firewall, chain, chain, chain, st.booleans()),
    interceptions=st.lists(interception, max_size=2).map(tuple),
)


@pytest.fixture
def red(ground):
    if not find("nft"):
        pytest.skip("no nft (Debian package: nftables)")
    return ground.add("red")


# One namespace serves all examples: each text takes the place of the one before.
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(namespace, networks), min_size=1, max_size=12))
def test_any_ruleset_is_read_back_as_it_was_wanted(red, drawn):
    rulesets = [wanted_ruleset(model, filtered.NETWORK, connected=near) for model, near in drawn]
    texts = [None if each is None else each.text for each in rulesets]
    assert filtered.apply_each(red, texts) == texts
