"""The kinds of values that keys take: each reads a node, and says as JSON Schema what it reads.

A table of rows is a kind too. Errors are reported where they are met and reading goes on; what
could not be read is `BAD`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Protocol

from isthmus.config import Span, nearest
from isthmus.network.document.codes import BAD_VALUE, CLASHING_KEYS, MISSING_KEY, UNKNOWN_KEY, WRONG_SHAPE
from isthmus.network.document.nodes import Mapping, Node, Scalar, Sequence, describe
from isthmus.network.document.report import Report
from isthmus.network.model.filtering import AnyNetwork
from isthmus.records import dataclass, field, replace

Json = dict[str, Any]

Meant = Any
"""What a node means: another type for every kind, which the table's builder knows."""

TEMPLATE: Final[Json] = {"$ref": "#/$defs/template"}
"""Any single value may be an expression, or have one within."""


class Bad(Enum):
    """What a node gives that could not be read; reported already."""

    BAD = 0


BAD: Final = Bad.BAD


@dataclass(slots=True)
class Reader:
    """What reading needs beside the node: where errors go, and the named networks read so far.

    It remembers where the keys of each part of the model were written, for the checks on the whole.
    """

    report: Report
    networks: dict[str, tuple[AnyNetwork, ...]] = field(default_factory=dict)
    _spots: dict[int, tuple[Span, dict[str, Span]]] = field(default_factory=dict)

    def remember(self, part: object, spans: dict[str, Span]) -> None:
        """Keep the places of a part's keys under its span, which tells parts apart by identity.

        The innermost table that made a part is the one that has its keys.
        """
        span = getattr(part, "span", None)
        if isinstance(span, Span):
            self._spots.setdefault(id(span), (span, spans))

    def at(self, span: Span | None, key: str) -> Span:
        """Return where a key's value of the part with this span was written, or the part's own place."""
        own = span or Span("", 1, 1, 1)
        return self._spots[id(span)][1].get(key, own) if id(span) in self._spots else own


class Kind(Protocol):
    """A kind of value."""

    @property
    def words(self) -> str:
        """What is expected, in a few words."""
        ...

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return what a node means, or BAD after reporting why it means nothing."""
        ...

    def schema(self, definitions: Json) -> Json:
        """Return the JSON Schema; shared parts go to `definitions`."""
        ...


def wrong_shape(node: Node, words: str, reader: Reader) -> Bad:
    """Report that a node is not of the shape wanted."""
    if isinstance(node, Scalar) and node.broken:
        return BAD
    reader.report.alert(WRONG_SHAPE, f"{describe(node)} cannot stand here", node.span, expected=words)
    return BAD


@dataclass(frozen=True, slots=True)
class Word:
    """A single value. `parse` takes its text; it raises ValueError with what is wrong, or nothing.

    `json` is what the JSON Schema says of the YAML value; numbers are words too, booleans are not.
    """

    words: str
    parse: Callable[[str], Any]
    json: Json = field(default_factory=lambda: {"type": ["string", "number"]})
    boolean: bool = False
    choices: tuple[str, ...] = ()

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return what the text means."""
        if not isinstance(node, Scalar) or node.value is None or node.broken:
            return wrong_shape(node, self.words, reader)
        try:
            if isinstance(node.value, bool) and not self.boolean:
                raise ValueError("true and false are written in quotes where they are words")
            return self.parse(node.text)
        except ValueError as error:
            self._complain(node, str(error), reader)
            return BAD

    def _complain(self, node: Scalar, reason: str, reader: Reader) -> None:
        near = nearest(node.text, self.choices)
        hint = f"did you mean `{near}`?" if near else (reason or None)
        message = f"bad value `{node.text[:60]}`"
        reader.report.alert(BAD_VALUE, message, node.span, expected=self.words, hint=hint)

    def schema(self, definitions: Json) -> Json:
        """Return the value's schema, or an expression."""
        return {"anyOf": [self.json, TEMPLATE]}


@dataclass(frozen=True, slots=True)
class Many:
    """A list of one kind. With `single`, one value without brackets is a list of one."""

    kind: Kind
    single: bool = False

    @property
    def words(self) -> str:
        """What is expected, in a few words."""
        return f"{self.kind.words}, or a list of them" if self.single else f"a list: each {self.kind.words}"

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return a tuple of what could be read."""
        if isinstance(node, Sequence):
            found = [self.kind.read(item, reader) for item in node.items]
            return tuple([each for each in found if each is not BAD])
        if not self.single:
            return wrong_shape(node, self.words, reader)
        one = self.kind.read(node, reader)
        return BAD if one is BAD else (one,)

    def schema(self, definitions: Json) -> Json:
        """Return the list's schema."""
        item = self.kind.schema(definitions)
        listed = {"anyOf": [{"type": "array", "items": item}, TEMPLATE]}
        return {"anyOf": [item, listed]} if self.single else listed


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping from names to one kind: a tuple of what `make` makes of key and value."""

    name: Word
    kind: Kind
    make: Callable[[str, Any, Span, Reader], Any] = lambda name, value, span, reader: (name, value)
    words: str = "a mapping"

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return a tuple, in the order of the text, of what could be read."""
        if not isinstance(node, Mapping):
            return wrong_shape(node, self.words, reader)
        found = []
        for key, value in node.entries:
            name, meant = self.name.read(key, reader), self.kind.read(value, reader)
            if name is not BAD and meant is not BAD:
                found.append(self.make(name, meant, key.span, reader))
        return tuple([each for each in found if each is not BAD])

    def schema(self, definitions: Json) -> Json:
        """Return the mapping's schema."""
        return {"type": "object", "additionalProperties": self.kind.schema(definitions)}


