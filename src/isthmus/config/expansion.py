"""Environment variables in weak quotes: `$X`, `${X}`, `${X-default}`, `${X[*]}` (manual 2.3).

Pseudo-variables (`.FILE`, `.LINE`, `.SECTION`) are looked up like any other; the caller answers them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from isthmus.config.codes import register
from isthmus.records import dataclass

BAD_VARIABLE_NAME = register(
    "E0004",
    "bad environment variable name",
    r"""In double quotes, $ begins an environment variable, whose name is letters, digits and underscores
    and does not start with a digit; only .FILE, .LINE and .SECTION start with a dot. Write \$ for a
    plain dollar, or use single quotes, in which nothing is replaced.""",
    'http-request set-path "/price$"   # write "/price\\$"',
)
UNMATCHED_BRACE = register(
    "E0005",
    "unmatched brace in an environment variable",
    """The forms with braces are ${NAME}, ${NAME-default}, ${NAME[*]} and ${NAME[*]-default}. A default
    runs up to the next closing brace and is taken as it is; it is used where the variable is not set.""",
)
BAD_WORD_EXPANSION = register(
    "E0006",
    "bad word expansion",
    """${NAME[*]} makes one word of each space-separated part of a variable. Nothing but [*] may stand
    in the brackets.""",
)

PSEUDO_VARIABLES = frozenset({".FILE", ".LINE", ".SECTION"})
"""The names that may start with a dot. `.SECTION` counts as not set before the first section."""

_NAME = re.compile(r"\.?[A-Za-z_][A-Za-z0-9_]*")


class LexicalError(Exception):
    """What keeps a line from being split into words; `start` and `end` are offsets into the line."""

    def __init__(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a variable gave: its value, whether it is to be split into words, where it ended."""

    value: str
    is_list: bool
    end: int


def expand(text: str, dollar: int, lookup: Callable[[str], str | None]) -> Expansion:
    """Expand the variable whose dollar sign is at offset `dollar`. Raises LexicalError."""
    braced = text.startswith("{", dollar + 1)
    start = dollar + 2 if braced else dollar + 1
    found = _NAME.match(text, start)
    if not found or (found.group()[0] == "." and found.group() not in PSEUDO_VARIABLES):
        end = found.end() if found else start + 1
        raise LexicalError(
            BAD_VARIABLE_NAME,
            "a variable name starts with a letter or an underscore",
            dollar,
            end,
            r"write \$ for a plain dollar sign",
        )
    value = lookup(found.group())
    if not braced:
        return Expansion(value or "", False, found.end())
    return _braced(text, dollar, found.end(), value)


def _braced(text: str, dollar: int, pos: int, value: str | None) -> Expansion:
    is_list = text.startswith("[", pos)
    if is_list:
        if not text.startswith("[*]", pos):
            raise LexicalError(BAD_WORD_EXPANSION, "only [*] may follow a variable name", dollar, pos + 2)
        pos += 3
    if text.startswith("-", pos):
        brace = text.find("}", pos)
        if brace < 0:
            raise _unmatched(dollar, len(text))
        if value is None:
            value = text[pos + 1 : brace]
        pos = brace
    if not text.startswith("}", pos):
        raise _unmatched(dollar, pos)
    return Expansion(value or "", is_list, pos + 1)


def _unmatched(dollar: int, end: int) -> LexicalError:
    return LexicalError(
        UNMATCHED_BRACE,
        "the closing brace of this variable is missing",
        dollar,
        end,
        "a default value is written ${NAME-value}",
    )
