"""The kinds of interface: how each one's settings are told to the kernel and read back from it.

One row a kind. A setting that the kernel can change in place is `live`; for another the interface is
made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from isthmus.network.netlink.message import Raw, byte, network_short, number, short, to_number
from isthmus.network.objects import Setting
from isthmus.records import dataclass

_BR_FORWARD_DELAY, _BR_STP_STATE, _BR_VLAN_FILTERING = 1, 5, 7
_MACVLAN_MODE = 1
_IPVLAN_MODE, _IPVLAN_FLAGS_ATTRIBUTE = 1, 2
_VLAN_ID, _VLAN_PROTOCOL = 1, 5
_VXLAN_ID, _VXLAN_LINK, _VXLAN_PORT = 1, 3, 15
_VXLAN_GROUP, _VXLAN_GROUP6, _VXLAN_LOCAL, _VXLAN_LOCAL6 = 2, 16, 4, 17
_VRF_TABLE = 1

_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
_IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
_VLAN_PROTOCOLS = {"802.1Q": 0x8100, "802.1ad": 0x88A8}
_CENTISECONDS = 100

ETHERNET = 1500
"""The MTU of most new interfaces."""
_OVERHEAD_OF_WIREGUARD = 80
BENEATH = -1
"""For an MTU: that of the interface beneath."""

Told = Mapping[int, bytes]
"""A kind's own attributes as the kernel tells them (IFLA_INFO_DATA)."""

LINK_SETTING = "link"
"""The index of a vxlan's parent: it stands among the kind's own settings, not where others have it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the settings of a kind become IFLA_INFO_DATA and come back.

    `module` is the kernel module that has it, for messages about a kernel that lacks it. `absent` are
    settings for which None means that there is none, not that any will do. `mtu` is what the kernel gives
    a new one: a number, BENEATH; None where it depends, so that the interface has to be made again.
    """

    module: str
    write: Callable[[Mapping[str, Setting]], Raw]
    read: Callable[[Told], dict[str, Setting]]
    live: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    mtu: int | None = ETHERNET

    @property
    def has_settings(self) -> bool:
        """Whether there is anything to read of the kind but that an interface is of it."""
        return self.read is not _nothing_read


def _nothing_written(_: Mapping[str, Setting]) -> Raw:
    return []


def _nothing_read(_: Told) -> dict[str, Setting]:
    return {}


def _write_bridge(settings: Mapping[str, Setting]) -> Raw:
    told: Raw = []
    for name, attribute, encode in (
        ("stp", _BR_STP_STATE, number),
        ("vlan_filtering", _BR_VLAN_FILTERING, byte),
        ("forward_delay", _BR_FORWARD_DELAY, _centiseconds),
    ):
        value = settings.get(name)
        if isinstance(value, int):
            told.append((attribute, encode(int(value))))
    return told


def _centiseconds(seconds: int) -> bytes:
    return number(seconds * _CENTISECONDS)


def _read_bridge(told: Told) -> dict[str, Setting]:
    return {
        "stp": bool(to_number(told.get(_BR_STP_STATE))),
        "vlan_filtering": bool(to_number(told.get(_BR_VLAN_FILTERING))),
        "forward_delay": (to_number(told.get(_BR_FORWARD_DELAY)) or 0) // _CENTISECONDS,
    }


def _write_macvlan(settings: Mapping[str, Setting]) -> Raw:
    return [(_MACVLAN_MODE, number(_MACVLAN_MODES[str(settings["mode"])]))]


def _read_macvlan(told: Told) -> dict[str, Setting]:
    return {"mode": _named(to_number(told.get(_MACVLAN_MODE)), _MACVLAN_MODES)}


def _write_ipvlan(settings: Mapping[str, Setting]) -> Raw:
    return [
        (_IPVLAN_MODE, short(_IPVLAN_MODES[str(settings["mode"])])),
        (_IPVLAN_FLAGS_ATTRIBUTE, short(_IPVLAN_FLAGS[str(settings["flag"])])),
    ]


