"""Which namespace a number stands for, by which one namespace knows another (network_namespaces(7)).

An interface whose peer or parent is elsewhere names it by an index and such a number.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyroute2.netlink.rtnl.nsidmsg import nsidmsg

from isthmus.network.machine import Machine
from isthmus.network.netlink.message import message

_RTM_GETNSID = 90


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
            request = message(
                nsidmsg, _RTM_GETNSID, [("NETNSA_FD", self._machine.descriptor(other))], family=0
            )
            answers = list(self._machine.channel(within).dump(request, flags=0))
            self._known[pair] = answers[0].get_attr("NETNSA_NSID") if answers else None
        return self._known[pair]
