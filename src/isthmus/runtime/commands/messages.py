"""What is wrong with words of the configuration's language that stand in a command."""

from __future__ import annotations

from isthmus.config import Diagnostics, Severity


def lines(diagnostics: Diagnostics) -> list[str]:
    """Return messages as lines: there is no file whose lines they could show."""
    told = []
    for each in diagnostics:
        if each.severity in (Severity.ALERT, Severity.WARNING):
            expected = f", expected: {each.expected}" if each.expected else ""
            hint = f" ({each.hint})" if each.hint else ""
            told.append(f"{each.message}{expected}{hint}")
    return told
