"""What interfaces a namespace has, read at once.

Most of what the kernel tells of an interface is of no concern here: the few attributes that are get read
from the raw answer.
"""

from __future__ import annotations

import struct

from isthmus.network.model import BridgePort
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import AF_BRIDGE, VLAN_INFO_PVID, memberships
from isthmus.network.netlink.kinds import KINDS, LINK_SETTING
from isthmus.network.netlink.mark import MARK_PREFIX, Mark, group_of, read_mark
from isthmus.network.netlink.message import RTM_GETLINK, attributes, listed, nested, number, request, text
from isthmus.network.netlink.queues import DISCIPLINES
from isthmus.network.objects import Interface, Setting

_IFF_UP = 0x1
_RTEXT_FILTER_BRVLAN = 0x2
_RTEXT_FILTER_SKIP_STATS = 0x8
_HEAD = struct.Struct("=BxHiII")
_NUMBER = struct.Struct("=I")
_ATTRIBUTE = struct.Struct("=HH")
_SIGNED = struct.Struct("=i")

_ADDRESS, _IFNAME, _MTU, _LINK, _QDISC, _MASTER = 1, 3, 4, 5, 6, 10
_LINKINFO, _IFALIAS, _AF_SPEC, _GROUP, _EXT_MASK, _NETNSID = 18, 20, 26, 27, 29, 37
_INFO_KIND, _INFO_DATA, _BRIDGE_VLAN_INFO = 1, 2, 2
_GROUP_HEAD = _ATTRIBUTE.pack(_ATTRIBUTE.size + _NUMBER.size, _GROUP)
_VLAN_INFO = struct.Struct("=HH")
_BRIEFLY = (_EXT_MASK, number(_RTEXT_FILTER_SKIP_STATS))
_ALL = request(RTM_GETLINK, bytes(_HEAD.size), [_BRIEFLY])
_BRIDGES = request(
    RTM_GETLINK, bytes(_HEAD.size), [_BRIEFLY, nested(_LINKINFO, [(_INFO_KIND, text("bridge"))])]
)
_PORTS = request(RTM_GETLINK, _HEAD.pack(AF_BRIDGE, 0, 0, 0, 0), [(_EXT_MASK, number(_RTEXT_FILTER_BRVLAN))])


class _Found:
    """An interface as it was told. Its forty attributes are taken apart when one is asked for."""

    __slots__ = ("_attributes", "_body", "_kind", "flags", "name")

    def __init__(self, body: bytes, flags: int) -> None:
        self._body = body
        self._attributes: dict[int, bytes] | None = None
        self._kind = ""
        self.flags = flags
        # The kernel tells the name first.
        length, kind = _ATTRIBUTE.unpack_from(body, _HEAD.size)
        first = body[_HEAD.size + 4 : _HEAD.size + length]
        self.name = _text(first if kind == _IFNAME else self.attributes[_IFNAME])

    @property
    def attributes(self) -> dict[int, bytes]:
        if self._attributes is None:
            self._attributes = attributes(self._body, _HEAD.size)
        return self._attributes

    def number(self, attribute: int) -> int | None:
        raw = self.attributes.get(attribute)
        return None if raw is None else int(_NUMBER.unpack_from(raw)[0])

    def may_be_in_group(self, group: int) -> bool:
        """Say no where the group is another one, without taking the attributes apart."""
        return _GROUP_HEAD + _NUMBER.pack(group) in self._body

    @property
    def mark(self) -> Mark | None:
        place = self._body.find(MARK_PREFIX)
        if place < 0:
            return None
        length, kind = _ATTRIBUTE.unpack_from(self._body, place - _ATTRIBUTE.size)
        if kind == _IFALIAS:
            # What stands before it has a zero byte, which no name can have: it is the attribute.
            raw = self._body[place : place - _ATTRIBUTE.size + length]
        else:
            raw = self.attributes.get(_IFALIAS, b"")
        return read_mark(_text(raw))

    @property
    def kind(self) -> str:
        if not self._kind:
            information = attributes(self.attributes.get(_LINKINFO, b""), 0)
            kind = _text(information.get(_INFO_KIND, b""))
            self._kind = kind or ("loopback" if self.name == "lo" else "device")
        return self._kind


