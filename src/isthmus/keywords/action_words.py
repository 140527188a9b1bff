"""The words of an action, taken one after the other, and what a row of the tables of actions says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from typing import NoReturn

from isthmus.config import ArgumentError, Span, Word, register, split_arguments
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.model.rule import Action
from isthmus.records import dataclass

ACTION_NOT_IMPLEMENTED = register(
    "E0401",
    "action is not implemented yet",
    """HAProxy has this action, and Isthmus does not have it yet.""",
)
ACTION_NOT_HERE = register(
    "E0402",
    "action in a set of rules that cannot have it",
    """connection rules run before anything was read, session rules once handshakes are done, content rules
    on what the client sends; not every action makes sense in each of them.""",
)
BAD_ACTION_ARGUMENT = register(
    "E0403",
    "bad argument of an action",
    """An argument of the action is missing, or is not what the action takes.""",
)


_TRACK = re.compile(r"(track-sc)[0-9]+\Z")


IN_PARENTHESES = frozenset(
    {
        *("add-acl", "add-map", "del-acl", "del-map", "set-map"),
        *("sc-add-gpc", "sc-inc-gpc", "sc-inc-gpc0", "sc-inc-gpc1", "sc-set-gpt", "sc-set-gpt0"),
        *("do-resolve", "set-var", "set-var-fmt", "unset-var"),
    }
)
"""The actions whose first arguments stand in parentheses behind the name."""
NUMBERED = "track-sc"
"""The action whose name goes on with a number."""


def action_name(text: str) -> str:
    """Return the name of an action's row: without parentheses and, of `track-sc0`, without the number.

    Parentheses behind a name that takes none are a part of it: there is no such action.
    """
    name, _, inside = text.partition("(")
    if inside and name not in IN_PARENTHESES:
        return text
    return _TRACK.sub(r"\1", name)


DECIMAL = re.compile(r"[0-9]{1,20}\Z")


class RuleSet(Enum):
    """The three sets of `tcp-request` rules."""

    CONNECTION = "connection"
    SESSION = "session"
    CONTENT = "content"


class WrongActionError(Exception):
    """An action that was given up; its diagnostic has been collected."""


@dataclass(slots=True)
class ActionWords:
    """An action's name and the words behind it, taken one after the other up to the condition."""

    words: tuple[Word, ...]
    place: Place
    context: Context
    pos: int = 1
    offered: tuple[str, ...] = ()
    """Words that the action would have taken where it ended, for "did you mean"."""

    @property
    def name(self) -> Word:
        """The action as written, with its parentheses."""
        return self.words[0]

    @property
    def next_text(self) -> str | None:
        """The next word's text, or None behind the last one and before a condition."""
        if self.pos < len(self.words) and self.words[self.pos].text not in ("if", "unless"):
            return self.words[self.pos].text
        return None

    def begins(self, *known: str) -> bool:
        """Whether the next word is one of these; what else stands there may have been meant as one."""
        self.offered = known
        return self.next_text in known

    @property
    def rest(self) -> tuple[Word, ...]:
        """The words not taken: the condition, if all is well."""
        return self.words[self.pos :]

    @property
    def behind(self) -> Span:
        """The empty place behind the last word that was taken."""
        return after(self.words[self.pos - 1])

    def take(self, expected: str, *, empty: bool = False) -> Word:
        """Take the next word. Raises WrongActionError if there is none.

        As in HAProxy, an empty word is none, unless `empty` says that it may be meant.
        """
        if self.next_text is None or not (self.next_text or empty):
            self.refuse(f"`{self.name.text}` needs one more argument", self.behind, expected)
        self.pos += 1
        return self.words[self.pos - 1]

    def expression(self) -> Expression:
        """Take an expression. Raises WrongActionError."""
        word = self.take("an expression, for instance `src`")
        found = parse_expression(word, self.place, self.context)
        if found is None:
            raise WrongActionError
        return found

    def format(self, *, empty: bool = False) -> Format:
        """Take a log format, which may be empty if that is said. Raises WrongActionError."""
        word = self.take("a log format, for instance `%[src]:%[src_port]`", empty=empty)
        found = parse_format(word, FormatKind.VALUE, self.place, self.context)
        if found is None:
            raise WrongActionError
        return found

    def refuse(
        self, message: str, span: Span, expected: str | None = None, hint: str | None = None
    ) -> NoReturn:
        """Collect an error and raise WrongActionError."""
        self.context.alert(BAD_ACTION_ARGUMENT, message, span, expected=expected, hint=hint)
        raise WrongActionError

    def refuse_unknown(self, word: Word, known: Iterable[str], what: str) -> NoReturn:
        """Refuse a word that is none of those allowed. Raises WrongActionError."""
        allowed = tuple(known)
        hint = did_you_mean(word.text, allowed)
        self.refuse(f"`{word.text}` is not {what}", word.span, f"one of {', '.join(allowed)}", hint)

    def choice(self, known: Iterable[str], what: str) -> str:
        """Take one of a few words. Raises WrongActionError."""
        allowed = tuple(known)
        word = self.take(f"{what}: {', '.join(allowed)}")
        if word.text not in allowed:
            self.refuse_unknown(word, allowed, what)
        return word.text

    def number(self, low: int, high: int, expected: str) -> int:
        """Take a decimal integer between two bounds, both included. Raises WrongActionError."""
        word = self.take(expected)
        if not (DECIMAL.match(word.text) and low <= int(word.text) <= high):
            self.refuse(f"`{word.text}` does not fit `{self.name.text}`", word.span, expected)
        return int(word.text)

    def inside(self, form: str) -> tuple[tuple[str, Span], ...]:
        """Return the arguments in the parentheses behind the name. Raises WrongActionError."""
        word = self.name
        opening = word.text.find("(")
        if opening < 0:
            self.refuse(f"`{word.text}` needs an argument in parentheses", word.span, form)
        try:
            given, end = split_arguments(word.text, opening)
        except ArgumentError as error:
            self.refuse(error.message, self.context.part(word, error.offset, 1), form)
        if end < len(word.text):
            rest = self.context.part(word, end, len(word.text) - end)
            self.refuse(f"`{word.text[end:]}` cannot stand here", rest, form)
        return tuple((e.text, self.context.part(word, e.start, e.end - e.start)) for e in given)


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action: the sets it may stand in, what it reads, and a line of documentation."""

    sets: frozenset[RuleSet]
    read: Callable[[ActionWords], Action]
    about: str
