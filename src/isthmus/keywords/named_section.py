"""Sections of a few keywords that have a name: `http-errors`, `userlist`, `cache`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from isthmus.config import Section, Word
from isthmus.keywords.codes import EXTRA_ARGUMENT, MISSING_ARGUMENT, UNKNOWN_KEYWORD
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.values import suggest

Reader = Callable[[Words], None]
"""What reads the words behind a keyword of a section."""


def section_name(section: Section) -> Word:
    """Return the one word behind a section's keyword."""
    kind = section.kind.text
    if section.name is None:
        message = f"`{kind}` needs a name"
        raise RefusedError(MISSING_ARGUMENT, message, section.header.end, expected="a name")
    if section.rest:
        word = section.rest[0]
        raise RefusedError(EXTRA_ARGUMENT, f"unexpected argument `{word.text}` of `{kind}`", word.span)
    return section.name


def read_lines(section: Section, readers: Mapping[str, Reader], reading: Reading) -> None:
    """Read every line of a section, and collect what is wrong with each."""
    for line in section.lines:
        try:
            read = readers.get(line.keyword.text)
            if read is None:
                raise RefusedError(
                    UNKNOWN_KEYWORD,
                    f"unknown keyword `{line.keyword.text}` in a section `{section.kind.text}`",
                    line.keyword.span,
                    expected=f"one of {', '.join(readers)}",
                    hint=suggest(line.keyword.text, readers),
                )
            words = Words(line.keyword.text, line.arguments, line.end)
            read(words)
            words.finish()
        except RefusedError as refusal:
            refusal.report(reading.diagnostics)