class Reading:
    """One reading of all interfaces of a namespace, by index.

    With `bridges_alone` the kernel is asked for bridges: it may tell of others too, but need not. With
    `alone` it is asked for that one, by its index; the names of those that it is connected to are not known.
    """

    def __init__(
        self, namespace: str, channel: Channel, *, bridges_alone: bool = False, alone: int | None = None
    ) -> None:
        self.namespace = namespace
        self._channel = channel
        self._found: dict[int, _Found] = {}
        if alone is None:
            bodies = channel.bodies(_BRIDGES if bridges_alone else _ALL)
        else:
            one = request(RTM_GETLINK, _HEAD.pack(0, 0, alone, 0, 0), [_BRIEFLY])
            bodies = channel.bodies(one, flags=0)
        for body in bodies:
            _, _, index, flags, _ = _HEAD.unpack_from(body)
            self._found[index] = _Found(body, flags)
        self.names: dict[int, str] = {index: each.name for index, each in self._found.items()}
        self._indexes = {name: index for index, name in self.names.items()}

    def marks(self, network: str) -> dict[str, Mark]:
        """Return the marks of the interfaces that belong to a network, by name."""
        group = group_of(network)
        marks: dict[str, Mark] = {}
        for each in self._found.values():
            mark = each.mark
            if mark is None and each.may_be_in_group(group) and each.number(_GROUP) == group:
                mark = Mark(network)
            if mark is not None and mark.network == network:
                marks[each.name] = mark
        return marks

    def is_bundled(self, network: str) -> bool:
        """Say whether the interfaces made for a network are all that is in its group, and all are in it."""
        group, marks = group_of(network), self.marks(network)
        made = {name for name, mark in marks.items() if mark.origin is None and name != "lo"}
        return made == {
            each.name
            for each in self._found.values()
            if each.may_be_in_group(group) and each.number(_GROUP) == group
        }

    def all_marks(self) -> dict[str, Mark]:
        """Return the marks of all interfaces that belong to any network, by name."""
        read = {each.name: each.mark for each in self._found.values()}
        return {name: mark for name, mark in read.items() if mark is not None}

    def index(self, name: str) -> int | None:
        """Return the index of an interface."""
        return self._indexes.get(name)

    def beneath(self, index: int) -> tuple[int, int | None] | None:
        """Return the index of an interface's peer or parent, and the number of the namespace where it is.

        The number is None where that is this namespace.
        """
        each = self._found[index]
        below, elsewhere = each.number(_LINK), each.attributes.get(_NETNSID)
        if not below:
            return None
        return below, None if elsewhere is None else int(_SIGNED.unpack_from(elsewhere)[0])

    def interface(self, name: str) -> Interface | None:
        """Describe an interface. Peers and parents in other namespaces are not resolved."""
        index = self._indexes.get(name)
        if index is None:
            return None
        each = self._found[index]
        kind = each.kind
        below = self.beneath(index)
        near = below is not None and below[1] is None and below[0] in self.names
        beneath = (self.namespace, self.names[below[0]]) if below is not None and near else None
        settings = _settings(kind, each.attributes)
        link = settings.pop(LINK_SETTING, None)
        if isinstance(link, int) and link in self.names:
            beneath = (self.namespace, self.names[link])
        master = each.number(_MASTER)
        return Interface(
            namespace=self.namespace,
            name=name,
            kind=kind,
            settings=tuple(sorted(settings.items())),
            peer=beneath if kind == "veth" else None,
            parent=None if kind == "veth" else beneath,
            mac=each.attributes.get(_ADDRESS, b"").hex(":") or None,
            mtu=each.number(_MTU),
            up=bool(each.flags & _IFF_UP),
            master=self.names.get(master) if master else None,
            begun=each.mark is None,
        )

    def bridges_up(self, network: str) -> list[int]:
        """Return the indexes of a network's bridges that are up."""
        marks = self.marks(network)
        up = ((index, each) for index, each in self._found.items() if each.flags & _IFF_UP)
        return [index for index, each in up if each.name in marks and each.kind == "bridge"]

    def has_bridge(self) -> bool:
        """Say whether any interface is a bridge, whose ports may filter VLANs."""
        return any(each.kind == "bridge" for each in self._found.values())

    def is_shaped(self) -> bool:
        """Say whether any interface has a queueing discipline that a file can ask for."""
        return any(_text(each.attributes.get(_QDISC, b"")) in DISCIPLINES for each in self._found.values())

    def ports(self) -> dict[str, BridgePort]:
        """Read the VLANs of bridge ports; a port with the default alone is left out."""
        ports: dict[str, BridgePort] = {}
        for body in self._channel.bodies(_PORTS):
            index = _HEAD.unpack_from(body)[2]
            specification = listed(attributes(body, _HEAD.size).get(_AF_SPEC, b""))
            infos = [_VLAN_INFO.unpack_from(raw) for kind, raw in specification if kind == _BRIDGE_VLAN_INFO]
            vlans = {vlan: flags for flags, vlan in infos}
            # None at all is also what a kernel without the feature tells.
            if vlans and vlans != memberships(None):
                tagged = tuple(sorted(vlan for vlan, flags in vlans.items() if not flags & VLAN_INFO_PVID))
                untagged = next((vlan for vlan, flags in vlans.items() if flags & VLAN_INFO_PVID), None)
                ports[self.names.get(index, "")] = BridgePort(untagged, tagged)
        return ports


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def _settings(kind: str, told: dict[int, bytes]) -> dict[str, Setting]:
    known = KINDS.get(kind)
    if known is None or not known.has_settings:
        return {}
    information = attributes(told.get(_LINKINFO, b""))
    return known.read(attributes(information.get(_INFO_DATA, b"")))
