"""What the kernel would choose for an interface by itself, for what a file gave and gives no more.

The kernel cannot be asked to choose again, so that its choice is made here: of an interface on another
one by that one, of a device by what it was before, of all others by what a new one gets.
"""

from __future__ import annotations

import os

from isthmus.network.machine import Machine
from isthmus.network.netlink.kinds import BENEATH, ETHERNET, KINDS
from isthmus.network.netlink.reading import Reading
from isthmus.network.objects import Interface, State
from isthmus.records import replace

_FORWARD_DELAY = 15
"""Seconds that a new bridge has (IEEE 802.1D, table 8-3)."""

_LOCAL, _GROUP = 0x02, 0x01
_TAKES_THE_ADDRESS_BENEATH = ("vlan", "ipvlan")


def chosen(old: Interface, new: Interface, wanted: State, machine: Machine) -> Interface:
    """Return the wanted interface with what its file gave so far and leaves open now.

    `wanted` is all that the network is to be; what is beneath the interface is so already.
    """
    left_open = old.given - new.given
    if "mac" in left_open and new.mac is None:
        new = replace(new, mac=_mac(old, machine))
    if "mtu" in left_open and new.mtu is None:
        new = replace(new, mtu=_mtu(old, wanted, machine))
    if "forward_delay" in left_open:
        settings = {name: value for name, value in new.settings if value is not None}
        settings.setdefault("forward_delay", _FORWARD_DELAY)
        new = replace(new, settings=tuple(sorted(settings.items())))
    return new


def _mac(old: Interface, machine: Machine) -> str | None:
    if old.origin is not None:
        return old.before.mac if old.before is not None else None
    if old.kind in _TAKES_THE_ADDRESS_BENEATH:
        beneath = _beneath(old, machine)
        return beneath.mac if beneath is not None else None
    drawn = bytearray(os.urandom(6))
    drawn[0] = drawn[0] & ~_GROUP | _LOCAL
    return drawn.hex(":")


def _mtu(old: Interface, wanted: State, machine: Machine) -> int | None:
    if old.origin is not None:
        return old.before.mtu if old.before is not None else None
    if old.kind == "bridge":
        return _smallest(old, wanted)
    default = KINDS[old.kind].mtu
    if default != BENEATH:
        return default
    beneath = _beneath(old, machine)
    return beneath.mtu if beneath is not None else None


def _beneath(old: Interface, machine: Machine) -> Interface | None:
    if old.parent is None:
        return None
    namespace, name = old.parent
    channel = machine.channel(namespace)
    index = channel.index_of(name)
    # That one alone: many may stand on one, and what is beneath may have many beside it.
    return None if index is None else Reading(namespace, channel, alone=index).interface(name)


def _smallest(bridge: Interface, wanted: State) -> int | None:
    """Return the least MTU of a bridge's ports, which is its own as long as nobody gives it one."""
    ports = (each for each in wanted.objects.values() if isinstance(each, Interface))
    joined = (each for each in ports if (each.namespace, each.master) == (bridge.namespace, bridge.name))
    return min((each.mtu or ETHERNET for each in joined), default=ETHERNET)
