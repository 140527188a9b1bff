"""`http-err-codes` and `http-fail-codes`: which statuses are whose fault (manual 3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.records import replace

_RANGE = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?\Z")


def _codes(word: Word, text: str) -> frozenset[int]:
    """Return the statuses of ranges between commas."""
    found: set[int] = set()
    for each in text.split(","):
        match = _RANGE.match(each)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            message = f"`{each or word.text}` is no range of statuses"
            expected = "100 to 599, one or two with the lower first, as `400-499`"
            raise RefusedError(BAD_VALUE, message, word.span, expected=expected)
        found |= set(range(first, last + 1))
    return frozenset(found)


def _reader(field: str) -> Callable[[Use[GlobalDraft]], None]:
    def read(use: Use[GlobalDraft]) -> None:
        codes: frozenset[int] = getattr(use.draft.settings.http, field)
        for word in (use.words.take("ranges of statuses"), *use.words.take_all()):
            if word.text.startswith("+"):
                codes |= _codes(word, word.text[1:])
            elif word.text.startswith("-"):
                codes -= _codes(word, word.text[1:])
            else:
                codes = _codes(word, word.text)
        http = changed(use.draft.settings.http, **{field: codes})
        use.draft.settings = replace(use.draft.settings, http=http)

    return read


STATUS_CODES: tuple[Keyword[GlobalDraft], ...] = (
    Keyword(
        "http-err-codes",
        Where.GLOBAL,
        "[+-]<range>[,...] [...]",
        "Statuses that count as a client's errors in stick tables",
        _reader("error_codes"),
    ),
    Keyword(
        "http-fail-codes",
        Where.GLOBAL,
        "[+-]<range>[,...] [...]",
        "Statuses that count as a server's failures in stick tables",
        _reader("failure_codes"),
    ),
)
"""The two of them; what HAProxy counts by itself is 400 to 499, and 500 to 599 without 501 and 505."""
