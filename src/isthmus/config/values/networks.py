"""Networks: an address, or an address with a prefix length or a mask behind a slash."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

from isthmus.config.codes import register
from isthmus.config.values.fault import BadValueError

BAD_NETWORK = register(
    "E0055",
    "bad network",
    """A network is an IPv4 or IPv6 address, which a slash and a prefix length may follow, or for IPv4 a
    mask such as 255.255.0.0. Bits of the address behind the mask do not count.""",
    "acl inside src 10.0.0.0/8 fd00::/8",
)

Network = IPv4Network | IPv6Network

_EXPECTED = "an address, ADDRESS/LENGTH or ADDRESS/MASK"


def parse_network(text: str) -> Network:
    """Read a network; an address alone is a network of one. Raises BadValueError."""
    host, slash, mask = text.partition("/")
    address = _address(host)
    if address is None:
        raise BadValueError(BAD_NETWORK, f"`{host}` is not an IP address", _EXPECTED, length=len(host))
    length = _length(mask, address) if slash else address.max_prefixlen
    if length is None:
        wanted = f"a length from 0 to {address.max_prefixlen}" + (
            " or a mask" if address.version == 4 else ""
        )
        message = f"`{mask}` is no prefix length of an IPv{address.version} network"
        raise BadValueError(BAD_NETWORK, message, wanted, offset=len(host) + 1)
    if isinstance(address, IPv4Address):
        return IPv4Network((address, length), strict=False)
    return IPv6Network((address, length), strict=False)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(text) if ":" in text and "%" not in text else IPv4Address(text)
    except AddressValueError:
        return None


def _length(mask: str, address: IPv4Address | IPv6Address) -> int | None:
    """Return the prefix length of a mask, or None if it is none or has holes."""
    if re.fullmatch(r"[0-9]{1,3}", mask):
        return int(mask) if int(mask) <= address.max_prefixlen else None
    if address.version == 6:
        return None
    try:
        bits = f"{int(IPv4Address(mask)):032b}"
    except AddressValueError:
        return None
    return None if "01" in bits else bits.count("1")
