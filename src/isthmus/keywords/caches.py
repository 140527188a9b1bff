"""Sections `cache`: where answers are kept for others who ask for the same (manual 6.2)."""

from __future__ import annotations

from isthmus.config import Section
from isthmus.keywords.codes import DUPLICATE_NAME, MISSING_ARGUMENT, OUT_OF_RANGE
from isthmus.keywords.named_section import Reader, read_lines, section_name
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.keywords.values import integer, switch
from isthmus.model.http import Cache

_MEGABYTE = 1024 * 1024
_LARGEST = 4095
_OBJECTS = 256
"""How many objects of the largest size fit, where `max-object-size` is not said."""


class Caches:
    """The sections read so far."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return tuple(_readers({}))

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, Cache] = {}

    @property
    def sections(self) -> tuple[Cache, ...]:
        """Every section, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section."""
        name = section_name(section)
        other = self._found.get(name.text)
        if other is not None:
            message = f"there is a section `cache {name.text}` at {place(other.span)} already"
            raise RefusedError(DUPLICATE_NAME, message, name.span)
        said: dict[str, int] = {}
        read_lines(section, _readers(said), self._reading)
        size = said.get("total-max-size", 0) * _MEGABYTE
        if not size:
            message = f"cache `{name.text}` does not say how large it is"
            hint = "write `total-max-size` and a number of megabytes"
            raise RefusedError(MISSING_ARGUMENT, message, section.header.span, hint=hint)
        largest = said.get("max-object-size", 0) or size // _OBJECTS
        if largest > size // 2:
            message = f"an object of {largest} bytes is more than half of cache `{name.text}`"
            raise RefusedError(OUT_OF_RANGE, message, section.header.span, expected=f"at most {size // 2}")
        self._found[name.text] = Cache(
            name=name.text,
            size=size,
            largest=largest,
            max_age=said.get("max-age", 60),
            vary=bool(said.get("process-vary")),
            variants=said.get("max-secondary-entries", 10),
            span=section.header.span,
        )


def _readers(said: dict[str, int]) -> dict[str, Reader]:
    return {
        "total-max-size": _number(said, 0, _LARGEST),
        "max-object-size": _number(said, 0),
        "max-age": _number(said, 0),
        "max-secondary-entries": _number(said, 1),
        "process-vary": lambda words: said.__setitem__("process-vary", switch(words)),
    }


def _number(said: dict[str, int], low: int, high: int = 2**31 - 1) -> Reader:
    def read(words: Words) -> None:
        said[words.what] = integer(words, low, high)

    return read
