"""The smallest parts of a configuration: where text stands, words, and lines of words.

Nothing here reads a file or knows a keyword; the lexer makes these, everything after it reads them.
"""

from __future__ import annotations

from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one source line, in characters.

    `line` and `column` count from 1; `end` is the column just behind the last character, so a
    span of one character at the start of a line is (1, 2). An empty span has `end == column`.
    """

    file: str
    line: int
    column: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of `other`, on the same line."""
        return Span(self.file, self.line, self.column, other.end)

    def part(self, start: int, length: int) -> Span:
        """Return `length` characters of this span from offset `start`, never reaching beyond it.

        For pointing at one part of a word (a bad port in an address). It is exact where the word was
        written without quotes, escapes or variables, which is how such words are written.
        """
        column = min(self.column + start, self.end)
        return Span(self.file, self.line, column, min(column + length, self.end))


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line: `text` with quotes, escapes and variables resolved, `span` as written.

    Words that one variable split into (`"${LIST[*]}"`) share the span of the text they came from.
    """

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Line:
    """One line that holds at least one word. `line` is its number, `text` the line as written."""

    words: tuple[Word, ...]
    file: str
    line: int
    text: str

    @property
    def keyword(self) -> Word:
        """The first word."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[Word, ...]:
        """All words after the first."""
        return self.words[1:]

    @property
    def span(self) -> Span:
        """From the first word to the last one."""
        return self.words[0].span.to(self.words[-1].span)

    @property
    def end(self) -> Span:
        """The empty place behind the last word, where a missing argument belongs."""
        last = self.words[-1].span
        return Span(last.file, last.line, last.end, last.end)
