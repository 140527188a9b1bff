"""What editors and people read about network files, made of the rows: JSON Schema and a reference."""

from __future__ import annotations

from isthmus.network.document.document_rows import DOCUMENT
from isthmus.network.document.kinds import Either, Json, Kind, Many, Named, Row, Table
from isthmus.network.document.link_rows import END, VETH
from isthmus.network.document.sentences import FORMS

_TEMPLATE: Json = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "An expression of a template: ${NAME}, ${i + 1}, ${i:02x}.",
}


def json_schema() -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of network files, for editors."""
    definitions: Json = {"template": _TEMPLATE}
    DOCUMENT.schema(definitions)
    root = definitions.pop(DOCUMENT.title.replace(" ", "-"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Isthmus network file",
        **root,
        "type": ["object", "null"],
        "$defs": definitions,
    }


_INTRODUCTION = """# Keys of network files

<!-- Made from the reader's own tables by `python -m isthmus.network.document`; do not edit. -->

`isthmus net` reads one YAML file. Every key that it may have is below; `isthmus net schema` prints the
same as JSON Schema for editors.

Times have units (us, ms, s, m, h), rates are bit, kbit, mbit or gbit per second, sizes are bytes or k, m
and g (1024). `true` and `false` alone are booleans: `on`, `off`, `yes` and `no` are words.

Any value or key may hold `${EXPRESSION}`: names, whole numbers, `+ - * // %`, `a.b`, `a[0]`, and a format
behind a colon (`${i:03d}`, `${i:02x}`). A value that is one expression whole keeps its type; `$$` is `$`.
Included paths and those of key files, folders and proxy configurations are relative to the file that
names them. The namespace `host` is where the network is built, `outside` where the command was started.

Sentences of `expect`: {forms}.
"""


def reference() -> str:
    """Return docs/network-file.md: every table of keys, each once."""
    tables: dict[str, Table] = {}
    _collect(DOCUMENT, tables)
    parts = [_INTRODUCTION.replace("{forms}", ", ".join(FORMS))]
    return "\n".join(parts + [_section(table) for table in tables.values()])


def _collect(kind: Kind, tables: dict[str, Table]) -> None:
    """Find the tables beneath a kind, parents before children."""
    if isinstance(kind, Table) and kind.title not in tables:
        tables[kind.title] = kind
        for row in kind.rows:
            _collect(row.kind, tables)
    elif isinstance(kind, Many | Named):
        _collect(kind.kind, tables)
    elif isinstance(kind, Either):
        _collect(kind.word, tables)
        _collect(kind.table, tables)
    elif kind is VETH:
        _collect(END, tables)


def _section(table: Table) -> str:
    rows = table.rows
    note = ""
    if table is not END and table.rows[: len(END.rows)] == END.rows:
        rows, note = rows[len(END.rows) :], "Beside the keys of an interface:\n\n"
    lines = [f"## {table.title[0].upper()}{table.title[1:]}", "", table.text, ""]
    if not rows:
        return "\n".join([*lines, "It has the keys of an interface.", ""])
    head = ["| key | value | without it | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, note + head[0], head[1], *map(_line, rows), ""])


def _line(row: Row) -> str:
    cells = (f"`{row.name}`", _words(row.kind), _without(row), row.text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _words(kind: Kind) -> str:
    if isinstance(kind, Table):
        return f"see *{kind.title}*"
    if isinstance(kind, Many):
        inner = _words(kind.kind)
        return f"{inner}; or a list of them" if kind.single else f"a list: {inner}"
    if isinstance(kind, Either):
        return f"{_words(kind.word)}, or {_words(kind.table)}"
    if isinstance(kind, Named):
        return f"by name: {_words(kind.kind)}"
    return f"a list of two: see *{END.title}*" if kind is VETH else kind.words


def _without(row: Row) -> str:
    if row.required:
        return "required"
    if row.shown:
        return row.shown
    if isinstance(row.default, bool):
        return "true" if row.default else "false"
    return f"`{row.default}`" if isinstance(row.default, int | str) else ""
