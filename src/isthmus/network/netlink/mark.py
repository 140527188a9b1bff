"""How the kernel remembers what belongs to a network, so that no file has to.

Interfaces carry an alias (also `lo` of a namespace that the network made), routes, rules and
neighbours a protocol number, nftables a table name (see `filtering`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from isthmus.network.objects import ROUTE_SIGN, Before
from isthmus.records import dataclass

_PREFIX = "isthmus:"
MARK_PREFIX = _PREFIX.encode()
"""What every alias of ours begins with, as the kernel tells it."""
_FROM, _WAS, _GIVEN, _ENDPOINTS = "from", "was", "given", "endpoints"
_WORDS = (_FROM, _WAS, _GIVEN, _ENDPOINTS)
_NOTHING = "/"
"""Stands for a link address where there is none."""
_ROOM = 254
"""Bytes of an alias: the kernel refuses a longer one (IFALIASZ), and counts the zero byte behind it."""

_FIRST_PROTOCOL = 194
_GROUP_FLAG = 0x40000000
_CONDEMNED = 0x70000000
_PROTOCOLS = 56
"""Numbers 194 to 249, which no routing daemon of /etc/iproute2/rt_protos has."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An interface's alias: the network it belongs to and what the kernel knows nowhere else.

    For a device moved in, where it came from and how it was there; which properties the file gives; for
    a tunnel, the digest of the endpoints that it was given.
    """

    network: str
    origin: tuple[str, str] | None = None
    endpoints: str | None = None
    given: frozenset[str] = frozenset()
    before: Before | None = None

    def __str__(self) -> str:
        if self.origin is None and self.endpoints is None and not self.given:
            return f"{_PREFIX}{self.network}"
        words = [f"{_PREFIX}{self.network}"]
        if self.origin is not None:
            words += [_FROM, "/".join(self.origin)]
        behind = [_GIVEN, ",".join(sorted(self.given))] if self.given else []
        if self.endpoints is not None:
            behind += [_ENDPOINTS, self.endpoints]
        if self.before is not None:
            words += _fitting(self.before, _ROOM - len(" ".join([*words, *behind]).encode()) - 1)
        return " ".join([*words, *behind])


def _fitting(before: Before, room: int) -> list[str]:
    """Say how a device was, with as many of its addresses and routes as there is room for."""
    state = "up" if before.up else "down"
    # With a slash in front a master is none of our own words, whatever its name.
    words = [_WAS, state, str(before.mtu or 0), before.mac or _NOTHING, f"/{before.master or ''}"]
    for each in (*before.addresses, *before.routes):
        if len(" ".join([*words, each]).encode()) > room:
            break
        words.append(each)
    return words


def read_mark(alias: str | None) -> Mark | None:
    """Read an interface's alias; None where it is none of ours."""
    if not alias or not alias.startswith(_PREFIX):
        return None
    network, *words = alias.removeprefix(_PREFIX).split(" ")
    if not words:
        return Mark(network)
    told = dict(_parts(words))
    namespace, slash, name = "".join(told.get(_FROM, ())).partition("/")
    given = told.get(_GIVEN)
    return Mark(
        network,
        (namespace, name) if slash else None,
        "".join(told.get(_ENDPOINTS, ())) or None,
        frozenset(given[0].split(",")) if given else frozenset(),
        _before(told.get(_WAS, [])),
    )


def _parts(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Part what follows a network's name at our own words."""
    starts = [place for place, word in enumerate(words) if word in _WORDS]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield words[start], words[start + 1 : end]


def _before(words: list[str]) -> Before | None:
    if len(words) < 4 or not words[1].isdecimal():
        return None
    state, mtu, mac, master, *rest = words
    return Before(
        state == "up",
        int(mtu) or None,
        None if mac == _NOTHING else mac,
        master.removeprefix("/") or None,
        tuple(each for each in rest if ROUTE_SIGN not in each),
        tuple(each for each in rest if ROUTE_SIGN in each),
    )


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
