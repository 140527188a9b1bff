"""What is asked of stick tables while the engine runs, and what it answers.

These types mirror crates/plan/src/table_request.rs. Tables are named by their proxies; keys are byte strings,
as in the plan. An empty namespace is the default one.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document import StoredData, TableKey


class Comparison(StrEnum):
    """How a number of an entry is compared."""

    EQ = "eq"
    NE = "ne"
    LE = "le"
    GE = "ge"
    LT = "lt"
    GT = "gt"


class TableFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """A number of an entry is compared; of arrays the first."""

    data: str
    comparison: Comparison
    value: int


class TableNumber(Struct, frozen=True, forbid_unknown_fields=True):
    """A number of an entry, and what it is set to; of arrays the first."""

    data: str
    value: int


class GetTables(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="tables"):
    """Which tables there are."""


class GetTableEntries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="entries"):
    """The entries that all filters let through."""

    table: str
    filters: tuple[TableFilter, ...] = ()


class GetTableEntry(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="entry"):
    """The entry of a key."""

    table: str
    key: str
    namespace: str = ""


class SetTableEntry(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set"):
    """Sets numbers of a key's entry, which is made if there is none."""

    table: str
    key: str
    namespace: str = ""
    numbers: tuple[TableNumber, ...] = ()


class ClearTable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="clear"):
    """Removes the entries that all filters let through and nobody tracks."""

    table: str
    filters: tuple[TableFilter, ...] = ()


class RemoveTableEntry(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="remove"):
    """Removes the entry of a key."""

    table: str
    key: str
    namespace: str = ""


TableRequest = GetTables | GetTableEntries | GetTableEntry | SetTableEntry | ClearTable | RemoveTableEntry
"""What may be asked."""


class TableFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A table: its proxy's name, entries at most and now, and what is stored."""

    name: str
    key: TableKey
    size: int
    used: int
    stored: tuple[StoredData, ...]


class TableEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry.

    `numbers` hold what is stored, array after array, in the order of the table's types, and 0 for text;
    `expires` is None where it never does, `server` what a server is remembered by.
    """

    key: str
    namespace: str
    trackers: int
    expires: int | None
    numbers: tuple[int, ...]
    server: str | None


class TableRefusal(StrEnum):
    """Why nothing is shown or changed."""

    TABLE = "table"
    KEY = "key"
    ENTRY = "entry"
    IN_USE = "in_use"
    FULL = "full"


class Tables(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="tables"):
    """Every table, in the order of the configuration."""

    tables: tuple[TableFacts, ...]


class TableEntries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="entries"):
    """Entries in the order of their keys."""

    table: TableFacts
    entries: tuple[TableEntry, ...]


class TableDone(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="done"):
    """It is done."""


class TableRefused(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="refused"):
    """Nothing was changed."""

    why: TableRefusal


TableAnswer = Tables | TableEntries | TableDone | TableRefused
"""What comes back."""
