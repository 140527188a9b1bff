"""Devices that are moved into a network: how each was where it comes from, and how it is put back so.

A device loses its addresses and routes as it leaves a namespace, and keeps what it was given meanwhile. How
it was stands in its alias, which a crash does not take away and which has room for so much only; the process
that moved it remembers all of it.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network
from socket import AF_INET6

from isthmus.network.machine import Machine
from isthmus.network.model import Route
from isthmus.network.netlink import addresses, routes
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import MissingError, index_of, restoring, unmarking
from isthmus.network.netlink.message import (
    NLM_F_CREATE,
    RTM_GETADDR,
    RTM_GETROUTE,
    RTM_NEWADDR,
    RTM_NEWROUTE,
    Raw,
    attributes,
    listed,
    number,
    request,
    to_number,
)
from isthmus.network.netlink.reading import Reading
from isthmus.network.objects import ROUTE_SIGN, Address, Before, Interface, RouteObject
from isthmus.records import dataclass

Place = tuple[str, str]

_ADDRESS_HEAD = struct.Struct("=BBBBI")
_ROUTE_HEAD = struct.Struct("=BBBBBBBBI")
_IFA_FLAGS = 8
_IFA_F_NODAD, _IFA_F_TENTATIVE, _IFA_F_PERMANENT = 0x02, 0x40, 0x80
_IFA_F_NOPREFIXROUTE = 0x200
_SCOPE_LINK = 253
_RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH = 4, 5, 9
_RTPROT_KERNEL, _RTPROT_BOOT, _RTPROT_RA = 2, 3, 9
_MAIN_TABLE = 254
_RTN_BROADCAST, _RTN_ANYCAST, _RTN_MULTICAST = 3, 4, 5
_RTNH_F_ONLINK = 4


@dataclass(frozen=True, slots=True)
class Remembered:
    """All of how a device was: what its alias says, and what the kernel told of its addresses and routes."""

    before: Before
    addresses: tuple[bytes, ...]
    routes: tuple[bytes, ...]


def remember(place: Place, machine: Machine) -> None:
    """Read how a device is before it is moved; MissingError where there is none.

    One that came back and was not yet put back is passed over: its mark says how it was.
    """
    namespace, name = place
    channel = machine.channel(namespace)
    reading = Reading(namespace, channel)
    found = reading.interface(name)
    if found is None:
        raise MissingError(f"there is no interface {name} in {namespace}")
    mark = reading.all_marks().get(name)
    if mark is not None and mark.origin == place:
        return
    index = index_of(machine, namespace, name)
    set_ones = tuple(str(each.address) for each in addresses.reading(namespace, {index: name}, channel))
    bodies = tuple(_routes(index, channel))
    written = (_written(routes.decoded(body, {index: name})) for body in bodies)
    ways = tuple(each for each in written if each is not None)
    before = Before(found.up, found.mtu, found.mac, found.master, set_ones, ways)
    machine.remembered[place] = Remembered(before, tuple(_addresses(index, channel)), bodies)


def _addresses(index: int, channel: Channel) -> Iterator[bytes]:
    for body in channel.bodies(request(RTM_GETADDR, bytes(_ADDRESS_HEAD.size))):
        family, _, flags, scope, at = _ADDRESS_HEAD.unpack_from(body)
        # The kernel gives link-local addresses by itself, and routers give those that end.
        by_itself = family == AF_INET6 and (scope == _SCOPE_LINK or not flags & _IFA_F_PERMANENT)
        if at == index and not by_itself:
            yield body


def _routes(index: int, channel: Channel) -> Iterator[bytes]:
    """Yield the routes over a device that somebody has set, those first that others stand on."""
    behind: list[bytes] = []
    for body in channel.bodies(request(RTM_GETROUTE, bytes(_ROUTE_HEAD.size))):
        _, _, _, _, _, protocol, _, kind, _ = _ROUTE_HEAD.unpack_from(body)
        told = attributes(body, _ROUTE_HEAD.size)
        by_itself = protocol in (_RTPROT_KERNEL, _RTPROT_RA)
        if kind in (_RTN_BROADCAST, _RTN_ANYCAST, _RTN_MULTICAST) or _RTA_MULTIPATH in told:
            continue
        if by_itself or to_number(told.get(_RTA_OIF)) != index:
            continue
        if _RTA_GATEWAY in told:
            behind.append(body)
        else:
            yield body
    yield from behind


def _written(route: Route) -> str | None:
    """Write a route as an alias can hold it; None where that would be another one."""
    if route.table != _MAIN_TABLE or route.kind != "unicast" or route.on_link:
        return None
    words = [str(route.to), str(route.via or ""), str(route.metric or "")]
    return ROUTE_SIGN.join([*words, str(route.source)] if route.source else words)


def _read(written: str, device: str) -> Route:
    to, via, metric, *source = written.split(ROUTE_SIGN)
    return Route(
        to=ip_network(to),
        via=ip_address(via) if via else None,
        device=device,
        source=ip_address(source[0]) if source else None,
        metric=int(metric) if metric else None,
    )


def put_back(moved: Interface, machine: Machine) -> None:
    """Make a device that was moved back as it was. OSError says what the kernel refused.

    What its alias said counts where another process had moved it in. The alias stays until nothing is
    refused any more: so long it can be tried again.
    """
    if moved.origin is None:
        raise ValueError(f"{moved.name} was not moved in")
    namespace, name = moved.origin
    known = machine.remembered.get(moved.origin)
    before = known.before if known is not None else moved.before
    channel = machine.channel(namespace)
    found = Reading(namespace, channel).interface(name)
    if found is None:
        raise MissingError(f"there is no interface {name} in {namespace}")
    index = index_of(machine, namespace, name)
    requests = [] if before is None else [restoring(index, found, before, machine)]
    if known is not None:
        requests += [_again(RTM_NEWADDR, _ADDRESS_HEAD, body, index) for body in known.addresses]
        requests += [_again(RTM_NEWROUTE, _ROUTE_HEAD, body, index) for body in known.routes]
    elif before is not None:
        own = (Address(namespace, name, ip_interface(each)) for each in before.addresses)
        requests += [addresses.adding(each, machine) for each in own]
        ways = (RouteObject(namespace, _read(each, name)) for each in before.routes)
        requests += [routes.adding(each, _RTPROT_BOOT, machine) for each in ways]
    for refusal in channel.change(requests):
        # What the kernel sets by itself, or somebody was quicker with.
        if refusal is not None and refusal.number != errno.EEXIST:
            raise OSError(f"it is back, but not all as it was: {refusal}")
    # From here on the device is nobody's.
    channel.change([unmarking(index)])
    machine.remembered.pop(moved.origin, None)


def _again(kind: int, head: struct.Struct, body: bytes, index: int) -> bytes:
    """Encode what the kernel told of as a request for the same, over the device's index of now."""
    fields = list(head.unpack_from(body))
    told = listed(body, head.size)
    if head is _ADDRESS_HEAD:
        fields[4] = index
        # Whose it is was settled before: what listens on it need not wait. Whoever has set its network's
        # route apart (NetworkManager) said that the kernel had, so that it was not remembered.
        flags = to_number(dict(told).get(_IFA_FLAGS)) or 0
        nodad = _IFA_F_NODAD if fields[0] == AF_INET6 else 0
        changed: Raw = [(_IFA_FLAGS, number(flags & ~(_IFA_F_TENTATIVE | _IFA_F_NOPREFIXROUTE) | nodad))]
    else:
        # The kernel refuses to be told what it found out itself (dead, linkdown).
        fields[8] &= _RTNH_F_ONLINK
        changed = [(_RTA_OIF, number(index))]
    kept = [(what, value) for what, value in told if what not in dict(changed)]
    return request(kind, head.pack(*fields), [*kept, *changed], flags=NLM_F_CREATE)
