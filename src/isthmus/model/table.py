"""Stick tables, and the lines that lead clients to servers by them. Times are milliseconds."""

from __future__ import annotations

from enum import StrEnum

from isthmus.config import Span
from isthmus.model.expression import Condition, Expression, ProxyArg
from isthmus.records import dataclass


class KeyKind(StrEnum):
    """The type of a table's keys."""

    IP = "ip"
    IPV6 = "ipv6"
    INTEGER = "integer"
    STRING = "string"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class StoredData:
    """One type behind `store`: `count` is the length of arrays, `period` that of rates."""

    data: str
    count: int = 1
    period: int = 0


@dataclass(frozen=True, slots=True)
class StickTable:
    """A `stick-table` line; `length` is of strings and binary keys, and None never expires.

    With `by_namespace` the client's source namespace is a part of the key; `by_address` is `srvkey addr`.
    """

    key: KeyKind
    length: int
    size: int
    expire: int | None
    nopurge: bool
    by_namespace: bool
    by_address: bool
    stored: tuple[StoredData, ...]
    span: Span


class Stick(StrEnum):
    """What a `stick` line does."""

    ON = "on"
    MATCH = "match"
    STORE_REQUEST = "store-request"
    STORE_RESPONSE = "store-response"


@dataclass(frozen=True, slots=True)
class StickRule:
    """A `stick` line; a table without a name is that of its own section."""

    what: Stick
    key: Expression
    table: ProxyArg
    condition: Condition | None
    span: Span
