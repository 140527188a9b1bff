"""Templates: nodes with `${...}` in them to nodes without, and the rounds of a `for` block.

Every node made here points at the template's text and knows the values of its round.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config import Span
from isthmus.network.document.codes import (
    BAD_EACH,
    BAD_EXPRESSION,
    DUPLICATE_KEY,
    TOO_MANY,
    UNKNOWN_VARIABLE,
)
from isthmus.network.document.expressions import ExpressionError, Piece, pieces
from isthmus.network.document.nodes import (
    Bindings,
    ExpandedSpan,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Value,
    describe,
    plain,
    resolve,
    weigh,
)
from isthmus.network.document.report import Report
from isthmus.records import dataclass, field

MOST_ROUNDS = 100_000
MOST_VALUES = 1_000_000
MOST_CHARACTERS = 64 << 20
_LONGEST_TEXT = 65_536
_DEEPEST = 100


class TooManyError(Exception):
    """The templates stand for more than a network file may hold; reported already."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that an expression sees; `bindings` are those of the blocks around, for messages."""

    names: dict[str, Value] = field(default_factory=dict)
    bindings: Bindings | None = None

    def bind(self, name: str, value: Value) -> Scope:
        """Return the scope with one more variable of a block."""
        shown = self.bindings.values if self.bindings else {}
        return Scope(self.names | {name: value}, Bindings(shown | {name: value}))


class Expander:
    """Expands nodes, within the bounds that one file with its includes has."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._rounds = 0
        self._values = 0
        self._characters = 0

    def expand(self, node: Node, scope: Scope) -> Node:
        """Return a node without expressions. Errors are reported, and leave the text as it is.

        Raises TooManyError after reporting it.
        """
        self._values += 1
        if self._values > MOST_VALUES:
            self._too_many(f"more than {MOST_VALUES} values", node.span)
        bindings = scope.bindings
        span = bound(node.span, bindings)
        if isinstance(node, Scalar):
            if "$" in node.text:
                return self._scalar(node, span, scope)
            return Scalar(node.text, node.value, span, node.plain) if bindings else node
        if isinstance(node, Sequence):
            items = tuple([self.expand(item, scope) for item in node.items])
            return Sequence(items, span, node.weight)
        return self._mapping(node, span, scope)

    def rounds(self, each: Mapping, scope: Scope) -> Iterator[Scope]:
        """Yield the scope of every round: the product of the variables' values, in their order."""
        yield from self._product(each.entries, scope, each.span)

    def count_round(self, span: Span) -> None:
        """Count one round of a block. Raises TooManyError after reporting it."""
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            self._too_many(f"more than {MOST_ROUNDS} rounds", span)

    def _too_many(self, what: str, span: Span) -> None:
        self._report.alert(TOO_MANY, f"the templates make {what}", span)
        raise TooManyError

    def _product(self, entries: tuple[tuple[Scalar, Node], ...], scope: Scope, span: Span) -> Iterator[Scope]:
        if not entries:
            yield scope
            return
        (name, values), rest = entries[0], entries[1:]
        if not name.text.isidentifier():
            self._report.alert(BAD_EACH, f"`{name.text}` cannot be the name of a variable", name.span)
            return
        for value in self._each(values, scope):
            self.count_round(values.span)
            yield from self._product(rest, scope.bind(name.text, value), span)

    def _each(self, node: Node, scope: Scope) -> Iterator[Value]:
        values = self.expand(node, scope)
        if isinstance(values, Sequence):
            yield from (plain(item) for item in values.items)
            return
        if isinstance(values, Scalar):
            first, dots, last = values.text.partition("..")
            low, high = resolve(first.strip()), resolve(last.strip())
            if dots and type(low) is int and type(high) is int:
                yield from range(low, high + 1)
                return
        if isinstance(values, Scalar) and values.broken:
            return
        self._report.alert(
            BAD_EACH,
            f"{describe(values)} gives no values",
            values.span,
            expected="a range (1..500) or a list",
        )

    def _mapping(self, node: Mapping, span: Span, scope: Scope) -> Mapping:
        entries = []
        seen: set[str] = set()
        for old, value in node.entries:
            key = self._key(old, scope)
            if key.text in seen:
                self._report.alert(DUPLICATE_KEY, f"the key `{key.text}` stands here twice", key.span)
                continue
            seen.add(key.text)
            entries.append((key, self.expand(value, scope)))
        return Mapping(tuple(entries), span, node.weight)

    def _key(self, key: Scalar, scope: Scope) -> Scalar:
        expanded = self.expand(key, scope)
        if isinstance(expanded, Scalar):
            return expanded
        self._report.alert(
            BAD_EXPRESSION, f"a key is a single word, and `{key.text}` is {describe(expanded)}", key.span
        )
        return key

    def _scalar(self, node: Scalar, span: Span, scope: Scope) -> Node:
        try:
            found = pieces(node.text)
            if len(found) == 1 and not isinstance(found[0], str):
                return self._node(found[0](scope.names), span, 0)
            text = self._joined(found, span, scope)
        except ExpressionError as error:
            self._wrong(error, span, scope)
            return Scalar(node.text, node.text, span, False, broken=True)
        return Scalar(text, resolve(text) if node.plain else text, span, node.plain)

    def _joined(self, found: tuple[Piece, ...], span: Span, scope: Scope) -> str:
        texts: list[str] = []
        length = 0
        for piece in found:
            text = piece if isinstance(piece, str) else _text(piece(scope.names))
            length += len(text)
            if length > _LONGEST_TEXT:
                self._too_many(f"a text of more than {_LONGEST_TEXT} characters", span)
            texts.append(text)
        self._characters += length
        if self._characters > MOST_CHARACTERS:
            self._too_many(f"more than {MOST_CHARACTERS} characters", span)
        return "".join(texts)

    def _wrong(self, error: ExpressionError, span: Span, scope: Scope) -> None:
        if error.unknown is None:
            self._report.alert(BAD_EXPRESSION, str(error), span)
        else:
            self._report.unknown(UNKNOWN_VARIABLE, "variable", error.unknown, span, scope.names)

    def _node(self, value: Value, span: Span, depth: int) -> Node:
        """Return a value as a node, for a scalar that is one expression whole."""
        self._values += 1
        if self._values > MOST_VALUES:
            self._too_many(f"more than {MOST_VALUES} values", span)
        if depth > _DEEPEST:
            self._too_many(f"values nested more than {_DEEPEST} deep", span)
        if isinstance(value, list):
            items = tuple([self._node(item, span, depth + 1) for item in value])
            return Sequence(items, span, 1 + sum(map(weigh, items)))
        if isinstance(value, dict):
            entries = tuple(
                (Scalar(key, key, span), self._node(item, span, depth + 1)) for key, item in value.items()
            )
            return Mapping(entries, span, 1 + sum(1 + weigh(item) for _, item in entries))
        return Scalar(_text(value), value, span, not isinstance(value, str))


def bound(span: Span, bindings: Bindings | None) -> Span:
    """Return a span that knows the values of its round, where it is in one."""
    if bindings is None:
        return span
    return ExpandedSpan(span.file, span.line, span.column, span.end, bindings)


def _text(value: Value) -> str:
    if isinstance(value, list | dict):
        raise ExpressionError("a list or a mapping cannot stand within a text")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