def _read_ipvlan(told: Told) -> dict[str, Setting]:
    return {
        "mode": _named(to_number(told.get(_IPVLAN_MODE)), _IPVLAN_MODES),
        "flag": _named(to_number(told.get(_IPVLAN_FLAGS_ATTRIBUTE)), _IPVLAN_FLAGS),
    }


def _write_vlan(settings: Mapping[str, Setting]) -> Raw:
    return [
        (_VLAN_ID, short(settings["identifier"])),
        (_VLAN_PROTOCOL, network_short(_VLAN_PROTOCOLS[str(settings["protocol"])])),
    ]


def _read_vlan(told: Told) -> dict[str, Setting]:
    protocol = _from_network(told.get(_VLAN_PROTOCOL))
    return {"identifier": to_number(told.get(_VLAN_ID)), "protocol": _named(protocol, _VLAN_PROTOCOLS)}


def _from_network(raw: bytes | None) -> int | None:
    return None if raw is None else int.from_bytes(raw, "big")


def _write_vxlan(settings: Mapping[str, Setting]) -> Raw:
    told: Raw = [
        (_VXLAN_ID, number(settings["identifier"])),
        (_VXLAN_PORT, network_short(settings["port"])),
    ]
    for name, four, six in (
        ("remote", _VXLAN_GROUP, _VXLAN_GROUP6),
        ("local", _VXLAN_LOCAL, _VXLAN_LOCAL6),
    ):
        if settings.get(name) is not None:
            address = ip_address(str(settings[name]))
            told.append((six if address.version == 6 else four, address.packed))
    return told


def _read_vxlan(told: Told) -> dict[str, Setting]:
    return {
        "identifier": to_number(told.get(_VXLAN_ID)),
        "port": _from_network(told.get(_VXLAN_PORT)),
        LINK_SETTING: to_number(told.get(_VXLAN_LINK)),
        "remote": _address(told.get(_VXLAN_GROUP) or told.get(_VXLAN_GROUP6)),
        "local": _address(told.get(_VXLAN_LOCAL) or told.get(_VXLAN_LOCAL6)),
    }


def link_of(index: int) -> tuple[int, bytes]:
    """Return the attribute that names a vxlan's parent."""
    return _VXLAN_LINK, number(index)


def _address(raw: bytes | None) -> str | None:
    return str(ip_address(raw)) if raw else None


def _write_vrf(settings: Mapping[str, Setting]) -> Raw:
    return [(_VRF_TABLE, number(settings["table"]))]


def _read_vrf(told: Told) -> dict[str, Setting]:
    return {"table": to_number(told.get(_VRF_TABLE))}


def _named(value: int | None, names: Mapping[str, int]) -> str:
    """Return the name of a value."""
    return next((name for name, number in names.items() if number == value), str(value))


KINDS: dict[str, Kind] = {
    "veth": Kind("veth", _nothing_written, _nothing_read),
    "bridge": Kind(
        "bridge", _write_bridge, _read_bridge, frozenset({"stp", "vlan_filtering", "forward_delay"})
    ),
    "macvlan": Kind("macvlan", _write_macvlan, _read_macvlan, mtu=BENEATH),
    "ipvlan": Kind("ipvlan", _write_ipvlan, _read_ipvlan, mtu=BENEATH),
    "vlan": Kind("8021q", _write_vlan, _read_vlan, mtu=BENEATH),
    "vxlan": Kind("vxlan", _write_vxlan, _read_vxlan, absent=frozenset({"remote", "local"}), mtu=None),
    "dummy": Kind("dummy", _nothing_written, _nothing_read),
    # Told and asked by a protocol of its own: see `wireguard`.
    "wireguard": Kind(
        "wireguard",
        _nothing_written,
        _nothing_read,
        frozenset({"private_key", "listen_port", "mark", "peers", "endpoints"}),
        mtu=ETHERNET - _OVERHEAD_OF_WIREGUARD,
    ),
    "vrf": Kind("vrf", _write_vrf, _read_vrf, mtu=None),
}
"""Every kind that `apply` can make, by the kernel's name."""
