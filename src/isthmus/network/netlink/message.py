"""Messages made and taken apart: the frequent ones of plain bytes, the others by pyroute2's classes.

pyroute2 encodes some 3,000 messages a second and takes 80 ms to import, so that networks of links,
addresses and routes do without it; whoever needs one of its classes imports it where it is used.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyroute2.netlink import nlmsg

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38

NLM_F_CREATE = 0x400
NLM_F_EXCL = 0x200
NLM_F_REPLACE = 0x100
CREATE = NLM_F_CREATE | NLM_F_EXCL
REPLACE = NLM_F_CREATE | NLM_F_REPLACE

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_NLA_TYPE = 0x3FFF
_NLA_F_NESTED = 0x8000

Raw = list[tuple[int, bytes]]
"""Attributes by their numbers, with their encoded values."""
Attributes = list[tuple[str, Any]]
"""Attributes as pyroute2 takes them."""
Decoded = Any
"""A message or attribute as pyroute2 decodes it: it has no types for them."""


byte = struct.Struct("=B").pack
short = struct.Struct("=H").pack
network_short = struct.Struct("!H").pack
number = struct.Struct("=I").pack


def text(value: str) -> bytes:
    """Encode a text as the kernel takes it."""
    return value.encode() + b"\0"


def joined(attributes: Iterable[tuple[int, bytes]]) -> bytes:
    """Encode attributes: what a nested one holds, too."""
    parts: list[bytes] = []
    for kind, value in attributes:
        parts += (_ATTRIBUTE.pack(4 + len(value), kind), value, b"\0" * (-len(value) % 4))
    return b"".join(parts)


def attribute(kind: int, value: bytes) -> bytes:
    """Encode one attribute."""
    return joined([(kind, value)])


def nest(kind: int, content: bytes) -> bytes:
    """Encode an attribute that holds others, with the flag that says so."""
    return attribute(kind | _NLA_F_NESTED, content)


def nested(kind: int, content: Iterable[tuple[int, bytes]]) -> tuple[int, bytes]:
    """Return an attribute that holds others, for `request`."""
    return kind | _NLA_F_NESTED, joined(content)


def request(kind: int, head: bytes, attributes: Iterable[tuple[int, bytes]] = (), *, flags: int = 0) -> bytes:
    """Encode a request of its fixed part and its attributes."""
    body = head + joined(attributes)
    return _HEADER.pack(16 + len(body), kind, flags, 0, 0) + body


def listed(body: bytes, start: int = 0) -> Raw:
    """Split what follows the fixed part of a body into its attributes."""
    found: Raw = []
    while start + 4 <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, start)
        if length < 4:
            break
        found.append((kind & _NLA_TYPE, body[start + 4 : start + length]))
        start += (length + 3) & ~3
    return found


def attributes(body: bytes, start: int = 0) -> dict[int, bytes]:
    """Return the attributes that follow the fixed part of a body, by number."""
    # What `listed` does, without its tuples: an interface alone has forty attributes.
    found: dict[int, bytes] = {}
    unpack, last = _ATTRIBUTE.unpack_from, len(body) - 4
    while start <= last:
        length, kind = unpack(body, start)
        if length < 4:
            break
        found[kind & _NLA_TYPE] = body[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def to_number(raw: bytes | None) -> int | None:
    """Decode an unsigned number of one, two or four bytes; None where there is none."""
    return None if raw is None else int.from_bytes(raw, sys.byteorder)


def decoded(kind: type[nlmsg], body: bytes) -> Decoded:
    """Decode a body by a pyroute2 class."""
    answer = kind(_HEADER.pack(16 + len(body), 0, 0, 0, 0) + body)
    answer.decode()
    return answer


def message(
    kind: type[nlmsg],
    code: int,
    attributes: Attributes | None = None,
    *,
    flags: int = 0,
    **fields: int,
) -> nlmsg:
    """Make a message of a pyroute2 class; `fields` are its fixed part."""
    made = kind()
    made["header"]["type"] = code
    made["header"]["flags"] = flags
    for name, value in fields.items():
        made[name] = value
    made["attrs"] = attributes or []
    return made


def encoded(
    kind: type[nlmsg],
    code: int,
    attributes: Attributes | None = None,
    *,
    flags: int = 0,
    **fields: int,
) -> bytes:
    """Make a message and return it as the bytes that go to the kernel."""
    made = message(kind, code, attributes, flags=flags, **fields)
    made.encode()
    return bytes(made.data)
