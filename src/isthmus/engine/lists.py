"""What is asked of lists of patterns while the engine runs, and what it answers.

These types mirror crates/plan/src/patterns.rs. Lists are named by their numbers in the plan in force; keys
and values are byte strings, as in the plan.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.model.expression import ListValues, MatchMethod


class ListCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """A use of a file, which its text is checked for."""

    two_columns: bool
    method: MatchMethod
    values: ListValues
    hosts: tuple[tuple[str, str], ...] = ()


class GetLists(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lists"):
    """Which lists there are."""


class GetEntries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="entries"):
    """The entries of a version; None: of the one that is matched against."""

    list: int
    version: int | None = None


class LookUp(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lookup"):
    """What a text matches, for each use of the list."""

    list: int
    text: str


class AddEntries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="add"):
    """Adds keys with values, all or none."""

    list: int
    version: int | None
    entries: tuple[tuple[str, str], ...]


class SetValue(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set"):
    """Changes the value of all entries with a key, or of the one of a number."""

    list: int
    key: str
    entry: int | None
    value: str


class DeleteEntries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="delete"):
    """Deletes all entries with a key, or the one of a number."""

    list: int
    key: str
    entry: int | None


class ClearList(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="clear"):
    """Deletes all entries of a version; None: of the one that is matched against."""

    list: int
    version: int | None = None


class PrepareVersion(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="prepare"):
    """Makes room for another version."""

    list: int


class CommitVersion(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="commit"):
    """Puts a version in place of the one that is matched against."""

    list: int
    version: int


ListRequest = (
    GetLists
    | GetEntries
    | LookUp
    | AddEntries
    | SetValue
    | DeleteEntries
    | ClearList
    | PrepareVersion
    | CommitVersion
)
"""A question about lists, or a change of one."""


class ListFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A list of the plan in force. The list of an ACL line has no name; `acl`: an ACL compares with it."""

    id: int
    name: str
    description: str
    two_columns: bool
    acl: bool
    current: int
    next: int
    entries: int


class Lookup(Struct, frozen=True, forbid_unknown_fields=True):
    """What a text matches in one use of a list: key and value."""

    method: MatchMethod
    ignore_case: bool
    values: ListValues
    found: tuple[str, str] | None


class ListRefusal(StrEnum):
    """Why a list was not changed: no such list, version or entry, or a key or value that does not fit."""

    LIST = "list"
    VERSION = "version"
    NOT_FOUND = "not_found"
    WRONG = "wrong"


class AllLists(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lists"):
    """Every list, by number."""

    lists: tuple[ListFacts, ...]


class Entries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="entries"):
    """Entries in the order of the list: number, key, value."""

    entries: tuple[tuple[int, str, str], ...]


class Found(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="found"):
    """What a text matches."""

    uses: tuple[Lookup, ...]


class Version(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="version"):
    """The number of a version that was made."""

    version: int


class Done(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="done"):
    """It is done."""


class Refused(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="refused"):
    """Nothing was changed."""

    why: ListRefusal
    message: str


ListAnswer = AllLists | Entries | Found | Version | Done | Refused
"""The answer to a `ListRequest`."""
