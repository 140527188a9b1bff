"""The kinds of interface: how each one's settings are told to the kernel and read back from it.

One row a kind. A setting that the kernel can change in place is `live`; for another the interface is
made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from isthmus.network.netlink.message import Attributes
from isthmus.network.objects import Setting


class _IpvlanSettings(nla):  # type: ignore[misc]  # pyroute2 has no types
    """What linux/if_link.h has under IFLA_IPVLAN_*; pyroute2 0.9 has no name for the flags."""

    prefix = "IFLA_"
    nla_map = (
        ("IFLA_IPVLAN_UNSPEC", "none"),
        ("IFLA_IPVLAN_MODE", "uint16"),
        ("IFLA_IPVLAN_FLAGS", "uint16"),
    )


ifinfmsg.ifinfo.register_link_kind(module={"ipvlan": _IpvlanSettings})

_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
_IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
_VLAN_PROTOCOLS = {"802.1Q": 0x8100, "802.1ad": 0x88A8}
_CENTISECONDS = 100

LINK_SETTING = "link"
"""The index of a vxlan's parent: it stands among the kind's own settings, not where others have it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the settings of a kind become IFLA_INFO_DATA and come back.

    `module` is the kernel module that has it, for messages about a kernel that lacks it.
    """

    module: str
    write: Callable[[Mapping[str, Setting]], Attributes]
    read: Callable[[Callable[[str], Any]], dict[str, Setting]]
    live: frozenset[str] = frozenset()

    @property
    def has_settings(self) -> bool:
        """Whether there is anything to read of the kind but that an interface is of it."""
        return self.read is not _nothing_read


def _nothing_written(_: Mapping[str, Setting]) -> Attributes:
    return []


def _nothing_read(_: Callable[[str], Any]) -> dict[str, Setting]:
    return {}


def _write_bridge(settings: Mapping[str, Setting]) -> Attributes:
    rows = (
        ("stp", "IFLA_BR_STP_STATE", 1),
        ("vlan_filtering", "IFLA_BR_VLAN_FILTERING", 1),
        ("forward_delay", "IFLA_BR_FORWARD_DELAY", _CENTISECONDS),
    )
    given = ((attribute, settings.get(name), factor) for name, attribute, factor in rows)
    return [(attribute, int(value) * factor) for attribute, value, factor in given if isinstance(value, int)]


def _read_bridge(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    return {
        "stp": bool(attribute("IFLA_BR_STP_STATE")),
        "vlan_filtering": bool(attribute("IFLA_BR_VLAN_FILTERING")),
        "forward_delay": (attribute("IFLA_BR_FORWARD_DELAY") or 0) // _CENTISECONDS,
    }


def _write_macvlan(settings: Mapping[str, Setting]) -> Attributes:
    return [("IFLA_MACVLAN_MODE", _MACVLAN_MODES[str(settings["mode"])])]


def _read_macvlan(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    return {"mode": _named(attribute("IFLA_MACVLAN_MODE"), _MACVLAN_MODES)}


def _write_ipvlan(settings: Mapping[str, Setting]) -> Attributes:
    return [
        ("IFLA_IPVLAN_MODE", _IPVLAN_MODES[str(settings["mode"])]),
        ("IFLA_IPVLAN_FLAGS", _IPVLAN_FLAGS[str(settings["flag"])]),
    ]


def _read_ipvlan(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    return {
        "mode": _named(attribute("IFLA_IPVLAN_MODE"), _IPVLAN_MODES),
        "flag": _named(attribute("IFLA_IPVLAN_FLAGS"), _IPVLAN_FLAGS),
    }


def _write_vlan(settings: Mapping[str, Setting]) -> Attributes:
    return [
        ("IFLA_VLAN_ID", settings["identifier"]),
        ("IFLA_VLAN_PROTOCOL", _VLAN_PROTOCOLS[str(settings["protocol"])]),
    ]


def _read_vlan(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    protocol = attribute("IFLA_VLAN_PROTOCOL")
    return {"identifier": attribute("IFLA_VLAN_ID"), "protocol": _named(protocol, _VLAN_PROTOCOLS)}


def _write_vxlan(settings: Mapping[str, Setting]) -> Attributes:
    attributes: Attributes = [
        ("IFLA_VXLAN_ID", settings["identifier"]),
        ("IFLA_VXLAN_PORT", settings["port"]),
    ]
    for name, four, six in (
        ("remote", "IFLA_VXLAN_GROUP", "IFLA_VXLAN_GROUP6"),
        ("local", "IFLA_VXLAN_LOCAL", "IFLA_VXLAN_LOCAL6"),
    ):
        address = settings.get(name)
        if address is not None:
            attributes.append((six if ":" in str(address) else four, str(address)))
    return attributes


def _read_vxlan(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    return {
        "identifier": attribute("IFLA_VXLAN_ID"),
        "port": attribute("IFLA_VXLAN_PORT"),
        LINK_SETTING: attribute("IFLA_VXLAN_LINK"),
        "remote": attribute("IFLA_VXLAN_GROUP") or attribute("IFLA_VXLAN_GROUP6"),
        "local": attribute("IFLA_VXLAN_LOCAL") or attribute("IFLA_VXLAN_LOCAL6"),
    }


def _write_vrf(settings: Mapping[str, Setting]) -> Attributes:
    return [("IFLA_VRF_TABLE", settings["table"])]


def _read_vrf(attribute: Callable[[str], Any]) -> dict[str, Setting]:
    return {"table": attribute("IFLA_VRF_TABLE")}


def _named(value: object, names: Mapping[str, int]) -> str:
    """Return the name of a value, whether pyroute2 has turned it into a name already or not."""
    if isinstance(value, str):
        return value
    return next((name for name, number in names.items() if number == value), str(value))


KINDS: dict[str, Kind] = {
    "veth": Kind("veth", _nothing_written, _nothing_read),
    "bridge": Kind(
        "bridge", _write_bridge, _read_bridge, frozenset({"stp", "vlan_filtering", "forward_delay"})
    ),
    "macvlan": Kind("macvlan", _write_macvlan, _read_macvlan),
    "ipvlan": Kind("ipvlan", _write_ipvlan, _read_ipvlan),
    "vlan": Kind("8021q", _write_vlan, _read_vlan),
    "vxlan": Kind("vxlan", _write_vxlan, _read_vxlan),
    "dummy": Kind("dummy", _nothing_written, _nothing_read),
    # Told and asked by a protocol of its own: see `wireguard`.
    "wireguard": Kind(
        "wireguard",
        _nothing_written,
        _nothing_read,
        frozenset({"private_key", "listen_port", "mark", "peers", "endpoints"}),
    ),
    "vrf": Kind("vrf", _write_vrf, _read_vrf),
}
"""Every kind that `apply` can make, by the kernel's name."""
