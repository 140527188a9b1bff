"""Devices that are moved into a network: how each was where it comes from, and how it is put back so.

A device loses its addresses and routes as it leaves a namespace, and keeps what it was given meanwhile. How
it was stands in its alias, which a crash does not take away and which has room for so much only; the process
that moved it remembers all of it.
"""

from __future__ import annotations

import errno
from ipaddress import ip_address, ip_interface, ip_network

from isthmus.network.machine import Machine
from isthmus.network.model import Route
from isthmus.network.netlink import addresses, routes
from isthmus.network.netlink.interfaces import MissingError, index_of, restoring, unmarking
from isthmus.network.netlink.reading import Reading
from isthmus.network.objects import ROUTE_SIGN, Address, Before, Interface, RouteObject
from isthmus.records import dataclass

Place = tuple[str, str]

_RTPROT_BOOT = 3
_MAIN_TABLE = 254


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
    own = tuple(body for at, body in addresses.raw(channel) if at == index)
    bodies = tuple(routes.raw(index, channel))
    written = (_written(routes.decoded(body, {index: name})) for body in bodies)
    ways = tuple(each for each in written if each is not None)
    lasting = tuple(str(addresses.decoded(each)) for each in own if addresses.is_lasting(each))
    before = Before(found.up, found.mtu, found.mac, found.master, lasting, ways)
    machine.remembered[place] = Remembered(before, own, bodies)


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
        requests += [addresses.again(body, index) for body in known.addresses]
        requests += [routes.again(body, index) for body in known.routes]
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
