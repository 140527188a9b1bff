"""The messages of one reading of a network file, before they are handed to the run's Diagnostics.

A template with a fault would repeat it in every round: only the first is kept, with the values
that its variables had and the number of the others.
"""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostic, Diagnostics, Severity, Span, nearest
from isthmus.network.document.nodes import ExpandedSpan

_MOST_SEARCHES = 100
"""How often the nearest name is searched: with thousands of names, each search takes milliseconds."""


class Report:
    """Collects messages; `flush` hands them on."""

    def __init__(self) -> None:
        self._messages: list[Diagnostic] = []
        self._rounds: dict[tuple[str, str, int, int], tuple[int, int]] = {}
        self._known: set[Diagnostic] = set()
        self._searches = 0
        self.failed = False

    def alert(
        self, code: str, message: str, span: Span, *, expected: str | None = None, hint: str | None = None
    ) -> None:
        """Add an error."""
        self.failed = True
        self._add(Diagnostic(code, Severity.ALERT, message, span, hint, expected))

    def warning(self, code: str, message: str, span: Span, *, hint: str | None = None) -> None:
        """Add a warning."""
        self._add(Diagnostic(code, Severity.WARNING, message, span, hint))

    def unknown(
        self, code: str, what: str, name: str, span: Span, known: Iterable[str], where: str = ""
    ) -> None:
        """Add an error about a name that does not exist, with the nearest that does."""
        if isinstance(span, ExpandedSpan) and self._again(code, span):
            return
        names = sorted(set(known))
        near = nearest(name, names) if self._searches < _MOST_SEARCHES else None
        self._searches += 1
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        self.alert(
            code,
            f"unknown {what} `{name}`{where}",
            span,
            expected=shown if names and near is None else None,
            hint=f"did you mean `{near}`?" if near else None,
        )

    def _again(self, code: str, span: ExpandedSpan) -> bool:
        """Say whether a fault at this place of a template is known, and count it if so."""
        place = (code, span.file, span.line, span.column)
        if place not in self._rounds:
            return False
        first, more = self._rounds[place]
        self._rounds[place] = (first, more + 1)
        return True

    def _add(self, message: Diagnostic) -> None:
        span = message.span
        if isinstance(span, ExpandedSpan):
            if self._again(message.code, span):
                return
            self._rounds[message.code, span.file, span.line, span.column] = (len(self._messages), 0)
        elif message in self._known:  # an alias brings the same text again
            return
        else:
            self._known.add(message)
        self._messages.append(message)

    def flush(self, diagnostics: Diagnostics) -> None:
        """Hand all messages on, those of templates with their values."""
        more = dict(self._rounds.values())
        for index, message in enumerate(self._messages):
            diagnostics.add(_with_values(message, more.get(index, 0)))


def _with_values(message: Diagnostic, more: int) -> Diagnostic:
    span = message.span
    if not isinstance(span, ExpandedSpan):
        return message
    values = str(span.bindings)
    notes = ([f"with {values}"] if values else []) + ([f"and {more} more"] if more else [])
    text = f"{message.message} ({', '.join(notes)})" if notes else message.message
    plain = Span(span.file, span.line, span.column, span.end)
    return Diagnostic(message.code, message.severity, text, plain, message.hint, message.expected)
