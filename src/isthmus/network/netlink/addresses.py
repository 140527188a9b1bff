"""Addresses on interfaces."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import ip_interface
from socket import AF_INET, AF_INET6

from isthmus.network.machine import Machine
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_NEWADDR,
    attributes,
    number,
    request,
)
from isthmus.network.objects import Address

_HEAD = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 4, 8
_IFA_F_NODAD = 0x02
_IFA_F_PERMANENT = 0x80
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


def reading(namespace: str, names: dict[int, str], channel: Channel) -> Iterator[Address]:
    """Read the addresses that somebody has set: none of those that the kernel gives by itself."""
    for body in channel.bodies(_ALL):
        family, prefix, flags, scope, index = _HEAD.unpack_from(body)
        by_the_kernel = family == AF_INET6 and scope == _SCOPE_LINK
        if index not in names or by_the_kernel or not flags & _IFA_F_PERMANENT:
            continue
        told = attributes(body, _HEAD.size)
        # Of a point-to-point link the plain address is the far end's.
        own = told.get(_IFA_LOCAL) or told[_IFA_ADDRESS]
        yield Address(namespace, names[index], ip_interface((own, prefix)))
