"""Items of log formats with names and types, and whole formats in JSON or CBOR (manual 8.2.6)."""

from __future__ import annotations

import re

from isthmus.config import Span, Word, register
from isthmus.keywords.context import Context
from isthmus.model.log import (
    Alias,
    Encoded,
    Encoding,
    Field,
    FormatItem,
    ItemType,
    Literal,
    LogWhen,
    Record,
    Sample,
)
from isthmus.records import dataclass

BAD_TYPE = register(
    "E0500",
    "unknown type of an item in a log format",
    """The type behind an item's name says what its value is in JSON and CBOR: str, sint or bool.""",
    'log-format "%{+json}o %(status:sint)ST %(client)ci"',
)
NOTHING_NAMED = register(
    "W0500",
    "a format in JSON or CBOR in which nothing has a name",
    """With +json or +cbor in %o the format is one object, and an item's name is its key. Text, and items
    without a name, are left out, as in HAProxy.""",
    'log-format "%{+json}o %(client)ci %(request)r"',
)

ENCODINGS = {each.value: each for each in Encoding}
"""The flags that ask for an encoding."""

_LABEL = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Label:
    """What stands in parentheses behind a percent sign; an empty name names nothing."""

    name: str = ""
    type: ItemType = ItemType.OWN


@dataclass(frozen=True, slots=True)
class Item:
    """An alias or an expression with its label, its flags, and when its value is known."""

    value: Alias | Sample
    when: LogWhen
    label: Label
    flags: frozenset[str]


def take_label(word: Word, pos: int, context: Context) -> tuple[Label | None, int]:
    """Read `(name:type)` if it stands there; return it and the offset behind, None where it is wrong."""
    found = _LABEL.match(word.text, pos)
    if not found:
        return Label(), pos
    name, colon, kind = found[1].partition(":")
    types = {each.value: each for each in ItemType if each is not ItemType.OWN}
    if colon and kind not in types:
        span = context.part(word, found.start(1) + len(name) + 1, len(kind))
        context.alert(BAD_TYPE, f"`{kind}` is no type of an item", span, expected="`str`, `sint` or `bool`")
        return None, found.end()
    return Label(name, types[kind] if colon else ItemType.OWN), found.end()


def encoding_of(flags: frozenset[str]) -> Encoding | None:
    """Return the encoding that flags ask for."""
    return next((ENCODINGS[each] for each in flags if each in ENCODINGS), None)


def assemble(
    pieces: list[Literal | Item], flags: frozenset[str], span: Span, context: Context
) -> tuple[tuple[FormatItem, ...], LogWhen]:
    """Return a format's items, and when they are known; `flags` are those that `%o` set last."""
    encoding = encoding_of(flags)
    if encoding is None:
        items = [each if isinstance(each, Literal) else _alone(each, "bin" in flags) for each in pieces]
        kept = [each for each in pieces if isinstance(each, Item)]
        return tuple(items), _latest(kept)
    kept = [each for each in pieces if isinstance(each, Item) and each.label.name]
    if not kept:
        message = f"nothing in this format has a name: {encoding.value.upper()} has no place for it"
        context.warning(NOTHING_NAMED, message, span, hint="name items: `%(client)ci`")
    fields = tuple([Field(each.label.name, each.label.type, each.value) for each in kept])
    return (Record(encoding, "bin" in flags, fields),), _latest(kept)


def _alone(item: Item, binary: bool) -> FormatItem:
    encoding = encoding_of(item.flags)
    if encoding is not None:
        return Encoded(encoding, item.label.type, item.value)
    if binary and isinstance(item.value, Sample):
        # The letter of `+bin`, which no flag in braces can spell.
        return Sample(item.value.expression, "B" + item.value.flags)
    return item.value


def _latest(items: list[Item]) -> LogWhen:
    return max((each.when for each in items), default=LogWhen.CONNECT)
