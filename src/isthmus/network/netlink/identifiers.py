"""Which namespace a number stands for, by which one namespace knows another (network_namespaces(7)).

An interface whose peer or parent is elsewhere names it by an index and such a number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from isthmus.network.machine import Machine
from isthmus.network.netlink.message import attributes, number, request

_RTM_GETNSID = 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_HEAD = bytes(4)


class Identifiers:
    """Answers which namespace is meant, asking the kernel once for each pair."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._known: dict[tuple[str, str], int | None] = {}

    def named(self, within: str, identifier: int, candidates: Iterable[str]) -> str | None:
        """Return the first candidate that `within` knows by the identifier."""
        return next((each for each in candidates if self._of(within, each) == identifier), None)

    def _of(self, within: str, other: str) -> int | None:
        pair = (within, other)
        if pair not in self._known:
            asked = request(_RTM_GETNSID, _HEAD, [(_NETNSA_FD, number(self._machine.descriptor(other)))])
            told = [attributes(body, len(_HEAD)) for body in self._machine.channel(within).bodies(asked, 0)]
            raw = told[0].get(_NETNSA_NSID) if told else None
            self._known[pair] = None if raw is None else int.from_bytes(raw, sys.byteorder, signed=True)
        return self._known[pair]
