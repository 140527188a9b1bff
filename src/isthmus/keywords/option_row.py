"""The options that stand on one line behind each other: of `bind`, `stats socket`, `server` and their kin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from isthmus.config import Word
from isthmus.keywords import inventory
from isthmus.keywords.codes import NO_EFFECT, NOT_IMPLEMENTED, REMOVED
from isthmus.keywords.context import Context
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.values import suggest
from isthmus.records import dataclass, field

Settings = TypeVar("Settings")
_OPTIONAL = re.compile(r"^\[[^\]]*\]")
_OWN_OPTION = re.compile(r" \[[a-z]+ ")


@dataclass(frozen=True, slots=True)
class OptionUse(Generic[Settings]):
    """One use of an option: its own word, the words behind it, and the settings as they stand so far."""

    word: Word
    words: Words
    settings: Settings
    reading: Reading
    context: Context


@dataclass(frozen=True, slots=True)
class Option(Generic[Settings]):
    """One option: its name, its arguments in the manual's notation, what it is for, how it is read.

    `inert` says why it has no effect. A name that ends with `(` takes an argument in parentheses. `scope` is
    the option that it is said to belong to (`ssl`), as `-dK` lists it.
    """

    name: str
    syntax: str
    about: str
    read: Callable[[OptionUse[Settings]], Settings] = field(repr=False)
    inert: str = ""
    scope: str = ""

    @property
    def needs_word(self) -> bool:
        """Whether a word has to stand behind it."""
        # `[<group>/]<set>` is one word of which a part may be left out; `[from <network> ...]` may be none.
        behind = _OPTIONAL.sub("", self.syntax, count=1)
        return bool(behind) and not behind.startswith(" ") and not self.name.endswith("(")

    @property
    def takes_options(self) -> bool:
        """Whether options of its own stand behind its word, each with words of their own."""
        return self.needs_word and _OWN_OPTION.search(self.syntax) is not None


@dataclass(frozen=True, slots=True)
class OptionTable(Generic[Settings]):
    """The options of one kind of line. `family` is where the inventory knows them, `unknown` the code."""

    family: str
    line: str
    unknown: str
    rows: Mapping[str, Option[Settings]]

    def read(self, words: Words, settings: Settings, reading: Reading, context: Context) -> Settings:
        """Read every option that is left on a line; those to the right act on what the left ones set."""
        while words:
            word = words.take("an option")
            row = self._row(word)
            if row.inert:
                reading.diagnostics.warning(NO_EFFECT, f"`{row.name}` has no effect: {row.inert}", word.span)
            arguments = Words(row.name.rstrip("("), words.rest, words.end)
            settings = row.read(OptionUse(word, arguments, settings, reading, context))
            words.skip_to(arguments)
        return settings

    def _row(self, word: Word) -> Option[Settings]:
        name, parenthesis, _ = word.text.partition("(")
        row = self.rows.get(name + parenthesis)
        if row is not None:
            return row
        if inventory.knows(self.family, name):
            raise RefusedError(
                NOT_IMPLEMENTED,
                f"`{name}` is known to HAProxy on a {self.line} line, and not implemented yet",
                word.span,
            )
        known = [*(each.rstrip("(") for each in self.rows), *inventory.names(self.family)]
        raise RefusedError(
            self.unknown,
            f"unknown keyword `{word.text}` on a {self.line} line",
            word.span,
            hint=suggest(name, known),
        )


def refused(name: str, syntax: str, why: str, instead: str) -> Option[Settings]:
    """Return the row of a word that is known in order to say what to write in its place."""

    def read(use: OptionUse[Settings]) -> Settings:
        raise RefusedError(REMOVED, f"`{name}` {why}", use.word.span, hint=instead)

    return Option(name, syntax, why, read)


def options(*rows: Option[Settings]) -> Mapping[str, Option[Settings]]:
    """Return rows by their names."""
    return {row.name: row for row in rows}
