"""Times: an integer with a unit, or in the keyword's own unit (manual 2.5)."""

from __future__ import annotations

import re
from enum import Enum

from isthmus.config.codes import register
from isthmus.config.values.fault import BadValueError
from isthmus.records import dataclass

BAD_TIME = register(
    "E0050",
    "bad time",
    """A time is an integer followed by us, ms, s, m, h or d; without a unit it counts in the keyword's own
    unit, mostly milliseconds. There are no fractions and no sums: write 1500ms for 1.5s.""",
    "timeout client 30s",
)
TIME_TOO_LONG = register(
    "E0051",
    "time too long",
    "A time may be up to 2147483647 of the keyword's unit: 24.8 days in milliseconds.",
)

_TIME = re.compile(r"([0-9]+)([A-Za-z]*)")
_LONGEST = 2**31 - 1
_EXPECTED = "an integer with a unit: us, ms, s, m, h or d"


class TimeUnit(Enum):
    """A unit of time; its value is its length in microseconds."""

    MICROSECONDS = 1
    MILLISECONDS = 1000
    SECONDS = 1_000_000
    MINUTES = 60_000_000
    HOURS = 3_600_000_000
    DAYS = 86_400_000_000


_UNITS = {
    "us": TimeUnit.MICROSECONDS,
    "ms": TimeUnit.MILLISECONDS,
    "s": TimeUnit.SECONDS,
    "m": TimeUnit.MINUTES,
    "h": TimeUnit.HOURS,
    "d": TimeUnit.DAYS,
}

_LONG_NAMES = {"milliseconds": "ms", "seconds": "s", "minutes": "m", "hours": "h", "days": "d"}


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time, in whole microseconds."""

    microseconds: int

    def in_units(self, unit: TimeUnit) -> int:
        """Return the time in a unit, rounded up as HAProxy does: what is not zero never becomes zero."""
        return -(-self.microseconds // unit.value)

    @property
    def milliseconds(self) -> int:
        """The time in milliseconds, rounded up."""
        return self.in_units(TimeUnit.MILLISECONDS)

    @property
    def seconds(self) -> float:
        """The time in seconds, exactly."""
        return self.microseconds / TimeUnit.SECONDS.value


def parse_time(text: str, default: TimeUnit = TimeUnit.MILLISECONDS) -> Duration:
    """Read a time; `default` is the keyword's own unit, in which the limit counts too.

    Raises BadValueError. Text behind the unit (`10sec`), with which HAProxy bears, is an error.
    """
    found = _TIME.match(text)
    if not found:
        raise BadValueError(BAD_TIME, f"`{text}` is not a time", _EXPECTED)
    digits, suffix = found.groups()
    unit = _UNITS.get(suffix) if suffix else default
    if unit is None or found.end() < len(text):
        hint = _hint(digits, text[len(digits) :])
        raise BadValueError(BAD_TIME, f"`{text}` is not a time", _EXPECTED, offset=len(digits), hint=hint)
    if len(digits) > 20 or (duration := Duration(int(digits) * unit.value)).in_units(default) > _LONGEST:
        limit = f"at most {_LONGEST} {default.name.lower()}"
        raise BadValueError(TIME_TOO_LONG, f"the time `{text}` is too long", limit)
    return duration


def _hint(digits: str, written: str) -> str | None:
    """Guess the unit that was meant: `10S`, `10sec`, `5minutes`."""
    lowered = written.lower()
    if lowered in _UNITS:
        return f"did you mean `{digits}{lowered}`?"
    for name, symbol in _LONG_NAMES.items():
        if len(lowered) >= 3 and name.startswith(lowered.removesuffix("s")):
            return f"did you mean `{digits}{symbol}`?"
    return None
