"""Expressions, ACLs and conditions: what a configuration asks of a session, and when it does something.

Every name of a fetch, converter, ACL or variable is known to exist and every argument has its type.
Names of proxies and servers are still names here; `isthmus.plan` resolves them.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from isthmus.config import Span
from isthmus.records import dataclass


class SampleType(StrEnum):
    """The type of a sample (manual 7.3). ANY and SAME stand in signatures only."""

    ANY = "any"
    SAME = "same"
    BOOL = "bool"
    INT = "sint"
    ADDR = "addr"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    STR = "str"
    BIN = "bin"
    METH = "meth"


@dataclass(frozen=True, slots=True)
class IntArg:
    """An integer; a time is in milliseconds, a size in bytes."""

    value: int


@dataclass(frozen=True, slots=True)
class StrArg:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class IpArg:
    """An IPv4 or IPv6 address."""

    value: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class MaskArg:
    """A netmask as a prefix length: 0..=32 for IPv4, 0..=128 for IPv6."""

    bits: int


@dataclass(frozen=True, slots=True)
class VarArg:
    """A variable: scope and name."""

    name: str


@dataclass(frozen=True, slots=True)
class ProxyArg:
    """A frontend or backend by name. No name was written where the current proxy is meant."""

    kind: str
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ServerArg:
    """A server by its backend's name and its own."""

    backend: str
    server: str
    span: Span


@dataclass(frozen=True, slots=True)
class UserlistArg:
    """A userlist by name."""

    name: str
    span: Span


class ListValues(StrEnum):
    """What the values of a file's keys must be for a use of it; `unused` where nobody looks at them."""

    UNUSED = "unused"
    TEXT = "text"
    INTEGERS = "integers"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class PatternFile:
    """A file of patterns as a line names it (manual 2.7).

    `name` is without the prefixes `file@` and `opt@`, and with `virt@`: such a list is in memory only. An
    optional file may be missing. Of two columns, the second holds values.
    """

    name: str
    optional: bool
    virtual: bool
    two_columns: bool
    span: Span

    @classmethod
    def read(cls, text: str, span: Span, *, two_columns: bool) -> PatternFile:
        """Read the name as it is written."""
        name = text.removeprefix("opt@").removeprefix("file@")
        return cls(name, text.startswith("opt@"), name.startswith("virt@"), two_columns, span)


@dataclass(frozen=True, slots=True)
class MapArg:
    """The file of a `map` converter, how its keys are compared and what its values must be."""

    file: PatternFile
    method: MatchMethod
    values: ListValues


@dataclass(frozen=True, slots=True)
class AbsentArg:
    """An optional argument that is left out before one that is given."""


Argument = (
    IntArg | StrArg | IpArg | MaskArg | VarArg | ProxyArg | ServerArg | UserlistArg | MapArg | AbsentArg
)
"""An argument of a fetch or converter."""


@dataclass(frozen=True, slots=True)
class Call:
    """A fetch or converter with its arguments. `name` is the registered one, not an alias."""

    name: str
    args: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Expression:
    """A fetch and the converters behind it, applied in order; `output` is the type of the result."""

    fetch: Call
    converters: tuple[Call, ...]
    output: SampleType
    span: Span


class MatchMethod(StrEnum):
    """How a sample is compared with patterns (`-m`, manual 7.1)."""

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


@dataclass(frozen=True, slots=True)
class AclTest:
    """A sample and the patterns it is compared with.

    Patterns of method INT and LEN are `N`, `N:M`, `N:` or `:M`; the operators of the language are
    lowered to those. Patterns of method IP are an address or a network.

    `files` are those of `-f`, each with whether case is ignored in it; `unique_id` is what `-u` asks for;
    `look_up` allows host names in files (not `-n`).
    """

    expression: Expression
    method: MatchMethod
    ignore_case: bool
    patterns: tuple[str, ...]
    files: tuple[tuple[PatternFile, bool], ...] = ()
    unique_id: int | None = None
    look_up: bool = True


@dataclass(frozen=True, slots=True)
class Acl:
    """An ACL, true when any of its tests is.

    `span` is that of the name where it is first declared, or of the braces of an anonymous ACL; it
    tells apart two ACLs of one name in two sections. None for a predefined ACL.
    """

    name: str
    tests: tuple[AclTest, ...]
    span: Span | None


@dataclass(frozen=True, slots=True)
class Term:
    """One ACL of a condition, perhaps negated (`!`)."""

    acl: Acl
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`if` (or `unless`) any of the alternatives holds, which holds when all its terms do.

    No alternative at all is what `if` with nothing behind it means: it never holds.
    """

    any_of: tuple[tuple[Term, ...], ...]
    unless: bool = False
