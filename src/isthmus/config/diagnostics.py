"""Messages about a configuration: what they hold, their collector, and how they are printed.

Nothing stops at the first error: every stage adds to one `Diagnostics` and goes on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import StrEnum

from isthmus.config.text import Span
from isthmus.records import dataclass

_LONGEST_LINE = 240
"""Source lines beyond this are shown in part: a whole one would bury the message."""
_CONTEXT = 60


class Severity(StrEnum):
    """How grave a message is, in HAProxy's words. Only an alert makes a configuration unusable."""

    ALERT = "alert"
    WARNING = "warning"
    NOTICE = "notice"
    DIAG = "diag"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message.

    `code` is registered in `isthmus.config.codes`; `message` is one sentence without a full stop;
    `span` is None where no text is at fault (a file that is missing); `expected` says what would
    have been right, `hint` what to do.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None
    hint: str | None = None
    expected: str | None = None


class Diagnostics:
    """Collects the messages of one run, in the order in which they were found.

    It also keeps the source lines, so that a message can be printed with the line it is about.
    """

    def __init__(self) -> None:
        self._messages: list[Diagnostic] = []
        self._sources: dict[str, tuple[str, ...]] = {}

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def failed(self) -> bool:
        """Whether any message is an alert."""
        return any(each.severity is Severity.ALERT for each in self._messages)

    def keep_source(self, file: str, lines: tuple[str, ...]) -> None:
        """Remember a file's lines for printing messages about it."""
        self._sources[file] = lines

    def source_line(self, span: Span) -> str | None:
        """Return the source line that a span is in, or None if the file is not known."""
        lines = self._sources.get(span.file, ())
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None

    def add(self, diagnostic: Diagnostic) -> None:
        """Add one message."""
        self._messages.append(diagnostic)

    def alert(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        hint: str | None = None,
        expected: str | None = None,
    ) -> None:
        """Add an error: the configuration cannot be used."""
        self.add(Diagnostic(code, Severity.ALERT, message, span, hint, expected))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        hint: str | None = None,
        expected: str | None = None,
    ) -> None:
        """Add a warning: the configuration can be used, and probably does not do what was meant."""
        self.add(Diagnostic(code, Severity.WARNING, message, span, hint, expected))

    def notice(self, code: str, message: str, span: Span | None) -> None:
        """Add a notice."""
        self.add(Diagnostic(code, Severity.NOTICE, message, span))

    def diag(self, code: str, message: str, span: Span | None, *, hint: str | None = None) -> None:
        """Add a message for the diagnostic mode (`-dD`) alone."""
        self.add(Diagnostic(code, Severity.DIAG, message, span, hint))

    def render(self, *, diagnostic_mode: bool = False) -> str:
        """Return the messages as text, in the order found; those of `-dD` in diagnostic mode alone."""
        shown = (each for each in self if diagnostic_mode or each.severity is not Severity.DIAG)
        return "".join(render(each, self.source_line(each.span) if each.span else None) for each in shown)


def render(diagnostic: Diagnostic, source: str | None) -> str:
    """Return a message as lines of text: place, source line, underline, what was expected, hint."""
    span = diagnostic.span
    place = f"{span.file}:{span.line}:{span.column}: " if span else ""
    parts = [f"{place}{diagnostic.code}: {diagnostic.message}"]
    if span is not None and source is not None:
        parts += _excerpt(source, span)
    if diagnostic.expected:
        parts.append(f"expected: {diagnostic.expected}")
    if diagnostic.hint:
        parts.append(f"hint: {diagnostic.hint}")
    return "\n".join(_printable(part) for part in parts) + "\n"


def _excerpt(source: str, span: Span) -> list[str]:
    """Return the source line, shortened around the span if it is long, and the underline."""
    number = f"{span.line:>3}"
    lead, marked, rest = (
        source[: span.column - 1],
        source[span.column - 1 : span.end - 1],
        source[span.end - 1 :],
    )
    if len(source) > _LONGEST_LINE:
        lead = lead if len(lead) <= _CONTEXT else "..." + lead[-_CONTEXT:]
        marked = marked if len(marked) <= _CONTEXT else marked[: _CONTEXT - 3] + "..."
        rest = rest if len(rest) <= _CONTEXT else rest[:_CONTEXT] + "..."
    lead, marked, rest = _printable(lead), _printable(marked), _printable(rest)
    blank = "".join("\t" if c == "\t" else " " * _width(c) for c in lead)
    underline = "^" * max(1, sum(map(_width, marked)))
    return [f"{number} | {lead}{marked}{rest}".rstrip(), f"{' ' * len(number)} | {blank}{underline}"]


def _printable(text: str) -> str:
    """Replace what a terminal would act upon, one character for one so that columns stay true."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(character: str) -> int:
    """Return how many terminal columns a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
