"""Sizes: an integer with k, m or g behind it, for powers of 1024."""

from __future__ import annotations

import re

from isthmus.config.codes import register
from isthmus.config.values.fault import BadValueError

BAD_SIZE = register(
    "E0052",
    "bad size",
    """A size is an integer, which k, m or g may follow for kilobytes, megabytes and gigabytes of 1024,
    1048576 and 1073741824. It may be limited by its keyword.""",
    "stick-table type ip size 100k",
)

_SIZE = re.compile(r"([0-9]+)([kKmMgG]?)\Z")
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def parse_size(text: str, *, minimum: int = 0, maximum: int = 2**32 - 1) -> int:
    """Read a size and return it in bytes (or in whatever the keyword counts). Raises BadValueError."""
    found = _SIZE.match(text)
    if not found:
        raise BadValueError(
            BAD_SIZE, f"`{text}` is not a size", "an integer, with k, m or g behind it if wanted"
        )
    digits, suffix = found.groups()
    value = int(digits) * _FACTORS[suffix.lower()] if len(digits) <= 20 else maximum + 1
    if not minimum <= value <= maximum:
        raise BadValueError(BAD_SIZE, f"the size `{text}` is out of range", f"{minimum} to {maximum}")
    return value
