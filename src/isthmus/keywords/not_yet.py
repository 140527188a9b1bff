"""Parts of HTTP mode whose lines can be read, and which the engine does not have yet.

Each name is one switch: without it here, what it names works. Names are keywords as the dictionary has them.
"""

from __future__ import annotations

from isthmus.config import Span
from isthmus.keywords.codes import NOT_IMPLEMENTED
from isthmus.keywords.row import RefusedError

FILTERS = ("bwlim-in", "bwlim-out", "cache", "compression")
"""The filters whose lines can be read."""

NOT_YET: set[str] = set()
"""What waits for the engine."""


def works(name: str) -> bool:
    """Whether the engine has what a keyword or an action stands for; `filter` works if any filter does."""
    if name == "filter":
        return any(works(f"filter {each}") for each in FILTERS)
    return name not in NOT_YET


def refuse_not_yet(name: str, span: Span) -> None:
    """Refuse a line of a keyword that waits for the engine."""
    if not works(name):
        raise RefusedError(NOT_IMPLEMENTED, f"`{name}` is known to HAProxy, and not implemented yet", span)
