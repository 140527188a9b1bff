"""table: the actions about tracked entries of stick tables, `track-sc0` and `sc-inc-gpc` and their kin.

Whether the counter's number is below `tune.stick-counters` is known once section `global` was read: the
plan's builder looks at it.
"""

from __future__ import annotations

import re

from isthmus.config import Span, register
from isthmus.keywords.action_words import DECIMAL, ActionRow, ActionWords, RuleSet
from isthmus.model.expression import Call, Expression, IntArg, ProxyArg, SampleType
from isthmus.model.rule import Action, AddGpc, SetGpt, Track

BAD_COUNTER = register(
    "E0540",
    "no such tracked counter",
    """track-sc0, sc-inc-gpc0(0), sc_conn_rate(0) and the like name one of the entries that a session tracks
    at once, by its number from 0. There are three, or as many as tune.stick-counters says.""",
    "tcp-request connection track-sc0 src",
)

MOST_ELEMENTS = 100
"""Elements of the arrays gpc, gpc_rate and gpt at most."""

_INTEGER = re.compile(r"-?[0-9]{1,10}\Z")


def _track(words: ActionWords) -> Action:
    counter = words.name.text.removeprefix("track-sc")
    if not DECIMAL.match(counter):
        words.refuse(
            f"`{words.name.text}` names no counter", words.name.span, "`track-sc0` or another number"
        )
    key = words.expression()
    return Track(int(counter), key, table(words), words.name.span)


def table(words: ActionWords) -> ProxyArg:
    """Take `table <name>` if it stands there; without it the section's own is meant."""
    if not words.begins("table"):
        return ProxyArg("table", words.context.proxy, words.name.span)
    words.take("`table`")
    name = words.take("the name of a proxy with a stick-table")
    return ProxyArg("table", name.text, name.span)


def _number(words: ActionWords, text: str, span: Span, high: int, what: str) -> int:
    if not DECIMAL.match(text) or int(text) >= high:
        words.refuse(f"`{text}` is not {what}", span, f"a number from 0 to {high - 1}")
    return int(text)


def _place(words: ActionWords, *, array: bool) -> tuple[int, int]:
    """Read `(<idx>,<sc-id>)` of an array's actions, `(<sc-id>)` of the others: index and counter."""
    name = words.name.text.partition("(")[0]
    form = f"{name}(<idx>,<sc-id>)" if array else f"{name}(<sc-id>)"
    given = words.inside(form)
    if len(given) != (2 if array else 1):
        words.refuse(f"`{words.name.text}` has the wrong number of arguments", words.name.span, form)
    counter = _number(words, *given[-1], 4096, "the number of a counter")
    index = _number(words, *given[0], MOST_ELEMENTS, "a place in an array") if array else 0
    return index, counter


def _constant(value: int, span: Span) -> Expression:
    return Expression(Call("int", (IntArg(value),)), (), SampleType.INT, span)


def _value(words: ActionWords) -> Expression:
    """Take an expression, or a number."""
    text = words.next_text or ""
    if not _INTEGER.match(text):
        return words.expression()
    word = words.take("a number or an expression")
    return _constant(int(word.text), word.span)


def _inc_gpc(words: ActionWords) -> Action:
    index, counter = _place(words, array=True)
    return AddGpc(index, True, counter, _constant(1, words.name.span), words.name.span)


def _inc_own(words: ActionWords) -> Action:
    _, counter = _place(words, array=False)
    index = int(words.name.text.startswith("sc-inc-gpc1"))
    return AddGpc(index, False, counter, _constant(1, words.name.span), words.name.span)


def _add_gpc(words: ActionWords) -> Action:
    index, counter = _place(words, array=True)
    return AddGpc(index, True, counter, _value(words), words.name.span)


def _set_gpt(words: ActionWords) -> Action:
    index, counter = _place(words, array=True)
    return SetGpt(index, counter, _value(words), words.name.span)


def _set_gpt0(words: ActionWords) -> Action:
    _, counter = _place(words, array=False)
    return SetGpt(None, counter, _value(words), words.name.span)


_ALL = frozenset(RuleSet)

TRACKING: dict[str, ActionRow] = {
    "sc-add-gpc": ActionRow(_ALL, _add_gpc, "adds to a counter of a tracked entry"),
    "sc-inc-gpc": ActionRow(_ALL, _inc_gpc, "adds one to a counter of a tracked entry"),
    "sc-inc-gpc0": ActionRow(_ALL, _inc_own, "adds one to the first counter of a tracked entry"),
    "sc-inc-gpc1": ActionRow(_ALL, _inc_own, "adds one to the second counter of a tracked entry"),
    "sc-set-gpt": ActionRow(_ALL, _set_gpt, "sets a tag of a tracked entry"),
    "sc-set-gpt0": ActionRow(_ALL, _set_gpt0, "sets the first tag of a tracked entry"),
    "track-sc": ActionRow(_ALL, _track, "tracks the entry of a key in a stick table"),
}
"""The rows, by name; `track-sc` is followed by the counter's number."""
