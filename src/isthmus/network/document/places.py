"""Kinds whose meaning needs more than their text: files beside the document, and named networks."""

from __future__ import annotations

from pathlib import Path

from isthmus.network.document.codes import BAD_VALUE, UNKNOWN_NAME
from isthmus.network.document.kinds import BAD, Json, Many, Meant, Named, Reader
from isthmus.network.document.nodes import Node, Scalar
from isthmus.network.document.words import FILE_NAME, PATH, PREFIX, parse_network
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path, relative to the file that it is written in."""

    words: str = "a path"

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return the path, joined to the document's folder."""
        text = PATH.read(node, reader)
        return BAD if text is BAD else Path(node.span.file).parent / text

    def schema(self, definitions: Json) -> Json:
        """Return a text's schema."""
        return PATH.schema(definitions)


@dataclass(frozen=True, slots=True)
class NetworkNames:
    """Named networks and prefixes, as one tuple of prefixes."""

    words: str = "the name of a network or a prefix, or a list of them"

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return the prefixes; a name stands for all of its own."""
        found = Many(_One(), single=True).read(node, reader)
        return BAD if found is BAD else tuple(prefix for prefixes in found for prefix in prefixes)

    def schema(self, definitions: Json) -> Json:
        """Return the schema of one word or a list."""
        return Many(_One(), single=True).schema(definitions)


@dataclass(frozen=True, slots=True)
class _One:
    words: str = "the name of a network or a prefix"

    def read(self, node: Node, reader: Reader) -> Meant:
        if isinstance(node, Scalar) and node.text in reader.networks:
            return reader.networks[node.text]
        if not isinstance(node, Scalar) or node.broken or not any(mark in node.text for mark in "./:"):
            name = FILE_NAME.read(node, reader)
            if name is not BAD:
                reader.report.unknown(UNKNOWN_NAME, "network", name, node.span, reader.networks)
            return BAD
        try:
            return (parse_network(node.text),)
        except ValueError as error:
            message = f"bad value `{node.text[:60]}`"
            reader.report.alert(BAD_VALUE, message, node.span, expected=self.words, hint=str(error) or None)
            return BAD

    def schema(self, definitions: Json) -> Json:
        return {"anyOf": [FILE_NAME.schema(definitions), PREFIX.schema(definitions)]}


NETWORKS = Named(FILE_NAME, Many(PREFIX, single=True), words="a mapping from names to prefixes")
"""The section `networks`. It is read before the others."""
