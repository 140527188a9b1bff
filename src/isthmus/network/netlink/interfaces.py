"""Interfaces: made, changed and removed.

Both ends of a veth pair are made by one request, that of the end whose key sorts first; the request for
the other end only marks it and sets what a new interface cannot be given.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from isthmus.network.machine import Machine
from isthmus.network.model import BridgePort
from isthmus.network.netlink.kinds import KINDS, link_of
from isthmus.network.netlink.message import (
    CREATE,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    Raw,
    joined,
    number,
    request,
    text,
)
from isthmus.network.objects import Before, Interface, Setting

_HEAD = struct.Struct("=BxHiII")
"""Family, type, index, flags, and which of the flags are meant."""
_ADDRESS, _IFNAME, _MTU, _LINK, _MASTER, _LINKINFO = 1, 3, 4, 5, 10, 18
_IFALIAS, _AF_SPEC, _GROUP, _NET_NS_FD = 20, 26, 27, 28
_NUM_TX_QUEUES, _NUM_RX_QUEUES = 31, 32
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER, _BRIDGE_VLAN_INFO = 1, 2, 1, 2
_VLAN_INFO = struct.Struct("=HH")
_NEW = bytes(_HEAD.size)

_IFF_UP = 0x1
AF_BRIDGE = 7
VLAN_INFO_PVID = 0x2
_VLAN_INFO_UNTAGGED = 0x4
_DEFAULT_VLAN = 1


class MissingError(Exception):
    """An interface that a request needs is not there; its text names it."""


def index_of(machine: Machine, namespace: str, name: str) -> int:
    """Return an interface's index; MissingError where there is none."""
    index = machine.channel(namespace).index_of(name)
    if index is None:
        raise MissingError(f"there is no interface {name} in {namespace}")
    return index


def creation(wanted: Interface, peer: Interface | None, group: int, machine: Machine) -> bytes:
    """Encode the request that makes an interface, or a pair. It is sent in `creation_namespace`."""
    told: Raw = [(_IFNAME, text(_first_name(wanted, machine)))]
    # What is off is left out: a kernel without the feature refuses even to have it switched off.
    data = KINDS[wanted.kind].write({name: value for name, value in wanted.settings if value is not False})
    if wanted.kind == "vxlan" and wanted.parent is not None:
        data.append(link_of(index_of(machine, *wanted.parent)))
    elif wanted.parent is not None:
        told.append((_LINK, number(_born_index(machine, *wanted.parent))))
        if wanted.parent[0] != wanted.namespace:
            told.append((_NET_NS_FD, number(machine.descriptor(wanted.namespace))))
    if peer is not None:
        data = [(_VETH_INFO_PEER, _NEW + joined(_peer_part(peer, wanted.namespace, group, machine)))]
    told += _given_at_birth(wanted, group)
    told.append((_LINKINFO, _information(wanted.kind, data)))
    return request(RTM_NEWLINK, _NEW, told, flags=CREATE)


def _information(kind: str, data: Raw) -> bytes:
    information: Raw = [(_INFO_KIND, text(kind))]
    if data:
        information.append((_INFO_DATA, joined(data)))
    return joined(information)


def _first_name(wanted: Interface, machine: Machine) -> str:
    """Return the name to be made under: another one where the parent's namespace knows that name already.

    Kernels look there for the name, though the interface is made elsewhere (as of 6.1: EEXIST).
    """
    parent = wanted.parent
    if parent is None or parent[0] == wanted.namespace:
        return wanted.name
    taken = machine.channel(parent[0]).index_of(wanted.name) is not None
    return _substitute(wanted.namespace, wanted.name) if taken else wanted.name


def _substitute(namespace: str, name: str) -> str:
    """Return a name that nobody else gives, of at most 15 bytes."""
    import hashlib

    return "is" + hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:12]


def _born_index(machine: Machine, namespace: str, name: str) -> int:
    """Return the index of an interface that may still have its first name."""
    first = machine.channel(namespace).index_of(_substitute(namespace, name))
    return first if first is not None else index_of(machine, namespace, name)


def creation_namespace(wanted: Interface) -> str:
    """Return where the request for a new interface is sent: where its parent is, which it needs to name."""
    return wanted.parent[0] if wanted.parent is not None else wanted.namespace


