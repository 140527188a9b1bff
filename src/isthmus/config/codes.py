"""The table of diagnostic codes, which `isthmus explain CODE` prints.

A code is a letter (E error, W warning, N notice, D diagnostic) and four digits. It never changes
its meaning. This package owns 0000 to 0099; every other package registers its own hundred.
"""

from __future__ import annotations

import re

from isthmus.records import dataclass

CODES: dict[str, Explanation] = {}
"""Every registered code. Filled by `register`; read it, do not write to it."""

_SHAPE = re.compile(r"[EWND][0-9]{4}\Z")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means: a title of a few words, why it arises, and an example that shows it."""

    code: str
    title: str
    text: str
    example: str | None = None


def register(code: str, title: str, text: str, example: str | None = None) -> str:
    """Add a code to the table and return it, so that a module can name it where it is used.

    Raises ValueError if the code is malformed or means something else already.
    """
    if not _SHAPE.match(code):
        raise ValueError(f"a diagnostic code is E, W, N or D and four digits, not {code!r}")
    explanation = Explanation(code, title, " ".join(text.split()), example)
    if CODES.setdefault(code, explanation) != explanation:
        raise ValueError(f"diagnostic code {code} is registered twice")
    return code
