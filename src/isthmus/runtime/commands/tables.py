"""Stick tables: shown, changed and cleared while they are in use.

Beyond HAProxy's, `netns NAME` behind a key means the entry of a client in that namespace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from isthmus.engine.tables import (
    ClearTable,
    Comparison,
    GetTableEntries,
    GetTableEntry,
    GetTables,
    RemoveTableEntry,
    SetTableEntry,
    TableAnswer,
    TableEntries,
    TableEntry,
    TableFacts,
    TableFilter,
    TableNumber,
    TableRefusal,
    TableRefused,
    TableRequest,
    Tables,
)
from isthmus.plan.document import BinaryKey, IntegerKey, IpKey, Ipv6Key, StoredData, StringKey, TableKey
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_TYPES: dict[type, str] = {
    IpKey: "ip",
    Ipv6Key: "ipv6",
    IntegerKey: "integer",
    StringKey: "string",
    BinaryKey: "binary",
}
_NAMES = """
bytes_in_cnt bytes_in_rate bytes_out_cnt bytes_out_rate conn_cnt conn_cur conn_rate glitch_cnt glitch_rate
gpc gpc0 gpc0_rate gpc1 gpc1_rate gpc_rate gpt gpt0 http_err_cnt http_err_rate http_fail_cnt http_fail_rate
http_req_cnt http_req_rate server_id server_key sess_cnt sess_rate
"""
_DATA = frozenset(_NAMES.split())
_MOST_FILTERS = 4
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_REFUSALS = {
    TableRefusal.TABLE: "No such table",
    TableRefusal.KEY: "Invalid key",
    TableRefusal.IN_USE: "Entry currently in use, cannot remove",
    TableRefusal.FULL: "Unable to allocate a new entry",
}
_OPERATORS = ", ".join(f'"{each.value}"' for each in Comparison)
_FORMS = {
    "show": 'Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key>',
    "set": "Required arguments: <table> key <key> [data.<store_data_type> <value>]*",
    "clear": ('Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>'),
}
_BINARY = {"show": "Showing keys from", "set": "Inserting keys into", "clear": "Removing keys from"}


@command(
    "show table",
    "report table usage stats or dump this table's contents (use-server's all)",
    syntax="<table> [<filter>]*",
)
def show_table(request: Request) -> str:
    """Return the tables, or the entries of one."""
    words = request.arguments
    if not words:
        answer = _ask(request, GetTables())
        # HAProxy lists the last one of the configuration first.
        return "".join(map(_head, reversed(answer.tables))) if isinstance(answer, Tables) else ""
    table = _table(request, words[0])
    rest = words[1:]
    if rest[:1] == ("key",):
        key, namespace, _ = _key(table, rest[1:], "show")
        answer = _ask(request, GetTableEntry(table.name, key, namespace))
    else:
        answer = _ask(request, GetTableEntries(table.name, _filters(table, rest, "show")))
    return _entries(answer)


@command(
    "set table",
    "update or create a table entry's data",
    syntax="<table> key <k> [data.* <v>]*",
    level=Level.OPERATOR,
)
def set_table(request: Request) -> str:
    """Set numbers of an entry, which is made if there is none."""
    words = request.arguments
    if not words:
        raise CommandError(_FORMS["set"])
    table = _table(request, words[0])
    rest = words[1:]
    if not rest:
        return ""
    if rest[0].startswith("data."):
        raise CommandError('content-based lookup is only supported with the "show" and "clear" actions')
    if rest[0] != "key":
        raise CommandError(_FORMS["set"])
    key, namespace, rest = _key(table, rest[1:], "set")
    numbers = _numbers(table, rest)
    return _outcome(_ask(request, SetTableEntry(table.name, key, namespace, numbers)))


@command(
    "clear table",
    "remove an entry from a table (filter: data/key)",
    syntax="<table> [<filter>]*",
    level=Level.OPERATOR,
)
def clear_table(request: Request) -> str:
    """Remove an entry, those that filters let through, or all."""
    words = request.arguments
    if not words:
        raise CommandError(_FORMS["clear"])
    table = _table(request, words[0])
    rest = words[1:]
    if rest[:1] == ("key",):
        key, namespace, _ = _key(table, rest[1:], "clear")
        return _outcome(_ask(request, RemoveTableEntry(table.name, key, namespace)))
    return _outcome(_ask(request, ClearTable(table.name, _filters(table, rest, "clear"))))


def _ask(request: Request, question: TableRequest) -> TableAnswer:
    return request.instance.engine.tables(question)


def _table(request: Request, name: str) -> TableFacts:
    answer = _ask(request, GetTables())
    tables = answer.tables if isinstance(answer, Tables) else ()
    found = next((each for each in tables if each.name == name), None)
    if found is None:
        raise CommandError(_REFUSALS[TableRefusal.TABLE])
    return found


def _key(table: TableFacts, words: Sequence[str], what: str) -> tuple[str, str, tuple[str, ...]]:
    """Read a key, perhaps with a namespace behind it; return what follows as well."""
    if not words or not words[0]:
        raise CommandError("Key value expected")
    if isinstance(table.key, BinaryKey):
        kinds = "ip, ipv6, string and integer"
        raise CommandError(f"{_BINARY[what]} tables of type other than {kinds} is not supported")
    key = words[0].encode("utf-8", "surrogateescape").decode("latin-1")
    if words[1:2] == ("netns",) and len(words) > 2:
        return key, words[2], tuple(words[3:])
    return key, "", tuple(words[1:])


def _stored(table: TableFacts, word: str, prefix: str) -> StoredData:
    """Return the type of `data.<type>`."""
    name = word.removeprefix("data.")
    if name not in _DATA:
        raise CommandError(f"{prefix}Unknown data type")
    found = next((each for each in table.stored if each.data == name), None)
    if found is None:
        raise CommandError(f"{prefix}Data type not stored in this table")
    return found


def _filters(table: TableFacts, words: Sequence[str], what: str) -> tuple[TableFilter, ...]:
    filters: list[TableFilter] = []
    at = 0
    while at < len(words):
        if not words[at].startswith("data."):
            raise CommandError(_FORMS[what])
        if len(filters) == _MOST_FILTERS:
            before = words[at - 1]
            # The words of the command, the table's name and those before count as well.
            place = at + 4
            raise CommandError(f"Detected extra data in filter, {place}th word of input, after '{before}'")
        prefix = f"Filter entry #{len(filters) + 1}: "
        operator = words[at + 1] if at + 1 < len(words) else ""
        value = words[at + 2] if at + 2 < len(words) else ""
        name = words[at].removeprefix("data.")
        if name not in _DATA:
            raise CommandError(f"{prefix}Unknown data type")
        if operator not in [each.value for each in Comparison]:
            raise CommandError(f"{prefix}Require and operator among {_OPERATORS}")
        found = _stored(table, words[at], prefix)
        if not _NUMBER.match(value):
            raise CommandError(f"{prefix}Require a valid integer value to compare against")
        filters.append(TableFilter(found.data, Comparison(operator), int(value)))
        at += 3
    return tuple(filters)


def _numbers(table: TableFacts, words: Sequence[str]) -> tuple[TableNumber, ...]:
    numbers: list[TableNumber] = []
    for at in range(0, len(words), 2):
        if not words[at].startswith("data."):
            raise CommandError('"data.<type>" followed by a value expected')
        found = _stored(table, words[at], "")
        value = words[at + 1] if at + 1 < len(words) else ""
        if not _NUMBER.match(value) or found.data == "server_key":
            raise CommandError("Require a valid integer value to store")
        # Numbers of entries have 32 bits, those of bytes 64.
        bits = 64 if found.data in ("bytes_in_cnt", "bytes_out_cnt") else 32
        numbers.append(TableNumber(found.data, int(value) % 2**bits))
    return tuple(numbers)


def _outcome(answer: TableAnswer) -> str:
    if isinstance(answer, TableRefused) and answer.why is not TableRefusal.ENTRY:
        raise CommandError(_REFUSALS[answer.why])
    return ""


def _entries(answer: TableAnswer) -> str:
    if not isinstance(answer, TableEntries):
        # As in HAProxy, nothing is said of a key that is not there.
        return ""
    return _head(answer.table) + "".join(_line(answer.table, entry) for entry in answer.entries)


def _head(table: TableFacts) -> str:
    kind = _TYPES[type(table.key)]
    return f"# table: {table.name}, type: {kind}, size:{table.size}, used:{table.used}\n"


def _line(table: TableFacts, entry: TableEntry) -> str:
    key = _written(table.key, entry.key)
    namespace = f" netns={entry.namespace}" if entry.namespace else ""
    key += namespace
    parts = [f"{_identity(key)}: key={key} use={entry.trackers} exp={entry.expires or 0}"]
    at = 0
    for stored in table.stored:
        for index in range(stored.count):
            parts.append(_number(stored, index, entry, at + index))
        at += stored.count
    return " ".join(parts) + "\n"


def _number(stored: StoredData, index: int, entry: TableEntry, at: int) -> str:
    if stored.data == "server_key":
        return f"server_key={entry.server or '-'}"
    name = {"gpc": f"gpc{index}", "gpt": f"gpt{index}", "gpc_rate": f"gpc{index}_rate"}.get(
        stored.data, stored.data
    )
    period = f"({stored.period})" if stored.period else ""
    return f"{name}{period}={entry.numbers[at]}"


def _identity(key: str) -> str:
    """Return what stands where HAProxy writes an address in its memory: the same for the same key."""
    return f"0x{abs(hash(key)) & 0xFFFF_FFFF_FFFF:012x}"


def _written(kind: TableKey, key: str) -> str:
    raw = key.encode("latin-1")
    if isinstance(kind, BinaryKey):
        return raw.hex().upper()
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b"\\=" else _escaped(byte) for byte in raw)


def _escaped(byte: int) -> str:
    return f"\\{chr(byte)}" if byte in b" \\=" else f"\\x{byte:02X}"