def _peer_part(peer: Interface, near_namespace: str, group: int, machine: Machine) -> Raw:
    told: Raw = [(_IFNAME, text(peer.name)), *_given_at_birth(peer, group)]
    if peer.namespace != near_namespace:
        told.append((_NET_NS_FD, number(machine.descriptor(peer.namespace))))
    return told


def _given_at_birth(wanted: Interface, group: int) -> Raw:
    told: Raw = [(_GROUP, number(group)), *_link_properties(wanted)]
    if wanted.kind == "veth":
        # Asked for none, the kernel makes one of each for every processor, uses the first of them, and
        # waits for its readers (RCU) as it puts the others away: half of the time that a pair takes.
        told += [(_NUM_TX_QUEUES, number(1)), (_NUM_RX_QUEUES, number(1))]
    return told


def _link_properties(wanted: Interface) -> Iterator[tuple[int, bytes]]:
    if wanted.mac is not None:
        yield _ADDRESS, _mac(wanted.mac)
    if wanted.mtu is not None:
        yield _MTU, number(wanted.mtu)


def _mac(written: str) -> bytes:
    return bytes.fromhex(written.replace(":", ""))


def settling(wanted: Interface, alias: str, machine: Machine, *, up: bool) -> Iterator[bytes]:
    """Encode what a new interface cannot be given in the request that makes it, and bring it up if `up`."""
    told: Raw = [(_IFALIAS, text(alias))]
    if wanted.origin is not None:
        told += _link_properties(wanted)
    if wanted.parent is not None and wanted.parent[0] != wanted.namespace:
        index = _born_index(machine, wanted.namespace, wanted.name)
        if machine.channel(wanted.namespace).index_of(wanted.name) is None:
            # A VLAN comes up by itself with its parent, and what is up keeps its name (as of 6.1: EBUSY).
            yield _raise_or_lower(index, up=False)
            told.append((_IFNAME, text(wanted.name)))
    else:
        index = index_of(machine, wanted.namespace, wanted.name)
    if wanted.master is not None:
        # Within one request the kernel gives the master first: a port that comes up belongs to its
        # bridge from the first packet on.
        told.append((_MASTER, number(index_of(machine, wanted.namespace, wanted.master))))
    if wanted.port is None:
        yield _set(index, told, up=up)
        return
    yield _set(index, told)
    yield from _port_requests(index, None, wanted.port)
    if up:
        yield _raise_or_lower(index, up=True)


def lowering(index: int) -> bytes:
    """Encode the request that brings an interface down."""
    return _raise_or_lower(index, up=False)


def loopback_marking(alias: str) -> bytes:
    """Encode the request that says whose a new namespace is; its loopback interface is always the first."""
    return _set(1, [(_IFALIAS, text(alias))])


def alteration(found: Interface, wanted: Interface, alias: str, machine: Machine) -> Iterator[bytes]:
    """Encode the requests that turn an interface into the wanted one, in place."""
    index = index_of(machine, wanted.namespace, wanted.name)
    if found.up and not wanted.up:
        yield _raise_or_lower(index, up=False)
    told: Raw = [(_IFALIAS, text(alias))] if found.begun or found.given != wanted.given else []
    if wanted.mac is not None and wanted.mac != found.mac:
        told.append((_ADDRESS, _mac(wanted.mac)))
    if wanted.mtu is not None and wanted.mtu != found.mtu:
        told.append((_MTU, number(wanted.mtu)))
    if wanted.master != found.master:
        master = index_of(machine, wanted.namespace, wanted.master) if wanted.master else 0
        told.append((_MASTER, number(master)))
    if told:
        yield _set(index, told)
    differing = _differing(found, wanted)
    if differing and KINDS[wanted.kind].has_settings:
        yield _kind_request(index, wanted.kind, differing)
    if (wanted.port or found.port) and wanted.port != found.port:
        yield from _port_requests(index, found.port, wanted.port)
    if wanted.up and not found.up:
        yield _raise_or_lower(index, up=True)


