"""Plain integers within limits, and percentages."""

from __future__ import annotations

import re

from isthmus.config.codes import register
from isthmus.config.values.fault import BadValueError

BAD_INTEGER = register(
    "E0053", "bad integer", "A whole number in decimal digits is needed, within the limits of its keyword."
)
BAD_PERCENTAGE = register(
    "E0054",
    "bad percentage",
    "A percentage is a whole number with a % behind it, within the keyword's limits.",
    "50%",
)

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}\Z")
_PERCENTAGE = re.compile(r"([0-9]{1,20})(%?)\Z")


def parse_integer(text: str, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """Read an integer from `minimum` to `maximum`. Raises BadValueError."""
    limits = f"an integer from {minimum} to {maximum}"
    if not _INTEGER.match(text):
        raise BadValueError(BAD_INTEGER, f"`{text}` is not an integer", limits)
    value = int(text)
    if not minimum <= value <= maximum:
        raise BadValueError(BAD_INTEGER, f"{text} is out of range", limits)
    return value


def parse_percentage(text: str, *, minimum: int = 0, maximum: int = 100, sign: bool = True) -> int:
    """Read a percentage and return its number. `sign` says whether the % must be written.

    Raises BadValueError.
    """
    limits = f"a percentage from {minimum}% to {maximum}%"
    found = _PERCENTAGE.match(text)
    if not found or (sign and not found[2]):
        raise BadValueError(BAD_PERCENTAGE, f"`{text}` is not a percentage", limits)
    value = int(found[1])
    if not minimum <= value <= maximum:
        raise BadValueError(BAD_PERCENTAGE, f"{text} is out of range", limits)
    return value
