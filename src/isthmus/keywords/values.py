"""Words to values: numbers, times, sizes and choices, or the refusal that says what was expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from isthmus.config import Word, nearest
from isthmus.config.values import (
    BadValueError,
    Duration,
    TimeUnit,
    parse_integer,
    parse_size,
    parse_time,
)
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.row import RefusedError, Words

_Value = TypeVar("_Value")
_LARGEST = 2**31 - 1


def parsed(word: Word, parse: Callable[[str], _Value]) -> _Value:
    """Return what a parser makes of a word; its fault becomes a refusal that points at the part at fault."""
    try:
        return parse(word.text)
    except BadValueError as fault:
        span, size = word.span, len(word.text)
        # Offsets count in the value; they fit the source only where it was written without quotes.
        if size == span.end - span.column:
            span = span.part(fault.offset, size if fault.length is None else fault.length)
        raise RefusedError(
            fault.code, fault.message, span, hint=fault.hint, expected=fault.expected
        ) from None


def integer(words: Words, low: int = 0, high: int = _LARGEST, what: str = "a number") -> int:
    """Take a decimal integer between two bounds, both included."""
    return parsed(words.take(what), lambda text: parse_integer(text, minimum=low, maximum=high))


def time(words: Words, unit: TimeUnit = TimeUnit.MILLISECONDS, what: str = "a time") -> int:
    """Take a time, in milliseconds unless another unit is asked for, rounded up."""
    duration: Duration = parsed(words.take(what), lambda text: parse_time(text, unit))
    return duration.in_units(unit)


def size(words: Words, low: int = 0, high: int = _LARGEST, what: str = "a size in bytes") -> int:
    """Take a size in bytes, with the suffixes k, m and g."""
    return parsed(words.take(what), lambda text: parse_size(text, minimum=low, maximum=high))


def choice(words: Words, allowed: Iterable[str], what: str) -> str:
    """Take one of a few words."""
    known = tuple(allowed)
    word = words.take(f"{what}: {', '.join(known)}")
    if word.text not in known:
        raise unknown(word, known, what)
    return word.text


def switch(words: Words) -> bool:
    """Take `on` or `off`."""
    return choice(words, ("on", "off"), "a switch") == "on"


def unknown(word: Word, allowed: Iterable[str], what: str) -> RefusedError:
    """Return the refusal of a word that is none of those allowed."""
    known = tuple(allowed)
    return RefusedError(
        BAD_VALUE,
        f"`{word.text}` is not {what}",
        word.span,
        expected=f"one of {', '.join(known)}",
        hint=suggest(word.text, known),
    )


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the hint that names the nearest right word, if one is near."""
    near = nearest(word, candidates)
    return f"did you mean `{near}`?" if near else None