def marking(wanted: Interface, alias: str, machine: Machine) -> bytes:
    """Encode the request that gives an interface another alias."""
    return _set(index_of(machine, wanted.namespace, wanted.name), [(_IFALIAS, text(alias))])


def grouping(found: Interface, group: int, machine: Machine) -> bytes | None:
    """Encode the request that puts an interface into a group; None where there is no such interface.

    One group is the network's own, another that of what is about to be removed (`removal`).
    """
    index = machine.channel(found.namespace).index_of(found.name)
    return None if index is None else _set(index, [(_GROUP, number(group))])


def removal(group: int) -> bytes:
    """Encode the request that removes all interfaces of a group.

    One by one each would wait for the kernel's readers (some 30 ms), as a group they wait together.
    """
    return request(RTM_DELLINK, _NEW, [(_GROUP, number(group))])


def moving(name: str, new_name: str, target: str, alias: str, source: str, machine: Machine) -> bytes:
    """Encode the request that moves a device to another namespace under another name."""
    index = index_of(machine, source, name)
    told: Raw = [
        (_NET_NS_FD, number(machine.descriptor(target))),
        (_IFNAME, text(new_name)),
        (_IFALIAS, text(alias)),
    ]
    return _set(index, told)


def unmarking(index: int) -> bytes:
    """Encode the request that takes an interface's alias away."""
    return _set(index, [(_IFALIAS, text(""))])


def restoring(index: int, found: Interface, before: Before, machine: Machine) -> bytes:
    """Encode the request that makes a device that came back what it was before, its addresses apart."""
    told: Raw = []
    if before.mac is not None and before.mac != found.mac:
        told.append((_ADDRESS, _mac(before.mac)))
    if before.mtu is not None and before.mtu != found.mtu:
        told.append((_MTU, number(before.mtu)))
    if before.master is not None:
        told.append((_MASTER, number(index_of(machine, found.namespace, before.master))))
    return _set(index, told, up=before.up)


def _differing(found: Interface, wanted: Interface) -> dict[str, Setting]:
    have = dict(found.settings)
    return {name: value for name, value in wanted.settings if value is not None and have.get(name) != value}


def _kind_request(index: int, kind: str, settings: dict[str, Setting]) -> bytes:
    information = _information(kind, KINDS[kind].write(settings))
    return request(RTM_NEWLINK, _HEAD.pack(0, 0, index, 0, 0), [(_LINKINFO, information)])


def _set(index: int, attributes: Raw, *, up: bool = False) -> bytes:
    flags = _IFF_UP if up else 0
    return request(RTM_SETLINK, _HEAD.pack(0, 0, index, flags, flags), attributes)


def _raise_or_lower(index: int, *, up: bool) -> bytes:
    return request(RTM_SETLINK, _HEAD.pack(0, 0, index, _IFF_UP if up else 0, _IFF_UP))


def _port_requests(index: int, found: BridgePort | None, wanted: BridgePort | None) -> Iterator[bytes]:
    """Take a port out of the VLANs it leaves, then put it into those it joins."""
    before, after = memberships(found), memberships(wanted)
    leaving = [(vlan, 0) for vlan in before if vlan not in after]
    joining = [(vlan, flags) for vlan, flags in after.items() if before.get(vlan) != flags]
    for kind, vlans in ((RTM_DELLINK, leaving), (RTM_SETLINK, joining)):
        if vlans:
            infos = joined((_BRIDGE_VLAN_INFO, _VLAN_INFO.pack(flags, vlan)) for vlan, flags in vlans)
            yield request(kind, _HEAD.pack(AF_BRIDGE, 0, index, 0, 0), [(_AF_SPEC, infos)])


def memberships(port: BridgePort | None) -> dict[int, int]:
    """Return the flags of each VLAN that a port is in; None is a new port, as the kernel makes it."""
    if port is None:
        # What the kernel gives a new port of a bridge (vlan_default_pvid).
        return {_DEFAULT_VLAN: VLAN_INFO_PVID | _VLAN_INFO_UNTAGGED}
    vlans = dict.fromkeys(port.tagged, 0)
    if port.untagged is not None:
        vlans[port.untagged] = VLAN_INFO_PVID | _VLAN_INFO_UNTAGGED
    return vlans
