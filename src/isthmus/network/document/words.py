"""The single values of a network file: names, addresses, ports, times, rates. No file is read here.

Parsers take a text and raise ValueError, with what is wrong where the expected form does not say it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import shlex
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from isthmus.network.document.kinds import Json, Word
from isthmus.network.model import Ports

_INTEGER = re.compile(r"-?(?:[0-9]{1,20}|0x[0-9a-fA-F]{1,16})\Z")
_AMOUNT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)([a-z]+|%)?\Z")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\Z")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?/(tcp|udp)\Z")

_TEXT: Json = {"type": ["string", "number"]}
_FOUR = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
_OCTETS = rf"({_FOUR}|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)"
_ENDPOINT = rf"({_FOUR}|\[{_OCTETS}\]):[0-9]{{1,5}}"


def _like(pattern: str, *, number: bool = False) -> Json:
    """Return what an editor can tell of a word: its shape, which every word that is accepted has.

    `number`: YAML takes some such words for numbers, of which the shape says nothing.
    """
    return {"type": ["string", "number"] if number else "string", "pattern": f"^(?:{pattern})$"}


def _amount_of(units: str) -> Json:
    """Return the shape of an amount with a unit; nothing at all needs none."""
    amount = _like(rf"[0-9]{{1,12}}(\.[0-9]{{1,9}})?({units})|0+(\.0+)?")
    return {"anyOf": [amount, {"const": 0}]}


def _shaped(pattern: str, reason: str = "") -> Callable[[str], str]:
    shape = re.compile(rf"(?:{pattern})\Z")

    def parse(text: str) -> str:
        if not shape.match(text):
            raise ValueError(reason)
        return text

    return parse


def _interface_name(text: str) -> str:
    if len(text.encode()) > 15:
        raise ValueError(f"the kernel takes at most 15 bytes, and this has {len(text.encode())}")
    if not text or text in (".", "..") or re.search(r"[\s/:%]", text) or not text.isprintable():
        raise ValueError("no blanks, `/`, `:` or `%`, and neither `.` nor `..`")
    return text


def _file_name(text: str) -> str:
    if text in (".", "..") or not re.match(r"[A-Za-z0-9_.-]{1,64}\Z", text):
        raise ValueError("")
    return text


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character")
    return text


def _filled(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("nothing in it")
    return text


_HOSTNAME = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"
_USER = r"[a-z_][a-z0-9_.-]{0,31}\$?|[0-9]{1,10}"
NETWORK_NAME = Word(
    "lower-case letters, digits and dashes, at most 31",
    _shaped("[a-z0-9][a-z0-9-]{0,30}"),
    _like("[a-z0-9][a-z0-9-]{0,30}", number=True),
)
FILE_NAME = Word(
    "a name of letters, digits, `_`, `.` and `-`, at most 64",
    _file_name,
    _like("[A-Za-z0-9_.-]{1,64}", number=True),
)
INTERFACE = Word(
    "an interface name: at most 15 bytes, no blanks, `/` or `:`",
    _interface_name,
    _like(r"[^\s/:%]{1,15}", number=True),
)
HOSTNAME = Word(
    "a host name: letters, digits, dashes and dots, at most 63",
    _shaped(_HOSTNAME),
    _like(_HOSTNAME, number=True),
)
TEXT = Word("a text", _text, {"type": ["string", "number", "boolean"]}, boolean=True)
PATH = Word("a path", _filled, {"type": "string", "minLength": 1})
USER = Word("a user's name or number", _shaped(_USER), _like(_USER, number=True))
SYSCTL = Word(
    "a setting under /proc/sys/net", _shaped(r"net[./](?!.*[./]{2})[A-Za-z0-9_./-]+"), {"type": "string"}
)
VARIABLE = Word("a variable's name", _shaped(r"[^=\0]+"), {"type": "string"})


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("")
    return text.lower() == "true"


BOOLEAN = Word("true or false", _boolean, {"type": "boolean"}, boolean=True, choices=("true", "false"))


def integer(low: int, high: int, what: str = "a whole number") -> Word:
    """Return the kind of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not _INTEGER.match(text):
            raise ValueError("")
        value = int(text, 16 if "x" in text else 10)
        if not low <= value <= high:
            raise ValueError(f"{value} is out of range")
        return value

    json: Json = {"type": ["integer", "string"], "minimum": low, "maximum": high}
    json["pattern"] = "^(?:-?(?:[0-9]{1,20}|0x[0-9a-fA-F]{1,16}))$"
    return Word(f"{what} from {low} to {high}", parse, json)


