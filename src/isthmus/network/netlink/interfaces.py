"""Interfaces: made, changed and removed.

Both ends of a veth pair are made by one request, that of the end which `makes_pair`; the request for
the other end only marks it and sets what a new interface cannot be given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from isthmus.network.machine import Machine
from isthmus.network.model import BridgePort
from isthmus.network.netlink.kinds import KINDS
from isthmus.network.netlink.message import (
    CREATE,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    Attributes,
    encoded,
    message,
)
from isthmus.network.objects import Interface, Setting

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
    attributes: Attributes = [("IFLA_IFNAME", _first_name(wanted, machine))]
    # What is off is left out: a kernel without the feature refuses even to have it switched off.
    data = KINDS[wanted.kind].write({name: value for name, value in wanted.settings if value is not False})
    if wanted.kind == "vxlan" and wanted.parent is not None:
        data.append(("IFLA_VXLAN_LINK", index_of(machine, *wanted.parent)))
    elif wanted.parent is not None:
        attributes.append(("IFLA_LINK", _born_index(machine, *wanted.parent)))
        if wanted.parent[0] != wanted.namespace:
            attributes.append(("IFLA_NET_NS_FD", machine.descriptor(wanted.namespace)))
    if peer is not None:
        data = [("VETH_INFO_PEER", _peer_part(peer, wanted.namespace, group, machine))]
    attributes += _given_at_birth(wanted, group)
    information: Attributes = [("IFLA_INFO_KIND", wanted.kind)]
    if data:
        information.append(("IFLA_INFO_DATA", {"attrs": data}))
    attributes.append(("IFLA_LINKINFO", {"attrs": information}))
    return encoded(ifinfmsg, RTM_NEWLINK, attributes, flags=CREATE)


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
    return "is" + hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:12]


def _born_index(machine: Machine, namespace: str, name: str) -> int:
    """Return the index of an interface that may still have its first name."""
    first = machine.channel(namespace).index_of(_substitute(namespace, name))
    return first if first is not None else index_of(machine, namespace, name)


def creation_namespace(wanted: Interface) -> str:
    """Return where the request for a new interface is sent: where its parent is, which it needs to name."""
    return wanted.parent[0] if wanted.parent is not None else wanted.namespace


def _peer_part(peer: Interface, near_namespace: str, group: int, machine: Machine) -> dict[str, Any]:
    attributes: Attributes = [("IFLA_IFNAME", peer.name), *_given_at_birth(peer, group)]
    if peer.namespace != near_namespace:
        attributes.append(("IFLA_NET_NS_FD", machine.descriptor(peer.namespace)))
    return {"index": 0, "family": 0, "ifi_type": 0, "flags": 0, "change": 0, "attrs": attributes}


def _given_at_birth(wanted: Interface, group: int) -> Attributes:
    attributes: Attributes = [("IFLA_GROUP", group)]
    if wanted.mac is not None:
        attributes.append(("IFLA_ADDRESS", wanted.mac))
    if wanted.mtu is not None:
        attributes.append(("IFLA_MTU", wanted.mtu))
    return attributes


def settling(wanted: Interface, alias: str, machine: Machine) -> Iterator[bytes]:
    """Encode what a new interface cannot be given in the request that makes it, and bring it up."""
    index = _born_index(machine, wanted.namespace, wanted.name)
    attributes: Attributes = [("IFLA_IFALIAS", alias)]
    if machine.channel(wanted.namespace).index_of(wanted.name) is None:
        # A VLAN comes up by itself when its parent does, and what is up keeps its name (as of 6.1: EBUSY).
        yield _raise_or_lower(index, up=False)
        attributes.append(("IFLA_IFNAME", wanted.name))
    if wanted.master is not None:
        attributes.append(("IFLA_MASTER", index_of(machine, wanted.namespace, wanted.master)))
    # The master first: a port that comes up belongs to its bridge from the first packet on.
    yield _set(index, attributes)
    if wanted.port is not None:
        yield from _port_requests(index, None, wanted.port)
    if wanted.up:
        yield _raise_or_lower(index, up=True)


def loopback_marking(alias: str) -> bytes:
    """Encode the request that says whose a new namespace is; its loopback interface is always the first."""
    return _set(1, [("IFLA_IFALIAS", alias)])


def alteration(found: Interface, wanted: Interface, alias: str, machine: Machine) -> Iterator[bytes]:
    """Encode the requests that turn an interface into the wanted one, in place."""
    index = index_of(machine, wanted.namespace, wanted.name)
    if found.up and not wanted.up:
        yield _raise_or_lower(index, up=False)
    attributes: Attributes = [("IFLA_IFALIAS", alias)] if found.begun else []
    if wanted.mac is not None and wanted.mac != found.mac:
        attributes.append(("IFLA_ADDRESS", wanted.mac))
    if wanted.mtu is not None and wanted.mtu != found.mtu:
        attributes.append(("IFLA_MTU", wanted.mtu))
    if wanted.master != found.master:
        master = index_of(machine, wanted.namespace, wanted.master) if wanted.master else 0
        attributes.append(("IFLA_MASTER", master))
    if attributes:
        yield _set(index, attributes)
    differing = _differing(found, wanted)
    if differing and KINDS[wanted.kind].has_settings:
        yield _kind_request(index, wanted.kind, differing)
    if (wanted.port or found.port) and wanted.port != found.port:
        yield from _port_requests(index, found.port, wanted.port)
    if wanted.up and not found.up:
        yield _raise_or_lower(index, up=True)


def marking(wanted: Interface, alias: str, machine: Machine) -> bytes:
    """Encode the request that gives an interface another alias."""
    return _set(index_of(machine, wanted.namespace, wanted.name), [("IFLA_IFALIAS", alias)])


def grouping(found: Interface, group: int, machine: Machine) -> bytes | None:
    """Encode the request that puts an interface into a group; None where there is no such interface.

    One group is the network's own, another that of what is about to be removed (`removal`).
    """
    index = machine.channel(found.namespace).index_of(found.name)
    return None if index is None else _set(index, [("IFLA_GROUP", group)])


def removal(group: int) -> bytes:
    """Encode the request that removes all interfaces of a group.

    One by one each would wait for the kernel's readers (some 30 ms), as a group they wait together.
    """
    return encoded(ifinfmsg, RTM_DELLINK, [("IFLA_GROUP", group)])


def moving(name: str, new_name: str, target: str, alias: str, source: str, machine: Machine) -> bytes:
    """Encode the request that moves a device to another namespace under another name."""
    index = index_of(machine, source, name)
    attributes: Attributes = [
        ("IFLA_NET_NS_FD", machine.descriptor(target)),
        ("IFLA_IFNAME", new_name),
        ("IFLA_IFALIAS", alias),
    ]
    return encoded(ifinfmsg, RTM_SETLINK, attributes, index=index)


def _differing(found: Interface, wanted: Interface) -> dict[str, Setting]:
    have = dict(found.settings)
    return {name: value for name, value in wanted.settings if value is not None and have.get(name) != value}


def _kind_request(index: int, kind: str, settings: dict[str, Setting]) -> bytes:
    data = KINDS[kind].write(settings)
    info = {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": data})]}
    return encoded(ifinfmsg, RTM_NEWLINK, [("IFLA_LINKINFO", info)], index=index)


def _set(index: int, attributes: Attributes) -> bytes:
    return encoded(ifinfmsg, RTM_SETLINK, attributes, index=index)


def _raise_or_lower(index: int, *, up: bool) -> bytes:
    request = message(ifinfmsg, RTM_SETLINK, [], index=index, change=_IFF_UP)
    request["flags"] = _IFF_UP if up else 0
    request.encode()
    return bytes(request.data)


def _port_requests(index: int, found: BridgePort | None, wanted: BridgePort | None) -> Iterator[bytes]:
    """Take a port out of the VLANs it leaves, then put it into those it joins."""
    before, after = memberships(found), memberships(wanted)
    leaving = [(vlan, 0) for vlan in before if vlan not in after]
    joining = [(vlan, flags) for vlan, flags in after.items() if before.get(vlan) != flags]
    for number, vlans in ((RTM_DELLINK, leaving), (RTM_SETLINK, joining)):
        if vlans:
            infos = [("IFLA_BRIDGE_VLAN_INFO", {"vid": vlan, "flags": flags}) for vlan, flags in vlans]
            yield encoded(
                ifinfmsg, number, [("IFLA_AF_SPEC", {"attrs": infos})], family=AF_BRIDGE, index=index
            )


def memberships(port: BridgePort | None) -> dict[int, int]:
    """Return the flags of each VLAN that a port is in; None is a new port, as the kernel makes it."""
    if port is None:
        # What the kernel gives a new port of a bridge (vlan_default_pvid).
        return {_DEFAULT_VLAN: VLAN_INFO_PVID | _VLAN_INFO_UNTAGGED}
    vlans = dict.fromkeys(port.tagged, 0)
    if port.untagged is not None:
        vlans[port.untagged] = VLAN_INFO_PVID | _VLAN_INFO_UNTAGGED
    return vlans
