"""Stick tables, and the rules that lead clients to servers by them. Times are milliseconds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.expression import Condition, Expression


class IpKey(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ip"):
    """IPv4 addresses."""


class Ipv6Key(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ipv6"):
    """IPv6 addresses."""


class IntegerKey(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="integer"):
    """Integers of 32 bits."""


class StringKey(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="string"):
    """Text of at most `len` bytes."""

    len: int


class BinaryKey(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="binary"):
    """`len` bytes."""

    len: int


TableKey = IpKey | Ipv6Key | IntegerKey | StringKey | BinaryKey
"""The type of a table's keys."""


class StoredData(Struct, frozen=True, forbid_unknown_fields=True):
    """One type behind `store`: `count` is more than 1 in arrays, `period` more than 0 of rates."""

    data: str
    count: int = 1
    period: int = 0


class StickTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A `stick-table` line; `name` is its proxy's, and without `expire` no entry ever does.

    With `by_namespace` the client's source namespace is a part of keys; `server_by_address` is `srvkey addr`.
    """

    name: str
    key: TableKey
    size: int
    expire: int | None
    nopurge: bool
    by_namespace: bool
    server_by_address: bool
    stored: tuple[StoredData, ...]


class Stick(StrEnum):
    """What a `stick` line does: lead to the server that is remembered, or remember one."""

    MATCH = "match"
    STORE_REQUEST = "store_request"
    STORE_RESPONSE = "store_response"


class StickRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A `stick` line (`stick on` is two); `table` is an index into the plan's, `origin` is `file:line`."""

    what: Stick
    expression: Expression
    table: int
    condition: Condition | None
    origin: str
