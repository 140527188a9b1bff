"""Routes of a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6, AF_UNSPEC

from pyroute2.netlink.rtnl.rtmsg import rtmsg

from isthmus.network.machine import Machine
from isthmus.network.model import Route
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    REPLACE,
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    Attributes,
    Decoded,
    message,
)
from isthmus.network.objects import RouteObject

_KINDS = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
_RTNH_F_ONLINK = 4
_PROTOCOL_OFFSET = 5
_SCOPE_LINK = 253
_SCOPE_HOST = 254
_DEFAULT_METRIC_6 = 1024


def adding(route: RouteObject, protocol: int, machine: Machine, *, replace: bool = False) -> bytes:
    """Encode the request that adds a route, or puts it in the place of the one with the same key."""
    return _request(RTM_NEWROUTE, REPLACE if replace else CREATE, route, protocol, machine)


def removing(route: RouteObject, protocol: int, machine: Machine) -> bytes:
    """Encode the request that removes a route."""
    return _request(RTM_DELROUTE, 0, route, protocol, machine)


def family_of(route: Route) -> int:
    """Return AF_INET or AF_INET6."""
    known = route.to or route.via or route.source
    return AF_INET6 if known is not None and known.version == 6 else AF_INET


def _request(number: int, flags: int, wanted: RouteObject, protocol: int, machine: Machine) -> bytes:
    route = wanted.route
    attributes: Attributes = [("RTA_TABLE", route.table)]
    if route.to is not None:
        attributes.append(("RTA_DST", str(route.to.network_address)))
    if route.via is not None:
        attributes.append(("RTA_GATEWAY", str(route.via)))
    if route.device is not None:
        attributes.append(("RTA_OIF", index_of(machine, wanted.namespace, route.device)))
    if route.source is not None:
        attributes.append(("RTA_PREFSRC", str(route.source)))
    if route.metric is not None:
        attributes.append(("RTA_PRIORITY", route.metric))
    request = message(
        rtmsg,
        number,
        attributes,
        flags=flags,
        family=family_of(route),
        dst_len=route.to.prefixlen if route.to is not None else 0,
        table=route.table if route.table < 256 else 0,
        proto=protocol,
        scope=_scope(route),
        type=_KINDS[route.kind],
    )
    request["flags"] = _RTNH_F_ONLINK if route.on_link else 0
    request.encode()
    return bytes(request.data)


def _scope(route: Route) -> int:
    if family_of(route) == AF_INET6:
        return 0
    if route.kind == "local":
        return _SCOPE_HOST
    return _SCOPE_LINK if route.via is None and route.kind == "unicast" else 0


def reading(namespace: str, names: dict[int, str], protocol: int, channel: Channel) -> Iterator[RouteObject]:
    """Read the routes that carry a network's protocol number."""
    request = message(rtmsg, RTM_GETROUTE, family=AF_UNSPEC)
    for found in channel.dump(request, wanted=lambda body: body[_PROTOCOL_OFFSET] == protocol):
        yield RouteObject(namespace, _route(found, names))


def _route(found: Decoded, names: dict[int, str]) -> Route:
    destination, gateway = found.get_attr("RTA_DST"), found.get_attr("RTA_GATEWAY")
    source, metric = found.get_attr("RTA_PREFSRC"), found.get_attr("RTA_PRIORITY")
    unspecified = "0.0.0.0" if found["family"] == AF_INET else "::"
    network = ip_network(f"{destination or unspecified}/{found['dst_len']}")
    if found["family"] == AF_INET6 and metric == _DEFAULT_METRIC_6:
        metric = None
    kinds = {number: name for name, number in _KINDS.items()}
    return Route(
        to=network,
        via=ip_address(gateway) if gateway else None,
        device=names.get(found.get_attr("RTA_OIF")),
        source=ip_address(source) if source else None,
        table=found.get_attr("RTA_TABLE") or found["table"],
        metric=metric or None,
        kind=kinds.get(found["type"], str(found["type"])),
        on_link=bool(found["flags"] & _RTNH_F_ONLINK),
    )
