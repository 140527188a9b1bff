"""Tunnels' settings: what a file asks for, what goes to the kernel, what comes back, what is shown."""

from __future__ import annotations

import struct
from base64 import b64encode
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from isthmus.network.describing import describe
from isthmus.network.difference import Step, can_change, satisfies
from isthmus.network.model import Wireguard, WireguardPeer
from isthmus.network.netlink import wireguard
from isthmus.network.netlink.mark import Mark, read_mark
from isthmus.network.objects import Interface
from isthmus.network.tunnels import asleep, peers_of, wanted_settings


def key(letter: str) -> str:
    return b64encode(letter.encode() * 32).decode()


BLUE = WireguardPeer(
    key("b"),
    (ip_address("192.0.2.1"), 51820),
    (ip_network("10.0.0.2/32"), ip_network("fd00::/8")),
    25,
    key("s"),
)
GREEN = WireguardPeer(key("g"), (ip_address("2001:db8::1"), 9), (ip_network("10.0.0.3/32"),))
TUNNEL = Wireguard(key("p"), 51820, 7, (GREEN, BLUE))


def interface(kind: Wireguard) -> Interface:
    return Interface("red", "wg0", "wireguard", tuple(sorted(wanted_settings(kind).items())))


def told(old: Interface | None, new: Interface) -> list[bytes]:
    """What the requests hold, each with the head that answers have."""
    return [struct.pack("=BBH", 0, 1, 0) + content for content in wireguard._contents(old, new)]


def found(kind: Wireguard) -> Interface:
    """The interface as it would be read after the requests for it."""
    new = interface(kind)
    settings = {**wireguard._read(told(None, new)), "endpoints": dict(new.settings)["endpoints"]}
    return replace(new, settings=tuple(sorted(settings.items())))


def test_what_is_told_to_the_kernel_is_what_is_read_from_it() -> None:
    assert satisfies(found(TUNNEL), interface(TUNNEL))
    green, blue = sorted(
        dict(found(TUNNEL).settings)["peers"], key=lambda peer: peer.public_key, reverse=True
    )
    assert (green.endpoint, blue.endpoint) == (GREEN.endpoint, BLUE.endpoint)


def test_what_is_too_much_for_one_request_is_told_in_several() -> None:
    many = tuple(ip_network(f"10.{number >> 8}.{number & 255}.0/24") for number in range(5000))
    kind = replace(TUNNEL, peers=(GREEN, replace(BLUE, allowed=many)))
    contents = told(None, interface(kind))
    assert len(contents) > 1
    assert max(map(len, contents)) < 65_535
    assert satisfies(found(kind), interface(kind))


CHANGES = {
    "port": (replace(TUNNEL, listen_port=51821), 0),
    "own key": (replace(TUNNEL, private_key=key("q")), 0),
    "a peer less": (replace(TUNNEL, peers=(BLUE,)), 1),
    "what a peer may carry": (replace(TUNNEL, peers=(GREEN, replace(BLUE, allowed=()))), 1),
    "a shared secret": (replace(TUNNEL, peers=(GREEN, replace(BLUE, preshared_key=None))), 1),
    "an endpoint": (replace(TUNNEL, peers=(GREEN, replace(BLUE, endpoint=(ip_address("192.0.2.2"), 1)))), 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_made_in_place_and_leaves_other_peers_alone(change: str) -> None:
    kind, touched = CHANGES[change]
    old, new = found(TUNNEL), interface(kind)
    assert can_change(old, new)
    assert not satisfies(old, new)
    (content,) = told(old, new)
    assert len(dict(wireguard._read([content]))["peers"]) == touched


def test_a_peer_that_has_moved_is_no_difference() -> None:
    moved = replace(BLUE, endpoint=(ip_address("198.51.100.1"), 1))
    learned = dict(found(replace(TUNNEL, peers=(GREEN, moved))).settings)
    settings = {**learned, "endpoints": dict(interface(TUNNEL).settings)["endpoints"]}
    assert satisfies(replace(found(TUNNEL), settings=tuple(sorted(settings.items()))), interface(TUNNEL))


def test_keys_are_compared_as_the_kernel_writes_them() -> None:
    # The last letter's lower bits and the private key's fixed bits mean nothing.
    loose = replace(TUNNEL, private_key="//" + TUNNEL.private_key[2:-2] + "B=")
    tidy = wireguard._read(told(None, interface(loose)))
    assert tidy["private_key"] == dict(interface(loose).settings)["private_key"]


def test_a_tunnel_speaks_only_when_everything_else_is_there() -> None:
    new = interface(TUNNEL)
    sleeping = asleep(None, new)
    assert [peer.keepalive for peer in peers_of(sleeping.settings).values()] == [0, 0]
    (content,) = told(sleeping, new)
    assert [peer.keepalive for peer in dict(wireguard._read([content]))["peers"]] == [25]
    assert asleep(new, new) == new


def test_the_given_endpoints_are_remembered_in_the_alias() -> None:
    mark = Mark("demo", None, "0123abcd")
    assert read_mark(str(mark)) == mark
    assert read_mark("isthmus:demo from host/eth0") == Mark("demo", ("host", "eth0"))


def test_no_key_is_shown() -> None:
    other = interface(replace(TUNNEL, private_key=key("q"), peers=(replace(BLUE, preshared_key=key("t")),)))
    texts = [
        describe(Step(None, interface(TUNNEL))),
        describe(Step(interface(TUNNEL), other)),
        repr(interface(TUNNEL)),
    ]
    assert "private-key changed" in texts[1]
    for text in texts:
        assert not any(secret[:40] in text for secret in map(key, "pqst"))
