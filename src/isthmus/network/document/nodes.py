"""The tree of a YAML text: scalars, sequences and mappings that know where they were written.

No meaning of any key is here; `composing` makes these from text and `templates` from one another.
"""

from __future__ import annotations

import re

from isthmus.config import Span
from isthmus.records import dataclass

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""What variables hold: YAML's values in Python's types."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """The values that the variables of a template had in one round, for messages."""

    values: dict[str, Value]

    def __str__(self) -> str:
        return ", ".join(f"{name} = {_short(value)}" for name, value in self.values.items())


def _short(value: Value) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."


@dataclass(frozen=True, slots=True)
class ExpandedSpan(Span):
    """A place in a template, with the values that its variables had when it was expanded."""

    bindings: Bindings

    def to(self, other: Span) -> ExpandedSpan:
        """Return the span from the start of this one to the end of `other`, in the same round."""
        return ExpandedSpan(self.file, self.line, self.column, other.end, self.bindings)

    def part(self, start: int, length: int) -> ExpandedSpan:
        """Return all of it: an offset into expanded text says nothing about the template's text."""
        return self


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: its text, what YAML 1.2 says that it is, and whether it stood without quotes.

    One is `broken` where its expression could not be computed: reported already, to be passed over.
    """

    text: str
    value: str | int | float | bool | None
    span: Span
    plain: bool = True
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list. `weight` counts its nodes with aliases followed."""

    items: tuple[Node, ...]
    span: Span
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, its entries in the order written."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    weight: int = 1

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = Scalar | Sequence | Mapping

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,38})\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,32}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,20}|(?:0|[1-9][0-9]{0,20})\.[0-9]{0,20})\Z")
_WORDS: dict[str, bool | None] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}


def resolve(text: str) -> str | int | float | bool | None:
    """Say what a scalar without quotes is: only true and false are booleans, and no colon makes a number."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _HEXADECIMAL.match(text):
        return int(text, 16)
    return float(text) if _FLOAT.match(text) else text


def plain(node: Node) -> Value:
    """Return a node as Python's values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def weigh(node: Node) -> int:
    """Count a node and all under it."""
    return 1 if isinstance(node, Scalar) else node.weight


def describe(node: Node) -> str:
    """Name a node's kind as messages do."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return "nothing" if node.value is None else f"`{node.text}`"
