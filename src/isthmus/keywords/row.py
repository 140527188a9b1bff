"""A row of the dictionary, and what its reader is handed when a line uses it.

A reader changes a draft (the section under construction) and raises `RefusedError` at the first word that is
wrong; the section's loop collects the refusal and goes on with the next line.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Generic, TypeVar

from isthmus.config import Diagnostics, Line, Span, Word
from isthmus.keywords.codes import EXTRA_ARGUMENT, MISSING_ARGUMENT
from isthmus.keywords.context import Context
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.keywords.world import World
from isthmus.records import dataclass, field

if TYPE_CHECKING:
    from isthmus.keywords.tls_files import TlsFiles


class Where(Flag):
    """The sections in which a keyword has a meaning. A `listen` is frontend and backend."""

    GLOBAL = auto()
    DEFAULTS = auto()
    FRONTEND = auto()
    BACKEND = auto()
    LISTEN = FRONTEND | BACKEND
    PROXY = DEFAULTS | FRONTEND | BACKEND


class Sense(Enum):
    """What stands before a keyword: nothing, `no` or `default`."""

    SET = ""
    NO = "no"
    DEFAULT = "default"


def place(span: Span) -> str:
    """Return `file:line` of a span, for messages about a second place."""
    return f"{span.file}:{span.line}"


class RefusedError(Exception):
    """A line that cannot be used, and why: the parts of an alert."""

    def __init__(
        self, code: str, message: str, span: Span, *, hint: str | None = None, expected: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.hint = hint
        self.expected = expected

    def report(self, diagnostics: Diagnostics) -> None:
        """Collect it."""
        diagnostics.alert(self.code, self.message, self.span, hint=self.hint, expected=self.expected)


@dataclass(frozen=True, slots=True)
class Reading:
    """What every section is read with; `tls` holds the files that were read for TLS."""

    diagnostics: Diagnostics
    vocabulary: Vocabulary
    world: World
    tls: TlsFiles

    def context(
        self, proxy: str = "", *, frontend: bool = True, backend: bool = True, http: bool = False
    ) -> Context:
        """Return what expressions, formats and conditions of a section are read with."""
        return Context(
            self.vocabulary,
            self.diagnostics,
            proxy=proxy,
            frontend=frontend,
            backend=backend,
            http=http,
            resolve=lambda name: self.world.resolve(name, None),
            read_bytes=self.world.read_bytes,
            certificate=lambda name, span: self.tls.token_certificate(
                name, span, self.world, self.diagnostics
            ),
        )


Draft = TypeVar("Draft")


class Words:
    """The words behind a keyword, taken one after the other. `what` names the keyword in messages."""

    def __init__(self, what: str, words: tuple[Word, ...], end: Span) -> None:
        self.what = what
        self._words = words
        self._end = end
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._words)

    @property
    def peek(self) -> str | None:
        """The next word's text, or None behind the last one."""
        return self._words[self._at].text if self else None

    @property
    def rest(self) -> tuple[Word, ...]:
        """All words not taken yet."""
        return self._words[self._at :]

    @property
    def end(self) -> Span:
        """The empty place behind the last word."""
        return self._end

    def take(self, expected: str) -> Word:
        """Take the next word; refuses the line where there is none."""
        if not self:
            raise RefusedError(
                MISSING_ARGUMENT, f"`{self.what}` needs {expected}", self._end, expected=expected
            )
        self._at += 1
        return self._words[self._at - 1]

    def take_all(self) -> tuple[Word, ...]:
        """Take every word that is left."""
        rest = self.rest
        self._at = len(self._words)
        return rest

    def skip_to(self, other: Words) -> None:
        """Take as many words as it needs to have as many left as `other`, which began where this stands."""
        self._at = len(self._words) - len(other.rest)

    def finish(self) -> None:
        """Refuse the line if a word is left."""
        if self:
            word = self._words[self._at]
            raise RefusedError(
                EXTRA_ARGUMENT, f"unexpected argument `{word.text}` of `{self.what}`", word.span
            )


@dataclass(frozen=True, slots=True)
class Use(Generic[Draft]):
    """One use of a keyword: the line, the words behind the keyword, and what is being built."""

    row: Keyword[Draft]
    line: Line
    words: Words
    sense: Sense
    draft: Draft
    reading: Reading


@dataclass(frozen=True, slots=True)
class Keyword(Generic[Draft]):
    """One keyword of a section.

    `name` may be several words (`option tcpka`); `where` says in which sections it has a meaning, `syntax`
    its arguments in the manual's notation, `about` what it does in one line. Where `negatable`, `no` and
    `default` may stand before it. Where `strict`, it is an error and not a warning that it stands in a
    proxy which has no such side. `inert` says why it has no effect, for the warning that tells so. Where
    `http`, it has none in proxies of another mode; `switches` is then the field of a proxy's HTTP settings
    that it does nothing but turn on and off.
    """

    name: str
    where: Where
    syntax: str
    about: str
    read: Callable[[Use[Draft]], None] = field(repr=False)
    negatable: bool = False
    strict: bool = False
    inert: str = ""
    http: bool = False
    switches: str = ""


def takes_all(_use: Use[Draft]) -> None:
    """Read a keyword that has no effect whatever its arguments are."""
    _use.words.take_all()
