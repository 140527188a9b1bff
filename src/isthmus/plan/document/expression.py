"""Expressions and conditions, lowered: every name is known to exist and every argument typed."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.patterns import ListUse


class ArgInt(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="int"):
    """An integer; times are milliseconds, sizes are bytes."""

    value: int


class ArgStr(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="str"):
    """A byte string."""

    value: str


class ArgIp(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ip"):
    """An IPv4 or IPv6 address."""

    value: str


class ArgMask(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="mask"):
    """A netmask given as prefix length: 0..=32 for IPv4, 0..=128 for IPv6."""

    bits: int


class ArgVar(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="var"):
    """A variable: scope and name, for instance `txn.name`."""

    name: str


class ArgFrontend(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="frontend"):
    """A frontend, by its index in the plan."""

    frontend: int


class ArgBackend(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="backend"):
    """A backend, by its index in the plan."""

    backend: int


class ArgServer(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="server"):
    """A server, by its backend's index in the plan and its own index there."""

    backend: int
    server: int


class ArgList(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="list"):
    """A file of patterns, by its index in the plan."""

    list: int


class ArgUserlist(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="userlist"):
    """A userlist, by its index in the plan."""

    userlist: int


class ArgTable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="table"):
    """A stick table, by its index in the plan."""

    table: int


class ArgAbsent(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="absent"):
    """An optional argument left out before one that is given."""


Arg = (
    ArgInt
    | ArgStr
    | ArgIp
    | ArgMask
    | ArgVar
    | ArgFrontend
    | ArgBackend
    | ArgServer
    | ArgList
    | ArgUserlist
    | ArgTable
    | ArgAbsent
)
"""An argument of a fetch or converter."""


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """A fetch or converter by its registered name, with the arguments that its signature asks for."""

    name: str
    args: tuple[Arg, ...] = ()


class Expression(Struct, frozen=True, forbid_unknown_fields=True):
    """A fetch and the converters behind it, applied in order."""

    fetch: Call
    converters: tuple[Call, ...] = ()


class MatchMethod(StrEnum):
    """How a sample is compared with patterns (`-m`)."""

    FOUND = "found"
    BOOL = "bool"
    INT = "int"
    IP = "ip"
    BIN = "bin"
    LEN = "len"
    STR = "str"
    SUB = "sub"
    REG = "reg"
    BEG = "beg"
    END = "end"
    DIR = "dir"
    DOM = "dom"


class AclTest(Struct, frozen=True, forbid_unknown_fields=True):
    """One sample compared with the patterns of its line (byte strings) and with files of patterns.

    `id` is the number of the line's own list in the runtime API, which tells `description` about it.
    """

    expression: Expression
    method: MatchMethod
    ignore_case: bool
    patterns: tuple[str, ...]
    id: int = 0
    description: str = ""
    files: tuple[ListUse, ...] = ()


class Acl(Struct, frozen=True, forbid_unknown_fields=True):
    """An ACL: it is true when any of its tests is. An anonymous one is named by its text."""

    name: str
    tests: tuple[AclTest, ...]


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """One ACL of a condition, by its index in the plan."""

    negate: bool
    acl: int


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """`if` or `unless` some alternative holds; an alternative holds when all its terms do."""

    unless: bool
    any_of: tuple[tuple[Term, ...], ...]
