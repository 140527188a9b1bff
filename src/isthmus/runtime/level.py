"""What the commands of a connection may do (`level` on a `stats socket` line)."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Each level may do what those below it may."""

    USER = 1
    OPERATOR = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str) -> Level:
        """Return the level of a `level` argument; raises KeyError for another word."""
        return cls[name.upper()]
