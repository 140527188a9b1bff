"""Arguments of fetches and converters that are addresses or netmasks."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from isthmus.keywords.wrong_argument import WrongArgumentError
from isthmus.model.expression import Argument, IpArg, MaskArg, StrArg

_BITS = re.compile(r"[0-9]{1,3}\Z")


def _ipv4(text: str) -> Argument:
    try:
        return IpArg(IPv4Address(text))
    except AddressValueError:
        raise WrongArgumentError("an IPv4 address") from None


def _ipv6(text: str) -> Argument:
    try:
        return IpArg(IPv6Address(text))
    except AddressValueError:
        raise WrongArgumentError("an IPv6 address") from None


def _ip(text: str) -> Argument:
    return _ipv6(text) if ":" in text else _ipv4(text)


def _default_address(text: str) -> Argument:
    _ip(text)
    return StrArg(text)


def _mask4(text: str) -> Argument:
    if _BITS.match(text) and int(text) <= 32:
        return MaskArg(int(text))
    try:
        mask = int(IPv4Address(text))
    except AddressValueError:
        raise WrongArgumentError("an IPv4 netmask: a number of bits up to 32, or four numbers") from None
    bits = mask.bit_count()
    if mask != ((1 << bits) - 1) << (32 - bits):
        raise WrongArgumentError("an IPv4 netmask whose ones stand together")
    return MaskArg(bits)


def _mask6(text: str) -> Argument:
    if _BITS.match(text) and int(text) <= 128:
        return MaskArg(int(text))
    try:
        mask = int(IPv6Address(text))
    except AddressValueError:
        raise WrongArgumentError("an IPv6 netmask: a number of bits up to 128, or an address") from None
    bits = mask.bit_count()
    if mask != ((1 << bits) - 1) << (128 - bits):
        raise WrongArgumentError("an IPv6 netmask whose ones stand together")
    return MaskArg(bits)


ADDRESSES: dict[str, Callable[[str], Argument]] = {
    "IPv4 address": _ipv4,
    "IPv6 address": _ipv6,
    "ip": _ip,
    "default address": _default_address,
    "IPv4 mask": _mask4,
    "IPv6 mask": _mask6,
}
"""How they are read, by their types."""