def choice(*names: str) -> Word:
    """Return the kind of one word out of several."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError("")
        return text

    numbers = [int(name) for name in names if name.isdigit()]
    return Word(" or ".join(names), parse, {"enum": [*names, *numbers]}, choices=names)


def _amount(text: str, units: dict[str, float], bare: bool) -> float:
    match = _AMOUNT.match(text)
    if not match or (match[2] is None and not bare and float(match[1])):
        raise ValueError("" if not match else "the unit is missing")
    unit = match[2] or ""
    if unit and unit not in units:
        raise ValueError(f"units are {', '.join(units)}")
    return float(match[1]) * (units[unit] if unit else 1.0)


_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BITS = {"bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_BYTES = {"k": 1024.0, "m": 1024.0**2, "g": 1024.0**3}


def parse_duration(text: str) -> float:
    """Return a time in seconds, such as 5ms. Raises ValueError."""
    return round(_amount(text, _SECONDS, False), 9)


def parse_rate(text: str) -> int:
    """Return a rate in bits per second, such as 10mbit. Raises ValueError."""
    rate = round(_amount(text, _BITS, False))
    if not rate:
        raise ValueError("a rate is more than nothing")
    return rate


def _whole_seconds(text: str) -> int:
    seconds = parse_duration(text)
    if seconds != int(seconds):
        raise ValueError("whole seconds only")
    return int(seconds)


def _microseconds(text: str) -> int:
    value = round(_amount(text, _SECONDS, False) * 1e6)
    if value > 2**31:
        raise ValueError("the kernel takes at most 35 minutes")
    return value


def _size(text: str) -> int:
    value = round(_amount(text, _BYTES, True))
    if not 0 < value < 2**31:
        raise ValueError("from 1 byte to 2g")
    return value


def _percent(text: str) -> float:
    value = _amount(text.removesuffix("%"), {}, True)
    if value > 100:
        raise ValueError("at most 100%")
    return value


_TIME_WORDS = "a time with its unit (us, ms, s, m, h)"
DURATION = Word(_TIME_WORDS, parse_duration, _amount_of("us|ms|s|m|h"))
MICROSECONDS = Word(_TIME_WORDS, _microseconds, _amount_of("us|ms|s|m|h"))
WHOLE_SECONDS = Word("a time in whole seconds, such as 2s", _whole_seconds, _amount_of("us|ms|s|m|h"))
RATE = Word("a rate: bit, kbit, mbit or gbit per second", parse_rate, _amount_of("bit|kbit|mbit|gbit"))
SIZE = Word(
    "a size in bytes, or with k, m or g", _size, _like(r"[0-9]{1,12}(\.[0-9]{1,9})?[kmg]?", number=True)
)
PERCENT = Word(
    "a percentage, such as 1% or 0.5%", _percent, _like(r"[0-9]{1,12}(\.[0-9]{1,9})?%?", number=True)
)


@lru_cache(maxsize=65536)
def _mac(text: str) -> str:
    if not _MAC.match(text):
        raise ValueError("")
    if int(text[:2], 16) & 1:
        raise ValueError("the first octet is odd: that is a group's address, not one interface's")
    if set(text) <= {"0", ":"}:
        raise ValueError("the address of no interface")
    return text.lower()


@lru_cache(maxsize=65536)
def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IP address. Raises ValueError."""
    if "%" in text or text.isdigit():
        raise ValueError("no zones and no bare numbers")
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("") from None


@lru_cache(maxsize=65536)
def _interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    address, slash, prefix = text.partition("/")
    if not slash:
        raise ValueError("the prefix length is missing")
    if not prefix.isdecimal() or "%" in address:
        raise ValueError("")
    interface = ipaddress.ip_interface(text)
    if interface.ip.is_multicast or interface.ip.is_unspecified:
        raise ValueError("no interface can have this address")
    return interface


