"""What `tcp-request` rules do: a row for each action, the sets of rules it may stand in, its arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from isthmus.config import ArgumentError, Span, Word, register, split_arguments
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.log_targets import LEVELS
from isthmus.keywords.variables import check_condition, check_variable
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.model.rule import (
    Accept,
    Action,
    Capture,
    ExpectProxy,
    Reject,
    SetAddress,
    SetLogLevel,
    SetMark,
    SetTos,
    SetVar,
    SilentDrop,
    UnsetVar,
)

UNKNOWN_ACTION = register(
    "E0400",
    "unknown action of a tcp-request rule",
    """Behind tcp-request and the set of rules stands an action: accept, reject, set-var(...) and so on.""",
    "tcp-request connection reject if { src 192.0.2.0/24 }",
)
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


_DECIMAL = re.compile(r"[0-9]{1,20}\Z")


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
        if not (_DECIMAL.match(word.text) and low <= int(word.text) <= high):
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


def _silent_drop(words: ActionWords) -> Action:
    if words.next_text != "rst-ttl":
        return SilentDrop()
    words.take("`rst-ttl`")
    return SilentDrop(words.number(1, 255, "a hop limit from 1 to 255"))


def _expect_proxy(words: ActionWords) -> Action:
    layer = words.take("`layer4`")
    if layer.text != "layer4":
        words.refuse("`expect-proxy` knows one layer", layer.span, "`layer4`")
    return ExpectProxy()


def _variable(words: ActionWords) -> tuple[str, tuple[str, ...]]:
    """Read the parentheses behind `set-var` and its like: the name and the conditions."""
    word, context = words.name, words.context
    form = f"{word.text.partition('(')[0]}(<scope>.<name>)"
    given = words.inside(form)
    name = check_variable(*given[0], context)
    conditions = tuple(text for text, _ in given[1:] if text)
    rights = [check_condition(text, span, context) for text, span in given[1:]]
    if name is None or not all(rights):
        raise WrongActionError
    return name, conditions


def _set_var(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    return SetVar(name, words.expression(), conditions)


def _set_var_fmt(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    return SetVar(name, words.format(empty=True), conditions)


def _unset_var(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    if conditions:
        words.refuse("`unset-var` takes no conditions", words.name.span, "unset-var(<scope>.<name>)")
    return UnsetVar(name)


def _set_address(words: ActionWords) -> Action:
    return SetAddress(words.name.text, words.expression())


def _capture(words: ActionWords) -> Action:
    value = words.expression()
    keyword = words.take("`len` and a number of bytes")
    if keyword.text != "len":
        words.refuse(f"`{keyword.text}` cannot stand here", keyword.span, "`len` and a number of bytes")
    length = words.number(1, 65535, "a number of bytes from 1 to 65535")
    if not words.context.frontend:
        message = "captures belong to a frontend, and this section is none"
        words.refuse(message, words.name.span)
    return Capture(value, length, slot=-1)  # the reader of the section numbers it


def _set_log_level(words: ActionWords) -> Action:
    choices = ("silent", *LEVELS)
    level = words.take(f"one of {', '.join(choices)}")
    if level.text not in choices:
        message, hint = f"unknown log level `{level.text}`", did_you_mean(level.text, choices)
        words.refuse(message, level.span, f"one of {', '.join(choices)}", hint)
    return SetLogLevel(None if level.text == "silent" else LEVELS.index(level.text))


def _set_mark(words: ActionWords) -> Action:
    return SetMark(_constant(words, 2**32 - 1, "a mark: a number up to 0xffffffff, decimal or with 0x"))


def _set_tos(words: ActionWords) -> Action:
    return SetTos(_constant(words, 255, "a DS field: a number up to 255, decimal or with 0x"))


_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]{1,20}\Z")


def _constant(words: ActionWords, high: int, expected: str) -> int:
    word = words.take(expected)
    text = word.text
    if text.partition("(")[0].partition(",")[0] in words.context.vocabulary.fetches:
        message = f"an expression behind `{words.name.text}` is not implemented yet"
        words.context.alert(ACTION_NOT_IMPLEMENTED, message, word.span, expected=expected)
        raise WrongActionError
    hexadecimal = _HEXADECIMAL.match(text)
    if not (hexadecimal or _DECIMAL.match(text)) or int(text, 16 if hexadecimal else 10) > high:
        words.refuse(f"`{text}` does not fit `{words.name.text}`", word.span, expected)
    return int(text, 16 if hexadecimal else 10)


_ALL = frozenset(RuleSet)
_CONNECTION = frozenset({RuleSet.CONNECTION})
_CONTENT = frozenset({RuleSet.CONTENT})

ACTIONS: dict[str, ActionRow] = {
    "accept": ActionRow(_ALL, lambda _words: Accept(), "ends the set: the connection passes"),
    "capture": ActionRow(_CONTENT, _capture, "keeps a sample for the log"),
    "expect-proxy": ActionRow(_CONNECTION, _expect_proxy, "the connection begins with a PROXY header"),
    "reject": ActionRow(_ALL, lambda _words: Reject(), "closes the connection"),
    "set-dst": ActionRow(_ALL, _set_address, "replaces the destination address"),
    "set-dst-port": ActionRow(_ALL, _set_address, "replaces the destination port"),
    "set-fc-mark": ActionRow(_ALL, _set_mark, "sets the netfilter mark of packets to the client"),
    "set-fc-tos": ActionRow(_ALL, _set_tos, "sets the DS field of packets to the client"),
    "set-log-level": ActionRow(_CONTENT, _set_log_level, "changes the level of the session's log line"),
    "set-mark": ActionRow(_ALL, _set_mark, "the older name of set-fc-mark"),
    "set-src": ActionRow(_ALL, _set_address, "replaces the client's address"),
    "set-src-port": ActionRow(_ALL, _set_address, "replaces the client's port"),
    "set-tos": ActionRow(_ALL, _set_tos, "the older name of set-fc-tos"),
    "set-var": ActionRow(_ALL, _set_var, "sets a variable from an expression"),
    "set-var-fmt": ActionRow(_ALL, _set_var_fmt, "sets a variable from a log format"),
    "silent-drop": ActionRow(_ALL, _silent_drop, "drops the connection without telling the client"),
    "unset-var": ActionRow(_ALL, _unset_var, "forgets a variable"),
}
"""Every action that works, by name; one with parentheses is listed without them."""

NOT_YET = frozenset(
    {
        *(
            "attach-srv",
            "do-log",
            "do-resolve",
            "expect-netscaler-cip",
            "ot-group",
            "sc-add-gpc",
            "sc-inc-gpc",
        ),
        *(
            "sc-inc-gpc0",
            "sc-inc-gpc1",
            "sc-set-gpt",
            "sc-set-gpt0",
            "send-spoe-group",
            "set-bandwidth-limit",
        ),
        *(
            "set-bc-mark",
            "set-bc-tos",
            "set-nice",
            "set-priority-class",
            "set-priority-offset",
            "set-retries",
        ),
        *("switch-mode", "use-service"),
    }
)
"""Actions of HAProxy 3.5 that do not work yet; `track-scN` and `lua.NAME` are not either."""

_NUMBERED = re.compile(r"(?:track-sc[0-9]+|lua\..+)\Z")


def parse_action(words: ActionWords, rule_set: RuleSet) -> Action:
    """Read an action of a set of rules. Raises WrongActionError after collecting what is wrong."""
    name, context = words.name.text.partition("(")[0], words.context
    row = ACTIONS.get(name)
    if row is None:
        _unknown(name, words.name, rule_set, context)
        raise WrongActionError
    if rule_set not in row.sets:
        rest = " or ".join(f"tcp-request {each.value}" for each in RuleSet if each in row.sets)
        message = f"`{name}` cannot stand in `tcp-request {rule_set.value}`"
        context.alert(ACTION_NOT_HERE, message, words.name.span, expected=f"`{name}` in {rest}")
        raise WrongActionError
    return row.read(words)


def _unknown(name: str, word: Word, rule_set: RuleSet, context: Context) -> None:
    if name in NOT_YET or _NUMBERED.match(name):
        message = f"action `{name}` of tcp-request rules is not implemented yet"
        context.alert(ACTION_NOT_IMPLEMENTED, message, word.span)
        return
    possible = [each for each, row in ACTIONS.items() if rule_set in row.sets]
    context.alert(
        UNKNOWN_ACTION,
        f"unknown action `{word.text}` of `tcp-request {rule_set.value}`",
        word.span,
        expected=f"one of {', '.join(possible)}",
        hint=did_you_mean(name, [*possible, *NOT_YET]),
    )
