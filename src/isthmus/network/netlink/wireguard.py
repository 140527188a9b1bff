"""Wireguard tunnels: keys, port and peers, set in place and read back over generic netlink.

Peers that stay as they are go on undisturbed while others come, go or change. What is refused is told
without naming any key.
"""

from __future__ import annotations

import socket
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing
from ipaddress import IPv6Address, ip_address, ip_network

from isthmus.network.machine import Machine
from isthmus.network.netlink.channel import NLM_F_DUMP, Channel
from isthmus.network.netlink.message import attribute, attributes, listed, nest
from isthmus.network.objects import Interface, Secret, Setting
from isthmus.network.tunnels import Endpoint, Peer, in_order, peers_of
from isthmus.records import replace

_GENERIC = 16
"""NETLINK_GENERIC, which the socket module has no name for."""
_HEADER = struct.Struct("=IHHII")
_GENERIC_HEADER = struct.Struct("=BBH")
_SHORT, _NUMBER = struct.Struct("=H"), struct.Struct("=I")
_ENDPOINT_4 = struct.Struct("=H2s4s8x")
_ENDPOINT_6 = struct.Struct("=H2s4s16sI")
_PORT = struct.Struct("!H")

_CONTROLLER = 16
_GET_FAMILY = 3
_FAMILY_ID, _FAMILY_NAME = 1, 2
_VERSION = 1

# linux/wireguard.h: WG_CMD_*, WGDEVICE_A_*, WGPEER_A_*, WGALLOWEDIP_A_* and the peers' flags.
_GET_DEVICE, _SET_DEVICE = 0, 1
_IFNAME, _PRIVATE_KEY, _LISTEN_PORT, _FWMARK, _PEERS = 2, 3, 6, 7, 8
_PEER_PUBLIC_KEY, _PEER_PRESHARED_KEY, _PEER_FLAGS, _PEER_ENDPOINT, _PEER_KEEPALIVE = 1, 2, 3, 4, 5
_PEER_ALLOWED = 9
_ALLOWED_FAMILY, _ALLOWED_ADDRESS, _ALLOWED_PREFIX = 1, 2, 3
_REMOVE_PEER, _REPLACE_ALLOWED = 1, 2

_NO_KEY = bytes(32)
_ROOM = 30_000
"""Octets of peers in one request: an attribute holds no more than 65,535."""
_ALLOWED_AT_ONCE = 500


class WireguardError(Exception):
    """What the kernel had against a tunnel's settings."""


def read(interface: Interface, machine: Machine) -> Interface:
    """Return an interface with its keys, port and peers filled in. OSError where the kernel refuses."""
    with _channel(interface.namespace, machine) as channel:
        body = _head(_GET_DEVICE) + attribute(_IFNAME, _name(interface))
        bodies = list(channel.bodies(_request(_family(channel), body), NLM_F_DUMP))
    return replace(interface, settings=tuple(sorted({**dict(interface.settings), **_read(bodies)}.items())))


def configure(old: Interface | None, new: Interface, machine: Machine) -> None:
    """Set what differs; `old` is None for a tunnel just made. WireguardError where the kernel refuses."""
    with _channel(new.namespace, machine) as channel:
        family = _family(channel)
        for content in _contents(old, new):
            body = _head(_SET_DEVICE) + attribute(_IFNAME, _name(new)) + content
            refusal = channel.change([_request(family, body)])[0]
            if refusal is not None:
                raise WireguardError(f"wireguard settings of {new.namespace}/{new.name}: {refusal}")


def _channel(namespace: str, machine: Machine) -> closing[Channel]:
    space = replace(machine.spaces[namespace], uts=None)
    return closing(space.call(Channel, _GENERIC))


def _family(channel: Channel) -> int:
    """Ask for wireguard's number among the generic families; the kernel loads its module for that."""
    body = _GENERIC_HEADER.pack(_GET_FAMILY, 1, 0) + attribute(_FAMILY_NAME, b"wireguard\0")
    for answer in channel.bodies(_request(_CONTROLLER, body), 0):
        number: int = _SHORT.unpack_from(attributes(answer, _GENERIC_HEADER.size)[_FAMILY_ID])[0]
        return number
    raise WireguardError("the kernel does not tell how wireguard is asked")


def _request(kind: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, 0, 0, 0) + body


def _head(command: int) -> bytes:
    return _GENERIC_HEADER.pack(command, _VERSION, 0)


def _name(interface: Interface) -> bytes:
    return interface.name.encode() + b"\0"


def _contents(old: Interface | None, new: Interface) -> Iterator[bytes]:
    """Yield what the requests hold: the tunnel's own settings, then its peers as they fit."""
    have = dict(old.settings) if old is not None else {}
    want = {name: value for name, value in new.settings if value is not None and have.get(name) != value}
    held = _device(want)
    moved = want.get("endpoints") is not None
    before, after = peers_of(have.items()), peers_of(new.settings)
    pieces = [_removal(key) for key in before if key not in after]
    for key, peer in after.items():
        pieces += _peer_pieces(before.get(key), peer, moved=moved)
    portion = b""
    for piece in pieces:
        if len(portion) + len(piece) > _ROOM:
            yield held + nest(_PEERS, portion)
            held, portion = b"", b""
        portion += piece
    if held or portion:
        yield held + nest(_PEERS, portion)