@lru_cache(maxsize=65536)
def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return a network; one address is a network of its own. Raises ValueError."""
    _, slash, prefix = text.partition("/")
    if "%" in text or text.isdigit() or (slash and not prefix.isdecimal()):
        raise ValueError("")
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        if "host bits" not in str(error):
            raise
    raise ValueError(f"bits behind the prefix are set: {ipaddress.ip_network(text, strict=False)} is meant?")


def _destination(text: str) -> object:
    return None if text == "default" else parse_network(text)


def _ports(text: str) -> Ports:
    match = _PORTS.match(text)
    if not match:
        raise ValueError("")
    first, last = int(match[1]), int(match[2] or match[1])
    if not 0 < first <= last < 65536:
        raise ValueError("ports are 1 to 65535, the lower one first")
    return Ports(match[3], first, last)


def parse_endpoint(text: str) -> tuple[Any, int]:
    """Return address and port, IPv6 in brackets: 10.0.0.1:80, [2001:db8::1]:80. Raises ValueError."""
    address, _, port = text.rpartition(":")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    elif ":" in address:
        raise ValueError("an IPv6 address is in brackets where a port follows")
    if not port.isdecimal() or not port.isascii() or len(port) > 5 or not 0 < int(port) < 65536:
        raise ValueError("the port is 1 to 65535")
    return parse_address(address), int(port)


def _forward_target(text: str) -> tuple[Any, int | None]:
    try:
        return parse_address(text), None
    except ValueError:
        return parse_endpoint(text)


def _ready_port(text: str) -> tuple[str, int]:
    if text.isdecimal() and text.isascii() and 0 < int(text[:6]) < 65536:
        return "127.0.0.1", int(text)
    address, port = parse_endpoint(text)
    return str(address), port


_MARK = integer(0, 2**32 - 1)


def _mark(text: str) -> tuple[int, int | None]:
    value, slash, mask = text.partition("/")
    return _MARK.parse(value), _MARK.parse(mask) if slash else None


def _key(text: str) -> str:
    try:
        fits = len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        fits = False
    if not fits:
        raise ValueError("")
    return text


def _split(text: str) -> tuple[str, ...]:
    words = tuple(shlex.split(text))
    if not words or "\0" in text or not words[0]:
        raise ValueError("no command in it")
    return words


MAC = Word(
    "a MAC address of six octets, such as 02:00:00:00:00:01",
    _mac,
    _like("[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}"),
)
ADDRESS = Word("an IPv4 or IPv6 address", parse_address, _like(_OCTETS))
INTERFACE_ADDRESS = Word(
    "an address with its prefix, such as 10.0.0.1/24", _interface, _like(f"{_OCTETS}/[0-9]{{1,3}}")
)
PREFIX = Word(
    "an address or a network, such as 10.0.0.0/8", parse_network, _like(f"{_OCTETS}(/[0-9]{{1,3}})?")
)
DESTINATION = Word(
    "`default`, an address or a network", _destination, _like(f"default|{_OCTETS}(/[0-9]{{1,3}})?")
)
PORTS = Word(
    "a port or a range with its protocol, such as 443/tcp",
    _ports,
    _like("[0-9]{1,5}(-[0-9]{1,5})?/(tcp|udp)"),
)
ENDPOINT = Word("an address and a port, such as 10.0.0.1:51820", parse_endpoint, _like(_ENDPOINT))
FORWARD_TARGET = Word("an address, or address and port", _forward_target, _like(f"{_OCTETS}|{_ENDPOINT}"))
READY_PORT = Word("a port, or address and port", _ready_port, _like(f"[0-9]{{1,5}}|{_ENDPOINT}", number=True))
MARK = Word("a number, or number and mask: 0x1/0xff", _mark, _TEXT)
KEY = Word("a wireguard key: 32 bytes in base64", _key, _like("[A-Za-z0-9+/]{43}="))
COMMAND_LINE = Word("a command", _split, {"type": "string"})
