"""One mapping from a file, its includes and its templates: sections of the same name become one.

Maps are joined (a name twice is an error) and lists appended; included files come first.
"""

from __future__ import annotations

from pathlib import Path

from isthmus.config import Diagnostics, Span
from isthmus.network.document.codes import (
    BAD_EACH,
    BAD_INCLUDE,
    DUPLICATE_KEY,
    TOO_LARGE,
    TOO_MANY,
    UNKNOWN_KEY,
    UNREADABLE,
    WRONG_SHAPE,
)
from isthmus.network.document.composing import compose
from isthmus.network.document.composing import split_lines as split
from isthmus.network.document.nodes import Mapping, Node, Scalar, Sequence, describe, plain
from isthmus.network.document.report import Report
from isthmus.network.document.templates import Expander, Scope, TooManyError, bound

_LARGEST_FILE = 4 << 20
_MOST_FILES = 256
_DEEPEST_BLOCK = 16
_MAPS = frozenset({"networks", "namespaces", "services"})
_LISTS = frozenset({"links", "expect"})
_BLOCK = _MAPS | _LISTS | {"each", "for"}
_OWN = ("include", "variables", "for")


def gather(file: Path, diagnostics: Diagnostics, report: Report) -> Mapping | None:
    """Return the whole document without includes and templates, or None after reporting why not."""
    files = _Files(diagnostics, report)
    found = files.load(file, None, ())
    if found is None:
        return None
    merged = _Gathering(report)
    try:
        scope = merged.variables(files.roots)
        for root in files.roots:
            merged.take(root, scope, 0)
    except TooManyError:
        return None
    return merged.document(found.span)


class _Files:
    """Reads files, each once, includes before what includes them."""

    def __init__(self, diagnostics: Diagnostics, report: Report) -> None:
        self._diagnostics = diagnostics
        self._report = report
        self._seen: set[Path] = set()
        self.roots: list[Mapping] = []

    def load(self, file: Path, span: Span | None, chain: tuple[Path, ...]) -> Mapping | None:
        place = span or Span(str(file), 1, 1, 1)
        text = self._text(file, place)
        if text is None:
            return None
        self._diagnostics.keep_source(str(file), split(text))
        root = compose(str(file), text, self._report)
        if root is None:
            return None
        if not isinstance(root, Mapping):
            self._report.alert(WRONG_SHAPE, f"a network file is a mapping, not {describe(root)}", root.span)
            return None
        here = file.resolve()
        self._seen.add(here)
        for name in self._includes(root):
            self._include(file.parent / name.text, name, (*chain, here))
        self.roots.append(root)
        return root

    def _text(self, file: Path, span: Span) -> str | None:
        try:
            with file.open("rb") as opened:
                data = opened.read(_LARGEST_FILE + 1)
            if len(data) > _LARGEST_FILE:
                self._report.alert(TOO_LARGE, f"`{file}` has more than 4 MiB", span)
                return None
            return data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            reason = f"not UTF-8 text (byte {error.start})"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        self._report.alert(UNREADABLE, f"cannot read `{file}`: {reason}", span)
        return None

    def _includes(self, root: Mapping) -> list[Scalar]:
        node = root.get("include")
        if node is None:
            return []
        names: list[Scalar] = []
        for item in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(item, Scalar) and isinstance(item.value, str) and item.text:
                names.append(item)
            else:
                self._report.alert(WRONG_SHAPE, f"{describe(item)} is no file", item.span, expected="a path")
        return names

    def _include(self, file: Path, name: Scalar, chain: tuple[Path, ...]) -> None:
        try:
            target = file.resolve()
        except (OSError, ValueError, RuntimeError):
            target = file
        if target in chain:
            way = " -> ".join(path.name for path in (*chain[chain.index(target) :], target))
            self._report.alert(BAD_INCLUDE, f"`{name.text}` includes itself: {way}", name.span)
        elif target not in self._seen:
            if len(self._seen) >= _MOST_FILES:
                self._report.alert(TOO_LARGE, f"more than {_MOST_FILES} files", name.span)
            else:
                self.load(file, name.span, chain)


