"""How wide text is, roughly, where no font can be asked: generous, so that boxes are never too small."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_NARROW = frozenset("iIjl.,:;|!'`()[]{}/\\ftr -")
_WIDE = frozenset("mwMW@%—…→")
LONGEST = 44
"""Characters of one line; what is longer is cut in the drawing and whole in its tooltip."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text in a usual sans-serif font of that size, in the size's unit."""
    return sum(_advance(each) for each in text) * size * (1.08 if bold else 1.0)


def _advance(character: str) -> float:
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.4
    if character in _WIDE:
        return 0.95
    return 0.72 if character.isupper() else 0.62


def clipped(text: str) -> str:
    """Return the text, cut to what a line holds."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
