"""Version numbers as `version_atleast` and its kin compare them (manual 2.4).

The form is that of `haproxy -v`: 2.6.12, 2.4-dev18, 2.4-dev18-abcdef-12; missing parts count as
zero, a -dev version comes before its release, commits after a release come behind it.
"""

from __future__ import annotations

import re

from isthmus.records import dataclass

_SHAPE = re.compile(
    r"(?P<numbers>\d+(?:\.\d+){0,3})(?:-dev(?P<dev>\d+))?(?:-[0-9a-f]{6,})?(?:-(?P<commits>\d+)\Z)?", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version in comparable form: four numbers, then the development step, then the commits."""

    numbers: tuple[int, int, int, int]
    dev: float
    commits: int


def parse_version(text: str) -> Version | None:
    """Read a version, or return None if the text does not begin with a number.

    What follows the parts that are known (`+deb12u4`, `-rc1`) is passed over, as HAProxy does.
    """
    found = _SHAPE.match(text.strip())
    if not found or any(len(part) > 9 for part in re.findall(r"\d+", found.group())):
        return None
    numbers = [int(part) for part in found["numbers"].split(".")] + [0, 0, 0]
    dev = float(found["dev"]) if found["dev"] else float("inf")
    return Version((numbers[0], numbers[1], numbers[2], numbers[3]), dev, int(found["commits"] or 0))
