"""How the kernel remembers what belongs to a network, so that no file has to.

Interfaces carry an alias (also `lo` of a namespace that the network made), routes, rules and
neighbours a protocol number, nftables a table name (see `filtering`).
"""

from __future__ import annotations

import zlib

from isthmus.records import dataclass

_PREFIX = "isthmus:"
MARK_PREFIX = _PREFIX.encode()
"""What every alias of ours begins with, as the kernel tells it."""
_FROM = " from "
_ENDPOINTS = " endpoints "

_FIRST_PROTOCOL = 194
_GROUP_FLAG = 0x40000000
_CONDEMNED = 0x70000000
_PROTOCOLS = 56
"""Numbers 194 to 249, which no routing daemon of /etc/iproute2/rt_protos has."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An interface's alias: the network it belongs to and what the kernel knows nowhere else.

    For a device moved in, where it came from; for a tunnel, the digest of the endpoints that it was given.
    """

    network: str
    origin: tuple[str, str] | None = None
    endpoints: str | None = None

    def __str__(self) -> str:
        origin = f"{_FROM}{'/'.join(self.origin)}" if self.origin else ""
        endpoints = f"{_ENDPOINTS}{self.endpoints}" if self.endpoints else ""
        return f"{_PREFIX}{self.network}{origin}{endpoints}"


def read_mark(alias: str | None) -> Mark | None:
    """Read an interface's alias; None where it is none of ours."""
    if not alias or not alias.startswith(_PREFIX):
        return None
    rest, _, endpoints = alias.removeprefix(_PREFIX).partition(_ENDPOINTS)
    network, _, origin = rest.partition(_FROM)
    namespace, slash, name = origin.partition("/")
    return Mark(network, (namespace, name) if slash else None, endpoints or None)


def group_of(network: str) -> int:
    """Return the interface group that marks an interface from its making on.

    An alias can only be given afterwards; a crash in between must not leave an interface that nobody owns.
    """
    return _GROUP_FLAG | zlib.crc32(network.encode()) >> 2


def condemned_group_of(network: str) -> int:
    """Return the interface group of what is about to be removed."""
    return group_of(network) ^ _CONDEMNED


def protocol_of(network: str) -> int:
    """Return the protocol number that marks a network's routes, rules and neighbours."""
    return _FIRST_PROTOCOL + zlib.crc32(network.encode()) % _PROTOCOLS
