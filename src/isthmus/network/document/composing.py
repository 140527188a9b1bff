"""From YAML text to nodes. Safe: nothing is constructed, tags are refused, aliases are bounded.

An alias shares its node; what it weighs is counted each time, so that a few lines of aliases of
aliases cannot stand for millions of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from isthmus.config import Span
from isthmus.network.document.codes import BAD_ALIAS, BAD_TAG, DUPLICATE_KEY, SYNTAX, TOO_LARGE
from isthmus.network.document.nodes import Mapping, Node, Scalar, Sequence, resolve, weigh
from isthmus.network.document.report import Report

Event = Any
"""An event or a mark of PyYAML, which has no types of its own."""

LARGEST_TREE = 1_000_000
_DEEPEST = 40
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_NO_TABS = "YAML is indented with blanks alone, and there is a tab"


def split_lines(text: str) -> tuple[str, ...]:
    """Split a text where YAML sees lines end."""
    return tuple(_LINE_BREAK.split(text))


def compose(file: str, text: str, report: Report) -> Node | None:
    """Return the tree of a YAML text, an empty mapping for an empty one, or None after reporting why not."""
    composer = _Composer(file, split_lines(text), report)
    bad = _UNPRINTABLE.search(text)
    if bad:
        before = split_lines(text[: bad.start()])
        span = Span(file, len(before), len(before[-1]) + 1, len(before[-1]) + 2)
        report.alert(SYNTAX, f"the character U+{ord(bad[0]):04X} may not stand in YAML", span)
        return None
    try:
        return composer.document(yaml.parse(text, Loader=_LOADER))
    except _StopError:
        return None
    except yaml.YAMLError as error:
        place = composer.place(getattr(error, "problem_mark", None))
        lines = split_lines(text)
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        tabbed = "\t" in line[: len(line) - len(line.lstrip())]
        report.alert(SYNTAX, _problem(error), place, hint=_NO_TABS if tabbed else None)
        return None


def _problem(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error) or "not YAML"
    context = getattr(error, "context", None)
    return " ".join(f"{problem} {context}".split()) if context else " ".join(str(problem).split())


class _StopError(Exception):
    """The text was refused, and why is reported."""


class _Composer:
    def __init__(self, file: str, lines: tuple[str, ...], report: Report) -> None:
        self._file = file
        self._lines = lines
        self._report = report
        self._anchors: dict[str, Node] = {}
        self._events: Iterator[Any] = iter(())

    def place(self, mark: Event) -> Span:
        """Return the span of one character at a mark of PyYAML's."""
        if mark is None:
            return Span(self._file, 1, 1, 1)
        return Span(self._file, mark.line + 1, mark.column + 1, mark.column + 2)

    def document(self, events: Iterator[Any]) -> Node:
        self._events = events
        next(events)
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            return Mapping((), Span(self._file, 1, 1, 1))
        node = self._node(next(events), 0)
        next(events)
        more = next(events)
        if isinstance(more, yaml.DocumentStartEvent):
            self._stop(SYNTAX, "a network file is one YAML document", self._span(more))
        if isinstance(node, Scalar) and node.value is None:
            return Mapping((), Span(self._file, 1, 1, 1))
        return node

    def _stop(self, code: str, message: str, span: Span) -> None:
        self._report.alert(code, message, span)
        raise _StopError

    def _span(self, event: Event) -> Span:
        start, end = event.start_mark, event.end_mark
        column = start.column + 1
        if end.line == start.line:
            return Span(self._file, start.line + 1, column, max(column, end.column + 1))
        return Span(self._file, start.line + 1, column, max(column, len(self._lines[start.line]) + 1))

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag not in _STRING_TAGS:
            self._stop(BAD_TAG, f"the tag `{event.tag}` is not supported", self._span(event))
        if depth > _DEEPEST:
            self._stop(TOO_LARGE, f"nested more than {_DEEPEST} levels deep", self._span(event))
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style and event.tag is None
            value = resolve(event.value) if plain else event.value
            node = Scalar(event.value, value, self._span(event), plain)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Event) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._stop(BAD_ALIAS, f"no anchor `&{event.anchor}` ended before this alias", self._span(event))
            raise AssertionError
        return node

    def _weight(self, total: int, span: Span) -> int:
        if total > LARGEST_TREE:
            self._stop(TOO_LARGE, f"more than {LARGEST_TREE} values with aliases followed", span)
        return total

    def _sequence(self, start: Event, depth: int) -> Sequence:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        span = self._span(start)
        return Sequence(tuple(items), span, self._weight(1 + sum(map(weigh, items)), span))

    def _mapping(self, start: Event, depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Mapping] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self._stop(SYNTAX, "a key is a single word", key.span)
            elif key.text == "<<" and key.plain:
                merged += self._merged(key, value)
            elif key.text in entries:
                first = entries[key.text][0].span.line
                self._report.alert(
                    DUPLICATE_KEY, f"the key `{key.text}` stands here twice (first in line {first})", key.span
                )
            else:
                entries[key.text] = (key, value)
        for mapping in merged:
            for key, value in mapping.entries:
                entries.setdefault(key.text, (key, value))
        span = self._span(start)
        if not start.flow_style and entries:
            span = next(iter(entries.values()))[0].span
        total = 1 + sum(1 + weigh(value) for _, value in entries.values())
        return Mapping(tuple(entries.values()), span, self._weight(total, span))

    def _merged(self, key: Scalar, value: Node) -> list[Mapping]:
        found = value.items if isinstance(value, Sequence) else (value,)
        mappings = [each for each in found if isinstance(each, Mapping)]
        if len(mappings) != len(found):
            self._report.alert(BAD_ALIAS, "`<<` takes a mapping or a list of mappings", key.span)
        return mappings
