"""Routes of a namespace."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6

from isthmus.network.machine import Machine
from isthmus.network.model import Route
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    NLM_F_CREATE,
    REPLACE,
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    Raw,
    attributes,
    listed,
    number,
    request,
    to_number,
)
from isthmus.network.objects import RouteObject
from isthmus.records import replace as replace_in

_KINDS = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
_KIND_NAMES = {number: name for name, number in _KINDS.items()}
_HEAD = struct.Struct("=BBBBBBBBI")
_DST, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _MULTIPATH, _TABLE = 1, 4, 5, 6, 7, 9, 15
_RTNH_F_ONLINK = 4
_PROTOCOL_OFFSET = 5
_RTPROT_KERNEL, _RTPROT_RA = 2, 9
_BROADCAST, _ANYCAST, _MULTICAST = 3, 4, 5
_SCOPE_LINK = 253
_SCOPE_HOST = 254
_DEFAULT_METRIC_6 = 1024


def adding(route: RouteObject, protocol: int, machine: Machine, *, replace: bool = False) -> bytes:
    """Encode the request that adds a route, or puts it in the place of the one with the same key."""
    return _request(RTM_NEWROUTE, REPLACE if replace else CREATE, route, protocol, machine)


def removing(route: RouteObject, protocol: int, machine: Machine) -> bytes:
    """Encode the request that removes a route, and no other one to the same destination."""
    if family_of(route.route) == AF_INET6 and route.route.metric is None:
        # Without a metric the kernel takes the first one, whatever its metric is.
        route = RouteObject(route.namespace, replace_in(route.route, metric=_DEFAULT_METRIC_6))
    return _request(RTM_DELROUTE, 0, route, protocol, machine)


def family_of(route: Route) -> int:
    """Return AF_INET or AF_INET6."""
    known = route.to or route.via or route.source
    return AF_INET6 if known is not None and known.version == 6 else AF_INET


def _request(kind: int, flags: int, wanted: RouteObject, protocol: int, machine: Machine) -> bytes:
    route = wanted.route
    told: Raw = [(_TABLE, number(route.table))]
    if route.to is not None:
        told.append((_DST, route.to.network_address.packed))
    if route.via is not None:
        told.append((_GATEWAY, route.via.packed))
    if route.device is not None:
        told.append((_OIF, number(index_of(machine, wanted.namespace, route.device))))
    if route.source is not None:
        told.append((_PREFSRC, route.source.packed))
    if route.metric is not None:
        told.append((_PRIORITY, number(route.metric)))
    head = _HEAD.pack(
        family_of(route),
        route.to.prefixlen if route.to is not None else 0,
        0,
        0,
        route.table if route.table < 256 else 0,
        protocol,
        _scope(route),
        _KINDS[route.kind],
        _RTNH_F_ONLINK if route.on_link else 0,
    )
    return request(kind, head, told, flags=flags)


def _scope(route: Route) -> int:
    if family_of(route) == AF_INET6:
        return 0
    if route.kind == "local":
        return _SCOPE_HOST
    return _SCOPE_LINK if route.via is None and route.kind == "unicast" else 0


def reading(namespace: str, names: dict[int, str], protocol: int, channel: Channel) -> Iterator[RouteObject]:
    """Read the routes that carry a network's protocol number."""
    # The kernel tells those alone where it can choose (strict checking); older ones tell all.
    ours = request(RTM_GETROUTE, _HEAD.pack(0, 0, 0, 0, 0, protocol, 0, 0, 0))
    for body in channel.bodies(ours):
        if body[_PROTOCOL_OFFSET] == protocol:
            yield RouteObject(namespace, decoded(body, names))


def raw(index: int, channel: Channel) -> Iterator[bytes]:
    """Yield the routes over an interface that somebody has set, as the kernel tells them.

    Those first that others stand on; none that has several next hops.
    """
    behind: list[bytes] = []
    for body in channel.bodies(request(RTM_GETROUTE, bytes(_HEAD.size))):
        _, _, _, _, _, protocol, _, kind, _ = _HEAD.unpack_from(body)
        told = attributes(body, _HEAD.size)
        by_itself = protocol in (_RTPROT_KERNEL, _RTPROT_RA) or kind in (_BROADCAST, _ANYCAST, _MULTICAST)
        if by_itself or _MULTIPATH in told or to_number(told.get(_OIF)) != index:
            continue
        if _GATEWAY in told:
            behind.append(body)
        else:
            yield body
    yield from behind


def again(body: bytes, index: int) -> bytes:
    """Encode what the kernel told of as a request for the same, over the interface's index of now."""
    *head, flags = _HEAD.unpack_from(body)
    told: Raw = [(what, value) for what, value in listed(body, _HEAD.size) if what != _OIF]
    told.append((_OIF, number(index)))
    # The kernel refuses to be told what it found out itself (dead, linkdown).
    return request(RTM_NEWROUTE, _HEAD.pack(*head, flags & _RTNH_F_ONLINK), told, flags=NLM_F_CREATE)


def decoded(body: bytes, names: dict[int, str]) -> Route:
    """Return the route that the kernel tells of; `names` are those of the namespace's interfaces."""
    family, length, _, _, table, _, _, kind, flags = _HEAD.unpack_from(body)
    told = attributes(body, _HEAD.size)
    gateway, source, metric = told.get(_GATEWAY), told.get(_PREFSRC), to_number(told.get(_PRIORITY))
    destination = told.get(_DST) or bytes(4 if family == AF_INET else 16)
    if family == AF_INET6 and metric == _DEFAULT_METRIC_6:
        metric = None
    return Route(
        to=ip_network((destination, length)),
        via=ip_address(gateway) if gateway else None,
        device=names.get(to_number(told.get(_OIF)) or 0),
        source=ip_address(source) if source else None,
        table=to_number(told.get(_TABLE)) or table,
        metric=metric or None,
        kind=_KIND_NAMES.get(kind, str(kind)),
        on_link=bool(flags & _RTNH_F_ONLINK),
    )
