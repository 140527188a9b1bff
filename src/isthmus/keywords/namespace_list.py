"""Section `namespace_list`: the namespaces that a PROXY header may name."""

from __future__ import annotations

from isthmus.config import Line, Section
from isthmus.keywords.codes import DUPLICATE_NAMESPACE, UNKNOWN_KEYWORD
from isthmus.keywords.namespaces import namespace
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.values import suggest
from isthmus.model.address import Namespace

_KEYWORD = "namespace"


class NamespaceList:
    """The names listed so far, by all sections of this kind."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return (_KEYWORD,)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, Namespace] = {}

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """Every listed namespace, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section."""
        for line in section.lines:
            try:
                self._line(line)
            except RefusedError as refusal:
                refusal.report(self._reading.diagnostics)
        if section.header.arguments:
            word = section.header.arguments[0]
            raise RefusedError(UNKNOWN_KEYWORD, f"`{section.kind.text}` has no name", word.span)

    def _line(self, line: Line) -> None:
        if line.keyword.text != _KEYWORD:
            raise RefusedError(
                UNKNOWN_KEYWORD,
                f"unknown keyword `{line.keyword.text}` in a namespace_list section",
                line.keyword.span,
                expected="namespace <name> ...",
                hint=suggest(line.keyword.text, (_KEYWORD,)),
            )
        words = Words(_KEYWORD, line.arguments, line.end)
        while True:
            each = namespace(words, self._reading.world)
            if each.name in self._found:
                raise RefusedError(DUPLICATE_NAMESPACE, f"namespace `{each.name}` is listed twice", each.span)
            self._found[each.name] = each
            if not words:
                return
