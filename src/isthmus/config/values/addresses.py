"""Addresses (manual 11): families and protocols by prefix, hosts, ports, paths and names.

Parsing resolves nothing and opens nothing: a host name stays a name, a descriptor a number. A port is
what stands behind the last colon, so an IPv6 address without a port is written in brackets.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal

from isthmus.config.codes import register
from isthmus.config.nearest import nearest
from isthmus.config.values.fault import BadValueError
from isthmus.config.values.forms import (
    AbstractAddress,
    Address,
    FdAddress,
    InetAddress,
    NamedAddress,
    SockpairAddress,
    UnixAddress,
)
from isthmus.config.values.ports import parse_ports
from isthmus.config.values.rules import AddressRules, Family, PortNeed, Transport
from isthmus.records import dataclass

BAD_ADDRESS = register(
    "E0056",
    "bad address",
    """An address is HOST:PORT, where HOST is an IPv4 address, an IPv6 address, a host name, * or nothing;
    or a path that begins with a slash; or one of the forms with a prefix: ipv4@ ipv6@ tcp@ tcp4@ tcp6@
    udp@ udp4@ udp6@ unix@ uxst@ uxdg@ abns@ abnsz@ fd@ sockpair@ and, for logs, stdout, stderr and
    ring@. An IPv6 address without a port needs brackets.""",
    "bind [::1]:8080",
)
ADDRESS_NOT_HERE = register(
    "E0057",
    "address of a kind that does not fit here",
    """The address is well formed, but its keyword cannot use one of this kind: a bind line cannot take a
    datagram address, for instance, and a server cannot be a file descriptor.""",
)


@dataclass(frozen=True, slots=True)
class _Prefix:
    family: Family
    transport: Transport | None = None
    version: Literal[4, 6] | None = None


_PREFIXES = {
    "ip": _Prefix(Family.INET),
    "ipv4": _Prefix(Family.INET, None, 4),
    "ipv6": _Prefix(Family.INET, None, 6),
    "tcp": _Prefix(Family.INET, Transport.STREAM),
    "tcp4": _Prefix(Family.INET, Transport.STREAM, 4),
    "tcp6": _Prefix(Family.INET, Transport.STREAM, 6),
    "udp": _Prefix(Family.INET, Transport.DATAGRAM),
    "udp4": _Prefix(Family.INET, Transport.DATAGRAM, 4),
    "udp6": _Prefix(Family.INET, Transport.DATAGRAM, 6),
    "mptcp": _Prefix(Family.INET, Transport.MPTCP),
    "mptcp4": _Prefix(Family.INET, Transport.MPTCP, 4),
    "mptcp6": _Prefix(Family.INET, Transport.MPTCP, 6),
    "quic4": _Prefix(Family.INET, Transport.QUIC, 4),
    "quic6": _Prefix(Family.INET, Transport.QUIC, 6),
    "unix": _Prefix(Family.UNIX),
    "uxst": _Prefix(Family.UNIX, Transport.STREAM),
    "uxdg": _Prefix(Family.UNIX, Transport.DATAGRAM),
    "abns": _Prefix(Family.ABSTRACT),
    "abnsz": _Prefix(Family.ABSTRACT),
    "fd": _Prefix(Family.FD),
    "sockpair": _Prefix(Family.SOCKPAIR),
    "ring": _Prefix(Family.RING),
    "backend": _Prefix(Family.BACKEND),
    "rhttp": _Prefix(Family.REVERSE),
}
_SPLIT = re.compile(r"(?:(?P<socket>stream|dgram)\+)?(?P<name>[A-Za-z0-9_+.-]*)@(?P<rest>.*)", re.DOTALL)
_SOCKETS = {"stream": Transport.STREAM, "dgram": Transport.DATAGRAM}
_NAMES = {
    Family.INET: "an internet address",
    Family.UNIX: "a unix socket",
    Family.ABSTRACT: "an abstract socket",
    Family.FD: "a file descriptor",
    Family.SOCKPAIR: "a socket pair",
    Family.STANDARD: "stdout or stderr",
    Family.RING: "a ring",
    Family.BACKEND: "a backend",
    Family.REVERSE: "a reverse connection",
}
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


def parse_addresses(text: str, rules: AddressRules) -> tuple[Address, ...]:
    """Read addresses joined with commas, as on a bind line. Raises BadValueError."""
    addresses: list[Address] = []
    offset = 0
    for part in text.split(","):
        # HAProxy bears with a comma at the end.
        if part or offset == 0 or offset < len(text):
            try:
                addresses.append(parse_address(part, rules))
            except BadValueError as fault:
                raise fault.shifted(offset) from None
        offset += len(part) + 1
    return tuple(addresses)


def parse_address(text: str, rules: AddressRules) -> Address:
    """Read one address. Raises BadValueError."""
    if not text:
        raise BadValueError(
            BAD_ADDRESS, "the address is empty", _expected(rules), hint="is a variable not set?"
        )
    prefix, rest = _prefix(text)
    offset = len(text) - len(rest)
    if not prefix.family & rules.families:
        raise BadValueError(
            ADDRESS_NOT_HERE, f"{_NAMES[prefix.family]} cannot be used here", _expected(rules)
        )
    transport = prefix.transport or rules.transport
    if transport not in rules.transports:
        kinds = " or ".join(sorted(each.value for each in rules.transports))
        message = f"an address of transport {transport.value} cannot be used here"
        raise BadValueError(ADDRESS_NOT_HERE, message, f"transport {kinds}")
    try:
        if prefix.family is Family.INET:
            return _inet(rest, prefix.version, transport, rules)
        return _local(text, rest, prefix.family, transport, rules)
    except BadValueError as fault:
        raise fault.shifted(offset) from None


def _prefix(text: str) -> tuple[_Prefix, str]:
    """Split an address into what its prefix says and the rest."""
    if text.startswith("/"):
        return _Prefix(Family.UNIX), text
    if text in ("stdout", "stderr"):
        return _Prefix(Family.STANDARD), text
    found = _SPLIT.match(text)
    if not found:
        return _Prefix(Family.INET), text
    name = found["name"]
    prefix = _PREFIXES.get(name)
    if prefix is None or (found["socket"] and prefix.transport):
        near = nearest(name, _PREFIXES)
        raise BadValueError(
            BAD_ADDRESS,
            f"unknown address prefix `{text[: found.start('rest')]}`",
            "one of " + " ".join(f"{each}@" for each in _PREFIXES),
            length=found.start("rest"),
            hint=f"did you mean `{near}@`?" if near else None,
        )
    if found["socket"]:
        prefix = _Prefix(prefix.family, _SOCKETS[found["socket"]], prefix.version)
    return prefix, found["rest"]


def _expected(rules: AddressRules) -> str:
    return ", ".join(name for family, name in _NAMES.items() if family & rules.families)


def _inet(text: str, version: Literal[4, 6] | None, transport: Transport, rules: AddressRules) -> InetAddress:
    host, colon, port = text.rpartition(":")
    if not colon or (text.endswith("]") and text.startswith("[")) or rules.port is PortNeed.FORBIDDEN:
        host, colon, port = text, "", ""
    found = _host(host, version, rules, whole=text)
    try:
        ports = parse_ports(port, rules)
    except BadValueError as fault:
        raise fault.shifted(len(host) + len(colon)) from None
    known = None if isinstance(found, str) else found.version
    return InetAddress(found, ports, known if known in (4, 6) else version, transport)


def _host(
    text: str, version: Literal[4, 6] | None, rules: AddressRules, whole: str
) -> IPv4Address | IPv6Address | str:
    if text in ("", "*"):
        return IPv6Address(0) if version == 6 else IPv4Address(0)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    address = _literal(bare)
    if address is not None:
        if version is not None and address.version != version:
            wanted = f"an IPv{version} address"
            raise BadValueError(BAD_ADDRESS, f"`{bare}` is not {wanted}", wanted, length=len(text))
        return address
    if ":" in text or "[" in text or "]" in text:
        raise _bad_ipv6(text, rules, whole)
    if re.fullmatch(r"[0-9.]+", text):
        raise BadValueError(
            BAD_ADDRESS, f"`{text}` is not an IPv4 address", "four numbers up to 255", length=len(text)
        )
    if not rules.names or len(text) > 253 or not _HOST_NAME.fullmatch(text):
        wanted = "an IP address or a host name" if rules.names else "an IP address"
        raise BadValueError(BAD_ADDRESS, f"`{text}` is not {wanted}", wanted, length=len(text))
    return text


def _bad_ipv6(text: str, rules: AddressRules, whole: str) -> BadValueError:
    """Say what is wrong with a host that has colons or brackets and is no address."""
    if rules.port is PortNeed.FORBIDDEN:
        return BadValueError(BAD_ADDRESS, f"`{text}` is not an address without a port", "an address alone")
    if _literal(whole):
        message = f"without a port, the IPv6 address `{whole}` needs brackets"
        return BadValueError(BAD_ADDRESS, message, "ADDRESS:PORT or [ADDRESS]", hint=f"write `[{whole}]`")
    message = f"`{text}` is not an IPv6 address"
    return BadValueError(BAD_ADDRESS, message, "ADDRESS:PORT or [ADDRESS]:PORT", length=len(text))


def _literal(text: str) -> IPv4Address | IPv6Address | None:
    """Read an IP address as it is written in full, or return None."""
    if "%" in text:
        return None
    try:
        return IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return None


def _local(text: str, rest: str, family: Family, transport: Transport, rules: AddressRules) -> Address:
    """Read an address that is no internet address."""
    if not rest:
        raise BadValueError(BAD_ADDRESS, f"nothing stands behind `{text}`", _NAMES[family])
    if family is Family.UNIX or family is Family.ABSTRACT:
        longest = rules.longest_path if family is Family.UNIX else 107
        if len(rest.encode("utf-8", "surrogateescape")) > longest:
            raise BadValueError(BAD_ADDRESS, "the socket's name is too long", f"at most {longest} bytes")
        if family is Family.UNIX:
            return UnixAddress(rest, transport)
        return AbstractAddress(rest, "abnsz@" not in text[: len(text) - len(rest)], transport)
    if family is Family.FD or family is Family.SOCKPAIR:
        if not re.fullmatch(r"[0-9]{1,9}", rest):
            raise BadValueError(BAD_ADDRESS, f"`{rest}` is not a file descriptor", "a descriptor's number")
        return FdAddress(int(rest), transport) if family is Family.FD else SockpairAddress(int(rest))
    return NamedAddress(family, rest)
