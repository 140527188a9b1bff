"""What a wireguard interface is set to, in the form in which a file and the kernel are compared.

Thinking only; `netlink.wireguard` tells the kernel and asks it. The kernel learns from a peer's packets
where that peer is now, so an endpoint found says nothing about whether it was set: which endpoints the
file gave is remembered as a digest, in the interface's alias.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from isthmus.network.model import Wireguard, WireguardPeer
from isthmus.network.objects import Interface, Secret, Setting
from isthmus.records import dataclass, field, replace

Endpoint = tuple[IPv4Address | IPv6Address, int]

_DIGEST_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Peer:
    """Who may speak through a tunnel. Two are equal wherever they are found."""

    public_key: str
    endpoint: Endpoint | None = field(default=None, compare=False)
    allowed: tuple[str, ...] = ()
    keepalive: int = 0
    preshared_key: Secret | None = None


def wanted_settings(kind: Wireguard) -> dict[str, Setting]:
    """Return the settings that a file asks for; a port that it leaves open is the kernel's choice."""
    return {
        "private_key": Secret(_clamped(kind.private_key)),
        "listen_port": kind.listen_port,
        "mark": kind.mark or 0,
        "peers": in_order(map(_peer, kind.peers)),
        "endpoints": _digest(kind.peers),
    }


def in_order(peers: Iterable[Peer]) -> tuple[Peer, ...]:
    """Return peers as they are compared: in the order of their keys."""
    return tuple(sorted(peers, key=lambda peer: peer.public_key))


def peers_of(settings: Iterable[tuple[str, Setting]]) -> dict[str, Peer]:
    """Return the peers among an interface's settings, by public key."""
    found = dict(settings).get("peers")
    peers = found if isinstance(found, tuple) else ()
    return {peer.public_key: peer for peer in peers if isinstance(peer, Peer)}


def asleep(old: Interface | None, new: Interface) -> Interface:
    """Return a tunnel as wanted that does not begin to speak by itself yet.

    What it says before addresses and routes are there is lost, and it waits five seconds to say it again.
    """
    before = peers_of(old.settings) if old is not None else {}
    peers = (
        replace(peer, keepalive=before[key].keepalive if key in before else 0)
        for key, peer in peers_of(new.settings).items()
    )
    return replace(new, settings=tuple(sorted({**dict(new.settings), "peers": in_order(peers)}.items())))


def _peer(peer: WireguardPeer) -> Peer:
    secret = peer.preshared_key
    return Peer(
        _canonical(peer.public_key),
        peer.endpoint,
        tuple(sorted(str(network) for network in peer.allowed)),
        peer.keepalive or 0,
        Secret(_canonical(secret)) if secret is not None else None,
    )


def _digest(peers: Iterable[WireguardPeer]) -> str | None:
    """Return what tells one set of given endpoints from another; None where there are none."""
    given = sorted(f"{_canonical(peer.public_key)} {peer.endpoint}" for peer in peers if peer.endpoint)
    if not given:
        return None
    import hashlib

    return hashlib.sha256("\n".join(given).encode()).hexdigest()[:_DIGEST_LETTERS]


def _canonical(key: str) -> str:
    """Write a key as the kernel's answer is written: the last letter has bits that mean nothing."""
    return b64encode(b64decode(key)).decode()


def _clamped(key: str) -> str:
    """Fix the bits that a private key has no choice in, as the kernel does (RFC 7748, section 5)."""
    raw = bytearray(b64decode(key))
    raw[0] &= 0xF8
    raw[31] = raw[31] & 0x7F | 0x40
    return b64encode(raw).decode()
