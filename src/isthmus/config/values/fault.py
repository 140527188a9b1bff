"""What is wrong with a value, and how that becomes a diagnostic."""

from __future__ import annotations

from isthmus.config.diagnostics import Diagnostics
from isthmus.config.text import Word


class BadValueError(ValueError):
    """A value that does not parse.

    `code` is a registered diagnostic code, `message` says what is wrong, `expected` what would have
    been right. `offset` and `length` tell the part of the value at fault; a length of None means all
    that follows.
    """

    def __init__(
        self,
        code: str,
        message: str,
        expected: str,
        *,
        offset: int = 0,
        length: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.expected = expected
        self.offset = offset
        self.length = length
        self.hint = hint

    def shifted(self, offset: int) -> BadValueError:
        """Return the same fault in a longer text, in which this value stands at `offset`."""
        return BadValueError(
            self.code,
            self.message,
            self.expected,
            offset=self.offset + offset,
            length=self.length,
            hint=self.hint,
        )

    def report(self, diagnostics: Diagnostics, word: Word) -> None:
        """Add this fault of a word to the collector, pointing at the part that is wrong."""
        size = len(word.text)
        span = word.span
        # Offsets count in the value; they fit the source only where it was written without quotes.
        if size == span.end - span.column:
            span = span.part(self.offset, size if self.length is None else self.length)
        diagnostics.alert(self.code, self.message, span, hint=self.hint, expected=self.expected)
