"""Addresses on interfaces."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from socket import AF_INET, AF_INET6

from isthmus.network.machine import Machine
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    NLM_F_CREATE,
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_NEWADDR,
    Raw,
    attributes,
    listed,
    number,
    request,
    to_number,
)
from isthmus.network.objects import Address

_HEAD = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_IFA_F_NODAD, _IFA_F_TENTATIVE, _IFA_F_PERMANENT = 0x02, 0x40, 0x80
_IFA_F_NOPREFIXROUTE = 0x200
_SCOPE_LINK = 253
_POINT_TO_POINT = 31
_ALL = request(RTM_GETADDR, bytes(_HEAD.size))


def adding(address: Address, machine: Machine) -> bytes:
    """Encode the request that adds an address.

    Without duplicate address detection: the file says whose the address is, and a service that binds
    to it at once must not be told that it is not there yet.
    """
    return _request(RTM_NEWADDR, CREATE, address, machine)


def removing(address: Address, machine: Machine) -> bytes:
    """Encode the request that removes an address."""
    return _request(RTM_DELADDR, 0, address, machine)


def _request(kind: int, flags: int, address: Address, machine: Machine) -> bytes:
    interface = address.address
    prefix, own = interface.network.prefixlen, interface.packed
    told = [(_IFA_LOCAL, own), (_IFA_ADDRESS, own)]
    if interface.version == 4 and prefix < _POINT_TO_POINT:
        told.append((_IFA_BROADCAST, interface.network.broadcast_address.packed))
    if interface.version == 6:
        told.append((_IFA_FLAGS, number(_IFA_F_NODAD)))
    family = AF_INET if interface.version == 4 else AF_INET6
    index = index_of(machine, address.namespace, address.interface)
    return request(kind, _HEAD.pack(family, prefix, 0, 0, index), told, flags=flags)


def raw(channel: Channel) -> Iterator[tuple[int, bytes]]:
    """Yield the addresses that somebody has set, as the kernel tells them, with their interface's index.

    The kernel gives link-local ones of IPv6 by itself, and routers give those that end.
    """
    for body in channel.bodies(_ALL):
        family, _, flags, scope, index = _HEAD.unpack_from(body)
        if family != AF_INET6 or (scope != _SCOPE_LINK and flags & _IFA_F_PERMANENT):
            yield index, body


def is_lasting(body: bytes) -> bool:
    """Say whether an address has no end: one of DHCP has."""
    return bool(_HEAD.unpack_from(body)[2] & _IFA_F_PERMANENT)


def decoded(body: bytes) -> IPv4Interface | IPv6Interface:
    """Return the address that the kernel tells of."""
    told = attributes(body, _HEAD.size)
    # Of a point-to-point link the plain address is the far end's.
    return ip_interface((told.get(_IFA_LOCAL) or told[_IFA_ADDRESS], _HEAD.unpack_from(body)[1]))


def reading(namespace: str, names: dict[int, str], channel: Channel) -> Iterator[Address]:
    """Read the addresses that somebody has set for good: none of those that the kernel gives by itself."""
    for index, body in raw(channel):
        if index in names and is_lasting(body):
            yield Address(namespace, names[index], decoded(body))


def again(body: bytes, index: int) -> bytes:
    """Encode what the kernel told of as a request for the same, over the interface's index of now."""
    family, prefix, flags, scope, _ = _HEAD.unpack_from(body)
    told = listed(body, _HEAD.size)
    # Whose it is was settled before: what listens on it need not wait. Whoever has set its network's route
    # apart (NetworkManager) said that the kernel had, so that it was not remembered.
    nodad = _IFA_F_NODAD if family == AF_INET6 else 0
    kept = (to_number(dict(told).get(_IFA_FLAGS)) or 0) & ~(_IFA_F_TENTATIVE | _IFA_F_NOPREFIXROUTE)
    changed: Raw = [(what, value) for what, value in told if what != _IFA_FLAGS]
    changed.append((_IFA_FLAGS, number(kept | nodad)))
    return request(RTM_NEWADDR, _HEAD.pack(family, prefix, flags, scope, index), changed, flags=NLM_F_CREATE)
