"""Shorthands to make pyroute2's messages: a class, a type, fields, attributes, flags."""

from __future__ import annotations

from typing import Any

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

Attributes = list[tuple[str, Any]]
Decoded = Any
"""A message or attribute as pyroute2 decodes it: it has no types for them."""


def message(
    kind: type[nlmsg], number: int, attributes: Attributes | None = None, *, flags: int = 0, **fields: int
) -> nlmsg:
    """Make a message of a pyroute2 class; `fields` are its fixed part."""
    made = kind()
    made["header"]["type"] = number
    made["header"]["flags"] = flags
    for name, value in fields.items():
        made[name] = value
    made["attrs"] = attributes or []
    return made


def encoded(
    kind: type[nlmsg], number: int, attributes: Attributes | None = None, *, flags: int = 0, **fields: int
) -> bytes:
    """Make a message and return it as the bytes that go to the kernel."""
    made = message(kind, number, attributes, flags=flags, **fields)
    made.encode()
    return bytes(made.data)