@dataclass(frozen=True, slots=True)
class Either:
    """A single value (or list) of one kind, or a mapping of another."""

    word: Kind
    table: Kind

    @property
    def words(self) -> str:
        """What is expected, in a few words."""
        return f"{self.word.words}, or {self.table.words}"

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return what the kind reads that fits the node."""
        if isinstance(node, Mapping):
            return self.table.read(node, reader)
        found = self.word.read(node, reader)
        # What one word stands for has a place in the file, as what a table says has.
        return replace(found, span=node.span) if getattr(found, "span", node) is None else found

    def schema(self, definitions: Json) -> Json:
        """Return both schemas."""
        return {"anyOf": [self.word.schema(definitions), self.table.schema(definitions)]}


@dataclass(frozen=True, slots=True)
class Row:
    """One key: its name, what it takes, what it means, and what holds without it.

    `shown` describes a default that is no value. A `section` may be there with nothing in it.
    """

    name: str
    kind: Kind
    text: str
    default: Any = None
    required: bool = False
    shown: str | None = None
    section: bool = False


@dataclass(frozen=True, slots=True)
class Values:
    """What a table's keys gave: defaults are in place of those that are not there."""

    found: dict[str, Any]
    spans: dict[str, Span]
    span: Span

    def __getitem__(self, name: str) -> Meant:
        return self.found[name]

    def __contains__(self, name: str) -> bool:
        return name in self.spans

    def at(self, name: str) -> Span:
        """Return where a key's value is written, or the table where it is not."""
        return self.spans.get(name, self.span)


Build = Callable[[Values, Reader], Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of known keys. `build` makes the result of its values.

    `exclusive` are groups of keys of which exactly one is there; `empty` allows nothing at all.
    """

    title: str
    text: str
    rows: tuple[Row, ...]
    build: Build
    exclusive: tuple[tuple[str, ...], ...] = ()
    empty: bool = False

    @property
    def words(self) -> str:
        """What is expected, in a few words."""
        names = [row.name for row in self.rows]
        return f"a mapping with {', '.join(names[:6])}" + (", ..." if len(names) > 6 else "")

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return what `build` makes; a required key that is missing or bad makes all of it BAD."""
        if self.empty and isinstance(node, Scalar) and node.value is None:
            node = Mapping((), node.span)
        if not isinstance(node, Mapping):
            return wrong_shape(node, self.words, reader)
        given = {key.text: (key, value) for key, value in node.entries}
        for name, (key, _) in given.items():
            if not any(name == row.name for row in self.rows):
                known = [row.name for row in self.rows]
                reader.report.unknown(UNKNOWN_KEY, "key", name, key.span, known, f" in {self.title}")
        fit = self._exclusive(given, node, reader)
        found, spans = {}, {}
        for row in self.rows:
            value = row.default
            if row.name in given:
                spans[row.name] = given[row.name][1].span
                value = row.kind.read(given[row.name][1], reader)
            elif row.required:
                self._missing(row.name, node.span, reader)
                fit = False
            if value is BAD:
                fit = fit and not row.required and not any(row.name in group for group in self.exclusive)
                value = row.default
            found[row.name] = value
        if not fit:
            return BAD
        made = self.build(Values(found, spans, node.span), reader)
        reader.remember(made, spans)
        return made

    def _missing(self, name: str, span: Span, reader: Reader) -> None:
        reader.report.alert(MISSING_KEY, f"{self.title} needs `{name}`", span)

    def _exclusive(self, given: dict[str, tuple[Scalar, Node]], node: Node, reader: Reader) -> bool:
        fit = True
        for group in self.exclusive:
            there = [name for name in given if name in group]
            if len(there) == 1:
                continue
            fit = False
            choice = " or ".join(f"`{name}`" for name in group)
            if there:
                text = " and ".join(f"`{name}`" for name in there)
                reader.report.alert(
                    CLASHING_KEYS, f"{text} exclude one another", given[there[1]][0].span, expected=choice
                )
            else:
                reader.report.alert(MISSING_KEY, f"{self.title} needs {choice}", node.span)
        return fit

    def schema(self, definitions: Json) -> Json:
        """Return a reference to the table's definition, adding it where it is new."""
        name = self.title.replace(" ", "-")
        if name not in definitions:
            definitions[name] = made = {}  # before its rows: tables may contain themselves
            made.update(self._object(definitions))
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, definitions: Json) -> Json:
        properties = {row.name: _described(row, definitions) for row in self.rows}
        made: Json = {
            "type": ["object", "null"] if self.empty else "object",
            "description": self.text,
            "properties": properties,
            "additionalProperties": False,
        }
        if required := [row.name for row in self.rows if row.required]:
            made["required"] = required
        if self.exclusive:
            made["allOf"] = [{"oneOf": [{"required": [name]} for name in group]} for group in self.exclusive]
        return made


def _described(row: Row, definitions: Json) -> Json:
    schema = row.kind.schema(definitions)
    if row.section:
        schema = {"anyOf": [schema, {"type": "null"}]}
    made = {"description": row.text, **schema}
    if isinstance(row.default, bool | int | float | str):
        made["default"] = row.default
    return made
