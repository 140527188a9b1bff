"""Ports behind an address: one, a range, or a shift of the client's (manual: `bind`, `server`)."""

from __future__ import annotations

import re

from isthmus.config.codes import register
from isthmus.config.values.fault import BadValueError
from isthmus.config.values.rules import AddressRules, PortNeed
from isthmus.records import dataclass

BAD_PORT = register(
    "E0058",
    "bad port",
    """A port is a number from 1 to 65535. A bind line may have a range, 8000-8010; a server's port may be
    relative to the one that the client connected to, +1000 or -1000.""",
    "bind :8000-8010",
)

_HIGHEST = 65535
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")
_SHIFT = re.compile(r"[+-][0-9]{1,9}\Z")


@dataclass(frozen=True, slots=True)
class PortRange:
    """The ports from `first` to `last`, both counted."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many ports there are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class PortShift:
    """The port that the client connected to, plus `by` (which may be negative)."""

    by: int


Ports = PortRange | PortShift | None
"""What stands behind the colon. None, where a port is optional: not given, or 0."""


def parse_ports(text: str, rules: AddressRules) -> Ports:
    """Read what stands behind an address's colon; an empty text means that nothing does.

    Raises BadValueError.
    """
    expected = _expected(rules)
    if not text:
        if rules.port is PortNeed.REQUIRED:
            raise BadValueError(BAD_PORT, "the port is missing", expected, hint="an address ends with :PORT")
        return None
    if text[0] in "+-":
        return _shift(text, rules, expected)
    found = _RANGE.match(text)
    if not found:
        raise BadValueError(BAD_PORT, f"`{text}` is not a port", expected)
    first, last = int(found[1]), int(found[2] or found[1])
    if found[2] is not None and not rules.ranges:
        raise BadValueError(BAD_PORT, "a range of ports cannot be used here", expected)
    if first == last == 0 and rules.port is PortNeed.OPTIONAL:
        return None
    if first < 1 or last > _HIGHEST:
        raise BadValueError(BAD_PORT, f"port {text} is out of range", expected)
    if last < first:
        raise BadValueError(
            BAD_PORT, f"the range {text} is empty", expected, hint=f"did you mean `{last}-{first}`?"
        )
    return PortRange(first, last)


def _shift(text: str, rules: AddressRules, expected: str) -> PortShift:
    if not rules.shifts:
        raise BadValueError(BAD_PORT, "a relative port cannot be used here", expected)
    if not _SHIFT.match(text) or abs(int(text)) > _HIGHEST:
        raise BadValueError(BAD_PORT, f"`{text}` is not a relative port", expected)
    return PortShift(int(text))


def _expected(rules: AddressRules) -> str:
    forms = "a port from 1 to 65535"
    if rules.ranges:
        forms += ", or a range"
    if rules.shifts:
        forms += ", or +N or -N relative to the client's"
    return forms
