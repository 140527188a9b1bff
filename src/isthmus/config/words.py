r"""One line of text to words: quotes, escapes, comments and environment variables (manual 2.2, 2.3).

Called for every line of a configuration, so lines without special characters take a short way.
Text is UTF-8 decoded with `surrogateescape`: bytes that are no UTF-8 pass through unharmed, and a
word's bytes are `text.encode("utf-8", "surrogateescape")`. Nothing here raises on any text.

Escapes and variables are resolved where HAProxy resolves them, which is not always where its manual
says so: outside quotes `\$` keeps its backslash, and a backslash does not protect a tab.
"""

from __future__ import annotations

import re

from isthmus.config.scanner import Lookup, Problem, Scanner
from isthmus.config.text import Span, Word
from isthmus.records import dataclass

_PLAIN_WORD = re.compile(r"[^ \t\v\f]+")
_SPECIAL = re.compile(r"[\\\"'#]")


@dataclass(frozen=True, slots=True)
class SplitLine:
    """The words of a line. If `failed` is set, they are those before the error and the broken one."""

    words: tuple[Word, ...]
    problems: tuple[Problem, ...] = ()
    failed: bool = False


def split_line(text: str, file: str, line: int, lookup: Lookup, *, comments: bool = True) -> SplitLine:
    """Split one line, without its line end, into words.

    `comments` says whether an unprotected `#` ends the line; `-cc` takes it as a plain character.
    """
    if not _SPECIAL.search(text):
        found = _PLAIN_WORD.finditer(text)
        return SplitLine(tuple(Word(m.group(), Span(file, line, m.start() + 1, m.end() + 1)) for m in found))
    scanner = Scanner(text, file, line, lookup, comments)
    failed = scanner.run()
    return SplitLine(tuple(scanner.words), tuple(scanner.problems), failed)


def quote(word: str) -> str:
    """Write a word so that reading it back gives the same word, in the plainest form that does.

    A word with a NUL has no such form; everything from the NUL on is dropped.
    """
    word = word.partition("\0")[0]
    if word and not re.search(r"[\s\\\"'#]", word):
        return word
    if word and "'" not in word and "\n" not in word and "\r" not in word:
        return f"'{word}'"
    word = re.sub(r"[\\\"$]", r"\\\g<0>", word)
    return '"' + word.replace("\n", "\\n").replace("\r", "\\r") + '"'
