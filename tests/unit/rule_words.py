"""Builders for tests about rules: words of a line with true spans, and a context of a small vocabulary."""

from __future__ import annotations

from pathlib import Path

from isthmus.config import Diagnostics, Word, split_line
from isthmus.keywords.context import Context
from isthmus.keywords.vocabulary import Vocabulary

VOCABULARY = Vocabulary.read((Path(__file__).parent / "keywords" / "vocabulary.json").read_bytes())


def words(text: str, line: int = 1) -> tuple[Word, ...]:
    """The words of a line, as the lexer makes them."""
    return split_line(text, "t.cfg", line, lambda _name: None).words


def word(text: str) -> Word:
    """A line of one word."""
    (only,) = words(text)
    return only


def context(**changes: object) -> Context:
    """A TCP frontend named `f`, with an empty collector."""
    settings: dict = {"vocabulary": VOCABULARY, "diagnostics": Diagnostics(), "proxy": "f"}
    return Context(**(settings | changes))


def codes(ctx: Context) -> list[str]:
    """The codes of the messages collected so far."""
    return [each.code for each in ctx.diagnostics]


def marked(ctx: Context) -> list[tuple[int, int]]:
    """Column and end of each message's span."""
    return [(each.span.column, each.span.end) for each in ctx.diagnostics if each.span]
