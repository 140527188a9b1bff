"""The long way of splitting a line: character by character where quotes or escapes stand.

Used by `words`, which keeps plain lines away from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

from isthmus.config.codes import register
from isthmus.config.expansion import LexicalError, expand
from isthmus.config.text import Span, Word
from isthmus.records import dataclass

UNMATCHED_QUOTE = register(
    "E0001",
    "unmatched quote",
    """A quote that opens on a line must close on the same line. To use a quote as a plain character,
    escape it with a backslash or put it inside quotes of the other kind.""",
    'log-tag "web\n        ^^^^ the closing " is missing',
)
BAD_HEXADECIMAL = register(
    "E0002",
    "bad hexadecimal escape",
    r"""\x must be followed by exactly two hexadecimal digits, as in \x0a. To get a backslash and an x,
    write \\x, or use single quotes.""",
)
CUT_AT_NUL = register(
    "W0003",
    "a NUL ends the word",
    r"""A word cannot hold the character \x00: as in HAProxy, the word ends there, and the rest of it is
    dropped. Binary payloads take hexadecimal strings instead.""",
)

Lookup = Callable[[str], str | None]
"""Gives the value of an environment variable, or None if it is not set."""

_UNQUOTED_RUN = re.compile(r"[^ \t\v\f\\\"'#]+")
_UNQUOTED_RUN_WITH_HASH = re.compile(r"[^ \t\v\f\\\"']+")
_WEAK_RUN = re.compile(r"[^\"\\$]+")
_SPACES = re.compile(r"[ \t\v\f]+")
_LIST_SEPARATOR = re.compile(r"[ \t\v\f\r\n]+")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{2}")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_UNQUOTED_ESCAPES = {c: c for c in " \\#'\""} | _CONTROLS
_WEAK_ESCAPES = _UNQUOTED_ESCAPES | {"$": "$"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a line, before it becomes a diagnostic."""

    code: str
    message: str
    span: Span
    hint: str | None = None


class Scanner:
    """Walks over one line.

    The word under construction begins at `start` (None: no word) and is made of `parts`. Words that
    a list variable has already split off from it wait in `done` for the span of the whole.
    """

    __slots__ = (
        "cut",
        "done",
        "file",
        "line",
        "listed",
        "lookup",
        "parts",
        "pos",
        "problems",
        "raw",
        "separated",
        "start",
        "text",
        "unquoted",
        "words",
    )

    def __init__(self, text: str, file: str, line: int, lookup: Lookup, comments: bool) -> None:
        self.text = text
        self.file = file
        self.line = line
        self.lookup = lookup
        self.unquoted = _UNQUOTED_RUN if comments else _UNQUOTED_RUN_WITH_HASH
        self.pos = 0
        self.words: list[Word] = []
        self.problems: list[Problem] = []
        self._reset()

    def _reset(self) -> None:
        self.start: int | None = None
        self.parts: list[str] = []
        self.done: list[str] = []
        self.raw = False  # the word holds bytes written as \xNN
        self.cut = False  # a NUL ended the word
        self.listed = False  # a list variable stood in the word
        self.separated = False  # what comes next belongs to a new word

    def run(self) -> bool:
        """Scan the whole line; return whether it failed."""
        try:
            while self.pos < len(self.text) and self._step():
                pass
        except LexicalError as error:
            span = self._span(error.start, error.end)
            self.problems.append(Problem(error.code, error.message, span, error.hint))
            self.pos = max(error.end, self.pos)
            self._finish()
            return True
        self._finish()
        return False

    def _step(self) -> bool:
        """Take the next stretch of text; return False at a comment."""
        run = self.unquoted.match(self.text, self.pos)
        if run:
            self._begin()
            self._add(run.group())
            self.pos = run.end()
            return True
        spaces = _SPACES.match(self.text, self.pos)
        if spaces:
            self._finish()
            self.pos = spaces.end()
            return True
        character = self.text[self.pos]
        if character == "#":
            self._finish()
            return False
        self._begin()
        if character == "\\":
            self._escape(_UNQUOTED_ESCAPES)
        elif character == '"':
            self._weak()
        else:
            self._strong()
        return True

    def _begin(self) -> None:
        if self.start is None:
            self.start = self.pos

    def _add(self, part: str) -> None:
        if self.separated and part:
            self._split()
        if not self.cut:
            self.parts.append(part)

    def _split(self) -> None:
        """End the word under construction within its source text, unless it is still empty."""
        self.separated = False
        text = "".join(self.parts)
        if text:
            self.done.append(text)
            self.parts = []
            self.cut = False

    def _finish(self) -> None:
        """End the word under construction, if there is one."""
        if self.start is None:
            return
        texts = [*self.done, "".join(self.parts)]
        if self.listed and not texts[-1]:
            # An empty list makes no word at all, as "$@" does in a shell.
            texts.pop()
        span = self._span(self.start, self.pos)
        for text in texts:
            self.words.append(Word(_rejoin(text) if self.raw else text, span))
        self._reset()

    def _span(self, start: int, end: int) -> Span:
        return Span(self.file, self.line, start + 1, min(end, len(self.text)) + 1)

    def _strong(self) -> None:
        end = self.text.find("'", self.pos + 1)
        if end < 0:
            self._unmatched(self.pos, "'")
        self._add(self.text[self.pos + 1 : end])
        self.pos = end + 1

    def _weak(self) -> None:
        opened = self.pos
        self.pos += 1
        while self.pos < len(self.text):
            run = _WEAK_RUN.match(self.text, self.pos)
            if run:
                self._add(run.group())
                self.pos = run.end()
                continue
            character = self.text[self.pos]
            if character == '"':
                self.pos += 1
                return
            if character == "$":
                self._variable()
            else:
                self._escape(_WEAK_ESCAPES)
        self._unmatched(opened, '"')

    def _variable(self) -> None:
        found = expand(self.text, self.pos, self.lookup)
        self.pos = found.end
        if not found.is_list:
            self._add(found.value)
            return
        self.listed = True
        for index, field in enumerate(_LIST_SEPARATOR.split(found.value)):
            self.separated = self.separated or index > 0
            self._add(field)

    def _unmatched(self, opened: int, mark: str) -> NoReturn:
        kind = "single" if mark == "'" else "double"
        if mark == "'":
            self._add(self.text[opened + 1 :])
        raise LexicalError(
            UNMATCHED_QUOTE,
            f"this {kind} quote is never closed",
            opened,
            len(self.text),
            f"add the closing {mark}, or write \\{mark} for a plain quote",
        )

    def _escape(self, escapes: dict[str, str]) -> None:
        following = self.text[self.pos + 1 : self.pos + 2]
        if following in escapes:
            self._add(escapes[following])
            self.pos += 2
        elif following == "x":
            self._byte()
        else:
            self._add("\\")
            self.pos += 1

    def _byte(self) -> None:
        digits = _HEXADECIMAL.match(self.text, self.pos + 2)
        if not digits:
            raise LexicalError(
                BAD_HEXADECIMAL,
                r"\x must be followed by two hexadecimal digits",
                self.pos,
                self.pos + 4,
                r"write \\x for a backslash and an x",
            )
        value = int(digits.group(), 16)
        if value == 0:
            self.problems.append(
                Problem(CUT_AT_NUL, r"\x00 ends the word here", self._span(self.pos, digits.end()))
            )
            self.cut = True
        elif value < 0x80:
            self._add(chr(value))
        else:
            self.raw = True
            self._add(chr(0xDC00 + value))
        self.pos = digits.end()


def _rejoin(text: str) -> str:
    """Join bytes that were written in hexadecimal with their neighbours where they make UTF-8 together."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
