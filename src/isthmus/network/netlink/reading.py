"""What interfaces a namespace has, read at once.

Most of what the kernel tells of an interface is of no concern here, so the few attributes that are get
read from the raw answer; only a kind's own settings go through pyroute2.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from isthmus.network.model import BridgePort
from isthmus.network.netlink.channel import Channel, attributes
from isthmus.network.netlink.interfaces import AF_BRIDGE, VLAN_INFO_PVID, memberships
from isthmus.network.netlink.kinds import KINDS, LINK_SETTING
from isthmus.network.netlink.mark import Mark, group_of, read_mark
from isthmus.network.netlink.message import RTM_GETLINK, Decoded, message
from isthmus.network.objects import Interface, Setting

_IFF_UP = 0x1
_RTEXT_FILTER_BRVLAN = 0x2
_RTEXT_FILTER_SKIP_STATS = 0x8
_HEAD = struct.Struct("=BxHiII")
_NUMBER = struct.Struct("=I")
_SIGNED = struct.Struct("=i")

_ADDRESS, _IFNAME, _MTU, _LINK, _MASTER = 1, 3, 4, 5, 10
_LINKINFO, _IFALIAS, _GROUP, _NETNSID = 18, 20, 27, 37
_INFO_KIND = 1


@dataclass(frozen=True, slots=True)
class _Found:
    """An interface as it was told: the raw body, and what is asked of it most."""

    name: str
    flags: int
    attributes: dict[int, bytes]
    body: bytes

    def number(self, attribute: int) -> int | None:
        raw = self.attributes.get(attribute)
        return None if raw is None else int(_NUMBER.unpack_from(raw)[0])

    @property
    def alias(self) -> str | None:
        raw = self.attributes.get(_IFALIAS)
        return None if raw is None else _text(raw)

    @property
    def kind(self) -> str:
        information = attributes(self.attributes.get(_LINKINFO, b""), 0)
        kind = _text(information.get(_INFO_KIND, b""))
        return kind or ("loopback" if self.name == "lo" else "device")


class Reading:
    """One reading of all interfaces of a namespace, by index."""

    def __init__(self, namespace: str, channel: Channel) -> None:
        self.namespace = namespace
        self._channel = channel
        self._found: dict[int, _Found] = {}
        request = message(ifinfmsg, RTM_GETLINK, [("IFLA_EXT_MASK", _RTEXT_FILTER_SKIP_STATS)])
        for _, body in channel.bodies(request):
            _, _, index, flags, _ = _HEAD.unpack_from(body)
            told = attributes(body, _HEAD.size)
            self._found[index] = _Found(_text(told[_IFNAME]), flags, told, body)
        self.names: dict[int, str] = {index: each.name for index, each in self._found.items()}
        self._indexes = {name: index for index, name in self.names.items()}

    def marks(self, network: str) -> dict[str, Mark]:
        """Return the marks of the interfaces that belong to a network, by name."""
        group = group_of(network)
        marks: dict[str, Mark] = {}
        for each in self._found.values():
            mark = read_mark(each.alias)
            if mark is None and each.number(_GROUP) == group:
                mark = Mark(network)
            if mark is not None and mark.network == network:
                marks[each.name] = mark
        return marks

    def all_marks(self) -> dict[str, Mark]:
        """Return the marks of all interfaces that belong to any network, by name."""
        read = {each.name: read_mark(each.alias) for each in self._found.values()}
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
        settings = _settings(kind, each.body)
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
            begun=read_mark(each.alias) is None,
        )

    def has_bridge(self) -> bool:
        """Say whether any interface is a bridge, whose ports may filter VLANs."""
        return any(each.kind == "bridge" for each in self._found.values())

    def ports(self) -> dict[str, BridgePort]:
        """Read the VLANs of bridge ports; a port with the default alone is left out."""
        request = message(ifinfmsg, RTM_GETLINK, [("IFLA_EXT_MASK", _RTEXT_FILTER_BRVLAN)], family=AF_BRIDGE)
        ports: dict[str, BridgePort] = {}
        for link in self._channel.dump(request):
            specification = link.get_attr("IFLA_AF_SPEC")
            infos = specification.get_attrs("IFLA_BRIDGE_VLAN_INFO") if specification else []
            vlans = {info["vid"]: info["flags"] for info in infos}
            # None at all is also what a kernel without the feature tells.
            if vlans and vlans != memberships(None):
                tagged = tuple(sorted(vlan for vlan, flags in vlans.items() if not flags & VLAN_INFO_PVID))
                untagged = next((vlan for vlan, flags in vlans.items() if flags & VLAN_INFO_PVID), None)
                ports[self.names.get(link["index"], "")] = BridgePort(untagged, tagged)
        return ports


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def _settings(kind: str, body: bytes) -> dict[str, Setting]:
    known = KINDS.get(kind)
    if known is None or not known.has_settings:
        return {}
    link = ifinfmsg(struct.pack("=IHHII", 16 + len(body), 0, 0, 0, 0) + body)
    link.decode()
    return known.read(_attribute_reader(link))


def _attribute_reader(link: Decoded) -> Callable[[str], Any]:
    information = link.get_attr("IFLA_LINKINFO")
    data = information.get_attr("IFLA_INFO_DATA") if information is not None else None
    reader: Callable[[str], Any] = getattr(data, "get_attr", lambda _: None)
    return reader
