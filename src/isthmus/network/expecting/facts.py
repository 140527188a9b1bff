"""What the kernel says of one namespace: links, addresses, routes, neighbours. Reads; judges nothing."""

from __future__ import annotations

import time
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink import nlmsg
from pyroute2.netlink.exceptions import NetlinkError

from isthmus.network.expecting.verdict import IpAddress, error_words
from isthmus.network.spaces import Space
from isthmus.records import dataclass

_UP, _LOOPBACK, _LOWER_UP = 0x1, 0x8, 0x10000
_DUPLICATE, _TENTATIVE = 0x08, 0x40
_LOCAL_ROUTE = 2
_FAMILIES = {4: 2, 6: 10}
_NEIGHBOUR_STATES = {0x01: "incomplete", 0x20: "failed"}

_DETECTION = 2.5
"""Seconds that duplicate address detection may take; until then an IPv6 address cannot be used."""


@dataclass(frozen=True, slots=True)
class LinkFact:
    """An interface; `carrier` is false where what is at its other end is down or gone.

    Of a bridge's port, `port_state` is what the spanning tree has it do, and `master` the bridge's index.
    """

    index: int
    name: str
    up: bool
    carrier: bool = True
    loopback: bool = False
    master: int | None = None
    port_state: int | None = None


@dataclass(frozen=True, slots=True)
class AddressFact:
    """An address on an interface; a tentative one does not serve yet, a duplicate one never will."""

    interface: str
    address: IPv4Interface | IPv6Interface
    tentative: bool = False
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """The links and addresses of one namespace."""

    name: str
    links: tuple[LinkFact, ...] = ()
    addresses: tuple[AddressFact, ...] = ()

    def link(self, name: str) -> LinkFact | None:
        """Return the interface with this name."""
        return next((link for link in self.links if link.name == name), None)

    def carrying(self, address: IpAddress) -> AddressFact | None:
        """Return the address with its interface, where it is one of the namespace's."""
        return next((each for each in self.addresses if each.address.ip == address), None)

    @property
    def reachable(self) -> tuple[AddressFact, ...]:
        """The addresses that others can use: neither of the loopback network nor of one link only."""
        local = (each for each in self.addresses if not each.address.ip.is_loopback)
        return tuple(each for each in local if not each.address.ip.is_link_local)

    @property
    def unsettled(self) -> bool:
        """Whether duplicate address detection is still under way."""
        waiting = (each for each in self.addresses if each.tentative and not each.duplicate)
        links = (self.link(each.interface) for each in waiting)
        return any(link is not None and link.up and link.carrier for link in links)


@dataclass(frozen=True, slots=True)
class RouteFact:
    """The way that the kernel chooses for an address, or in `refusal` why there is none."""

    device: str = ""
    via: IpAddress | None = None
    source: IpAddress | None = None
    local: bool = False
    refusal: str = ""


def read(space: Space) -> SpaceFacts:
    """Read a namespace, waiting for duplicate address detection to end. OSError where it is absent."""
    deadline = time.monotonic() + _DETECTION
    found = space.call(_read_here, space.name)
    while found.unsettled and time.monotonic() < deadline:
        time.sleep(0.05)
        found = space.call(_read_here, space.name)
    return found


def _read_here(name: str) -> SpaceFacts:
    with IPRoute() as netlink:
        links = tuple(_link(each) for each in netlink.get_links())
        names = {link.index: link.name for link in links}
        addresses = tuple(_address(each, names) for each in netlink.get_addr())
    return SpaceFacts(name, links, addresses)


def _link(message: nlmsg) -> LinkFact:
    flags = message["flags"]
    return LinkFact(
        message["index"],
        message.get_attr("IFLA_IFNAME"),
        bool(flags & _UP),
        bool(flags & _LOWER_UP),
        bool(flags & _LOOPBACK),
        message.get_attr("IFLA_MASTER"),
        message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE"),
    )


def _address(message: nlmsg, names: dict[int, str]) -> AddressFact:
    text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    flags = message.get_attr("IFA_FLAGS") or message["flags"]
    return AddressFact(
        names.get(message["index"], ""),
        ip_interface(f"{text}/{message['prefixlen']}"),
        bool(flags & _TENTATIVE),
        bool(flags & _DUPLICATE),
    )


def route(space: Space, address: IpAddress) -> RouteFact:
    """Ask the kernel how a namespace would send to an address (`ip route get`)."""
    return space.call(_route_here, address)


def _route_here(address: IpAddress) -> RouteFact:
    with IPRoute() as netlink:
        try:
            family = _FAMILIES[address.version]
            (found, *_) = netlink.route("get", dst=str(address), family=family)
        except NetlinkError as error:
            return RouteFact(refusal=error_words(OSError(error.code, "")))
        names = {each["index"]: each.get_attr("IFLA_IFNAME") for each in netlink.get_links()}
    via, source = found.get_attr("RTA_GATEWAY"), found.get_attr("RTA_PREFSRC")
    return RouteFact(
        names.get(found.get_attr("RTA_OIF"), ""),
        ip_address(via) if via else None,
        ip_address(source) if source else None,
        found["type"] == _LOCAL_ROUTE,
    )


def unanswered(space: Space, address: IpAddress, device: str) -> bool:
    """Say whether the neighbour was asked for (by ARP or neighbour discovery) and does not answer."""
    return space.call(_unanswered_here, str(address), device)


def _unanswered_here(address: str, device: str) -> bool:
    with IPRoute() as netlink:
        indexes = {each.get_attr("IFLA_IFNAME"): each["index"] for each in netlink.get_links()}
        for each in netlink.get_neighbours():
            if each.get_attr("NDA_DST") == address and each["ifindex"] == indexes.get(device):
                return each["state"] in _NEIGHBOUR_STATES
    return False


def forwards(space: Space, version: int) -> bool:
    """Say whether a namespace passes on what is not for itself."""
    setting = "ipv4/ip_forward" if version == 4 else "ipv6/conf/all/forwarding"
    return space.call(Path("/proc/sys/net", setting).read_text).strip() != "0"
