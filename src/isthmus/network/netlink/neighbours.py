"""Permanent entries of a namespace's neighbour tables."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from socket import AF_INET, AF_INET6

from isthmus.network.machine import Machine
from isthmus.network.model import Neighbour
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    REPLACE,
    RTM_DELNEIGH,
    RTM_GETNEIGH,
    RTM_NEWNEIGH,
    Attributes,
    decoded,
    encoded,
    request,
)
from isthmus.network.objects import NeighbourObject

_PERMANENT = 0x80
_STATE_OFFSET = 8
_ALL = request(RTM_GETNEIGH, bytes(12))


def adding(wanted: NeighbourObject, protocol: int, machine: Machine, *, replace: bool = False) -> bytes:
    """Encode the request that adds an entry, or gives another link address to the one there is."""
    attributes: Attributes = [("NDA_LLADDR", wanted.neighbour.mac), ("NDA_PROTOCOL", protocol)]
    return _request(RTM_NEWNEIGH, REPLACE if replace else CREATE, wanted, attributes, machine)


def removing(found: NeighbourObject, machine: Machine) -> bytes:
    """Encode the request that removes an entry."""
    return _request(RTM_DELNEIGH, 0, found, [], machine)


def _request(
    number: int, flags: int, wanted: NeighbourObject, attributes: Attributes, machine: Machine
) -> bytes:
    from pyroute2.netlink.rtnl.ndmsg import ndmsg

    neighbour = wanted.neighbour
    return encoded(
        ndmsg,
        number,
        [("NDA_DST", str(neighbour.address)), *attributes],
        flags=flags,
        family=AF_INET if neighbour.address.version == 4 else AF_INET6,
        ifindex=index_of(machine, wanted.namespace, neighbour.device),
        state=_PERMANENT,
    )


def reading(
    namespace: str, names: dict[int, str], protocol: int, channel: Channel
) -> Iterator[NeighbourObject]:
    """Read the entries that carry a network's protocol number."""
    permanent = [body for body in channel.bodies(_ALL) if body[_STATE_OFFSET] & _PERMANENT]
    if not permanent:
        return
    from pyroute2.netlink.rtnl.ndmsg import ndmsg

    for body in permanent:
        found = decoded(ndmsg, body)
        if found.get_attr("NDA_PROTOCOL") == protocol:
            device = names.get(found["ifindex"], "")
            address = ip_address(found.get_attr("NDA_DST"))
            neighbour = Neighbour(address, device, found.get_attr("NDA_LLADDR"))
            yield NeighbourObject(namespace, neighbour)
