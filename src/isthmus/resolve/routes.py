"""Whether the machine has a default route for IPv6 (manual 3.1 `dns-accept-family auto`)."""

from __future__ import annotations

from pathlib import Path

_TABLE = Path("/proc/net/ipv6_route")
_FOR = 30.0
"""Seconds that what was seen holds, as in HAProxy."""
_ANYWHERE = "0" * 32
_GATEWAY = 2
"""RTF_GATEWAY: the route goes by a router (route.h)."""


class Routes:
    """What was seen of the process's own namespace, and until when it holds."""

    def __init__(self, table: Path = _TABLE) -> None:
        self._table = table
        self._until = 0.0
        self._ipv6 = False

    def to_ipv6(self, now: float) -> bool:
        """Whether there is a default route, as seen within the last half minute."""
        if now >= self._until:
            self._until = now + _FOR
            self._ipv6 = self._look()
        return self._ipv6

    def _look(self) -> bool:
        try:
            # The kernel lists a whole table, which may be the Internet's; no more is read than is needed.
            with self._table.open(encoding="ascii") as lines:
                return any(_leads_anywhere(line.split()) for line in lines)
        except OSError:
            return False


def _leads_anywhere(fields: list[str]) -> bool:
    """Whether a line is of a default route by a router: destination, its length, source ... flags, device."""
    return (
        len(fields) == 10
        and fields[:2] == [_ANYWHERE, "00"]
        and int(fields[8], 16) & _GATEWAY != 0
        and fields[9] != "lo"
    )
