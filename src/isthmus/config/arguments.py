r"""The arguments in parentheses of a word: `name(one,"two, too",three)` (the end of manual 2.2).

This is the second level of quoting: the word itself was unquoted by the first. Both kinds of
quotes work, and outside quotes and in double ones a backslash protects a space, a quote or itself
and makes \n, \r and \t; any other backslash is a plain character. A comma or a closing
parenthesis belongs to an argument only inside quotes.
"""

from __future__ import annotations

import re

from isthmus.records import dataclass

_ESCAPE = re.compile(r"\\([ \"'\\nrt])")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_UNQUOTED_RUN = re.compile(r"[^\\\"',)]+")
_WEAK_RUN = re.compile(r"[^\\\"]+")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its value, and where in the word it is written (offsets, quotes included)."""

    text: str
    start: int
    end: int


class ArgumentError(ValueError):
    """A list of arguments that does not parse; `offset` points into the text, `message` says why."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def split_arguments(text: str, start: int) -> tuple[tuple[Argument, ...], int]:
    """Read the arguments behind the opening parenthesis at offset `start`.

    Returns them and the offset behind the closing parenthesis. `()` has one argument, an empty one,
    as in HAProxy. Raises ArgumentError if a quote or the parenthesis is not closed.
    """
    arguments: list[Argument] = []
    pos = start + 1
    while True:
        value, end = _argument(text, pos)
        arguments.append(Argument(value, pos, end))
        if end >= len(text):
            raise ArgumentError("the closing parenthesis is missing", start)
        if text[end] == ")":
            return tuple(arguments), end + 1
        pos = end + 1


def _argument(text: str, pos: int) -> tuple[str, int]:
    parts: list[str] = []
    quoted = -1
    while pos < len(text):
        run = (_WEAK_RUN if quoted >= 0 else _UNQUOTED_RUN).match(text, pos)
        escape = _ESCAPE.match(text, pos)
        if run:
            parts.append(run.group())
            pos = run.end()
        elif escape:
            parts.append(_CONTROLS.get(escape.group(1), escape.group(1)))
            pos = escape.end()
        elif text[pos] == '"':
            quoted = -1 if quoted >= 0 else pos
            pos += 1
        elif text[pos] == "\\":
            parts.append("\\")
            pos += 1
        elif text[pos] == "'":
            end = text.find("'", pos + 1)
            if end < 0:
                raise ArgumentError("this single quote is never closed", pos)
            parts.append(text[pos + 1 : end])
            pos = end + 1
        else:
            break
    if quoted >= 0:
        raise ArgumentError("this double quote is never closed", quoted)
    return "".join(parts), pos