def _device(want: Mapping[str, Setting]) -> bytes:
    held = b""
    match want.get("private_key"):
        case Secret(text):
            held += attribute(_PRIVATE_KEY, b64decode(text))
    match want.get("listen_port"):
        case int(port):
            held += attribute(_LISTEN_PORT, _SHORT.pack(port))
    match want.get("mark"):
        case int(mark):
            held += attribute(_FWMARK, _NUMBER.pack(mark))
    return held


def _removal(key: str) -> bytes:
    flags = attribute(_PEER_FLAGS, _NUMBER.pack(_REMOVE_PEER))
    return nest(0, attribute(_PEER_PUBLIC_KEY, b64decode(key)) + flags)


def _peer_pieces(old: Peer | None, new: Peer, *, moved: bool) -> Iterator[bytes]:
    """Yield the entries of one peer: several where it may carry very much, none where nothing differs."""
    endpoint = new.endpoint if old is None or (moved and old.endpoint != new.endpoint) else None
    if old == new and endpoint is None:
        return
    key = attribute(_PEER_PUBLIC_KEY, b64decode(new.public_key))
    held = key + (attribute(_PEER_ENDPOINT, _endpoint(endpoint)) if endpoint is not None else b"")
    if old is None or old.keepalive != new.keepalive:
        held += attribute(_PEER_KEEPALIVE, _SHORT.pack(new.keepalive))
    if old is None or old.preshared_key != new.preshared_key:
        secret = b64decode(new.preshared_key.text) if new.preshared_key is not None else _NO_KEY
        held += attribute(_PEER_PRESHARED_KEY, secret)
    if old is not None and old.allowed == new.allowed:
        yield nest(0, held)
        return
    held += attribute(_PEER_FLAGS, _NUMBER.pack(_REPLACE_ALLOWED))
    for start in range(0, max(1, len(new.allowed)), _ALLOWED_AT_ONCE):
        some = new.allowed[start : start + _ALLOWED_AT_ONCE]
        yield nest(0, held + nest(_PEER_ALLOWED, b"".join(_allowed(text) for text in some)))
        held = key


def _endpoint(endpoint: Endpoint) -> bytes:
    address, port = endpoint[0], _PORT.pack(endpoint[1])
    if isinstance(address, IPv6Address):
        # No scope: a file gives none.
        return _ENDPOINT_6.pack(socket.AF_INET6, port, bytes(4), address.packed, 0)
    return _ENDPOINT_4.pack(socket.AF_INET, port, address.packed)


def _allowed(text: str) -> bytes:
    network = ip_network(text)
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    return nest(
        0,
        attribute(_ALLOWED_FAMILY, _SHORT.pack(family))
        + attribute(_ALLOWED_ADDRESS, network.network_address.packed)
        + attribute(_ALLOWED_PREFIX, bytes([network.prefixlen])),
    )


def _read(bodies: list[bytes]) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    peers: dict[str, Peer] = {}
    for body in bodies:
        told = attributes(body, _GENERIC_HEADER.size)
        if _PRIVATE_KEY in told:
            settings["private_key"] = Secret(_text(told[_PRIVATE_KEY]))
        if _LISTEN_PORT in told:
            settings["listen_port"] = _SHORT.unpack(told[_LISTEN_PORT])[0]
        if _FWMARK in told:
            settings["mark"] = _NUMBER.unpack(told[_FWMARK])[0]
        for _, entry in listed(told.get(_PEERS, b""), 0):
            _take_in(_read_peer(entry), peers)
    settings["peers"] = in_order(peers.values())
    return settings


def _take_in(peer: Peer, peers: dict[str, Peer]) -> None:
    """Add a peer, or the rest of one: an answer that grows too long goes on in the next."""
    first = peers.get(peer.public_key)
    if first is not None:
        peer = replace(first, allowed=tuple(sorted((*first.allowed, *peer.allowed))))
    peers[peer.public_key] = peer


def _read_peer(raw: bytes) -> Peer:
    told = attributes(raw, 0)
    secret = told.get(_PEER_PRESHARED_KEY, _NO_KEY)
    allowed = (_read_allowed(entry) for _, entry in listed(told.get(_PEER_ALLOWED, b""), 0))
    return Peer(
        _text(told[_PEER_PUBLIC_KEY]),
        _read_endpoint(told.get(_PEER_ENDPOINT)),
        tuple(sorted(allowed)),
        _SHORT.unpack(told.get(_PEER_KEEPALIVE, bytes(2)))[0],
        Secret(_text(secret)) if secret != _NO_KEY else None,
    )


def _read_endpoint(raw: bytes | None) -> Endpoint | None:
    if raw is None:
        return None
    if _SHORT.unpack_from(raw)[0] == socket.AF_INET6:
        _, port, _, packed, _ = _ENDPOINT_6.unpack_from(raw)
    else:
        _, port, packed = _ENDPOINT_4.unpack_from(raw)
    return ip_address(packed), _PORT.unpack(port)[0]


def _read_allowed(raw: bytes) -> str:
    told = attributes(raw, 0)
    return str(ip_network((told[_ALLOWED_ADDRESS], told[_ALLOWED_PREFIX][0])))


def _text(key: bytes) -> str:
    return b64encode(key).decode()