class _Gathering:
    """Takes documents and blocks, and keeps their sections joined."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._expander = Expander(report)
        self._maps: dict[str, dict[str, tuple[Scalar, Node]]] = {}
        self._lists: dict[str, list[Node]] = {}
        self._others: dict[str, tuple[Scalar, Node]] = {}
        self._keys: dict[str, Scalar] = {}

    def variables(self, roots: list[Mapping]) -> Scope:
        """Return the scope of all files' variables, each seeing those before it."""
        scope = Scope()
        for root in roots:
            for name, value in self._variables(root):
                if name.text in scope.names:
                    self._report.alert(DUPLICATE_KEY, f"the variable `{name.text}` is set twice", name.span)
                else:
                    scope.names[name.text] = plain(self._expander.expand(value, scope))
        return scope

    def _variables(self, root: Mapping) -> tuple[tuple[Scalar, Node], ...]:
        node = root.get("variables")
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        if isinstance(node, Mapping):
            return node.entries
        self._report.alert(WRONG_SHAPE, f"variables are a mapping, not {describe(node)}", node.span)
        return ()

    def take(self, part: Mapping, scope: Scope, depth: int) -> None:
        """Add one document's or block's sections, expanded."""
        for key, value in part.entries:
            if key.text == "for":
                self._blocks(value, scope, depth)
            elif key.text in _OWN if depth == 0 else key.text == "each":
                continue
            elif depth == 0 or key.text in _MAPS | _LISTS:
                self._section(key, self._expander.expand(value, scope))

    def _section(self, key: Scalar, value: Node) -> None:
        name = key.text
        if name in _MAPS | _LISTS:
            if isinstance(value, Scalar) and value.value is None:
                return
            self._keys.setdefault(name, key)
        if name in _MAPS and isinstance(value, Mapping):
            self._join(name, value)
        elif name in _LISTS and isinstance(value, Sequence):
            self._lists.setdefault(name, []).extend(value.items)
        elif name in _MAPS | _LISTS:
            wanted = "a mapping" if name in _MAPS else "a list"
            self._report.alert(WRONG_SHAPE, f"`{name}` is {wanted}, not {describe(value)}", value.span)
        elif name in self._others:
            self._report.alert(DUPLICATE_KEY, f"`{name}` is given twice", key.span)
        else:
            self._others[name] = (key, value)

    def _join(self, section: str, value: Mapping) -> None:
        entries = self._maps.setdefault(section, {})
        for name, item in value.entries:
            if name.text in entries:
                first = entries[name.text][0].span
                self._report.alert(
                    DUPLICATE_KEY,
                    f"`{name.text}` is in `{section}` already ({first.file}:{first.line})",
                    name.span,
                )
            else:
                entries[name.text] = (name, item)

    def _blocks(self, node: Node, scope: Scope, depth: int) -> None:
        if depth >= _DEEPEST_BLOCK:
            self._report.alert(TOO_MANY, f"blocks nest more than {_DEEPEST_BLOCK} deep", node.span)
            return
        for block in node.items if isinstance(node, Sequence) else (node,):
            each = block.get("each") if isinstance(block, Mapping) else None
            if not isinstance(block, Mapping) or not isinstance(each, Mapping) or not each.entries:
                self._report.alert(
                    BAD_EACH, "a block without `each:`", block.span, expected="each: {i: 1..3}"
                )
                continue
            for key, _ in block.entries:
                if key.text not in _BLOCK:
                    span = bound(key.span, scope.bindings)
                    self._report.unknown(UNKNOWN_KEY, "key", key.text, span, _BLOCK, " in block")
            for inner in self._expander.rounds(each, scope):
                self.take(block, inner, depth + 1)

    def document(self, span: Span) -> Mapping:
        """Return all sections as one mapping."""
        maps = [
            (self._keys[name], Mapping(tuple(found.values()), span)) for name, found in self._maps.items()
        ]
        lists = [(self._keys[name], Sequence(tuple(found), span)) for name, found in self._lists.items()]
        return Mapping((*maps, *lists, *self._others.values()), span)
