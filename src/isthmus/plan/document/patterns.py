"""Lists of patterns: the ACL and map files that a plan names."""

from __future__ import annotations

from msgspec import Struct


class PatternList(Struct, frozen=True, forbid_unknown_fields=True):
    """A list that has a name: a file, or one that is in memory only.

    `id` is its number in the runtime API, which tells `description` about it; `acl` is
    whether an ACL compares with it. `digest` says what the file
    holds, and is empty where there is no file. `hosts` are addresses of host names that stand in it.
    """

    id: int
    name: str
    description: str
    two_columns: bool
    acl: bool
    digest: str = ""
    hosts: tuple[tuple[str, str], ...] = ()


class ListUse(Struct, frozen=True, forbid_unknown_fields=True):
    """A list that an ACL compares with, by its index in the plan, and whether without regard to case."""

    list: int
    ignore_case: bool
