"""Stick tables in the plan's terms: each by the name of its proxy, and what refers to it."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.casts import can_cast
from isthmus.keywords.context import did_you_mean
from isthmus.keywords.tracking import BAD_COUNTER
from isthmus.model.expression import Expression, ProxyArg, SampleType
from isthmus.model.proxy import Proxy
from isthmus.model.table import KeyKind, StickTable
from isthmus.plan import document

NO_SUCH_TABLE = register(
    "E0544",
    "no such stick table",
    """A rule or an argument names a proxy that does not exist or has no stick-table; without a name, the
    proxy of the section is meant.""",
    "http-request track-sc0 src table clients",
)
WRONG_KEY = register(
    "E0545",
    "key of a stick table that cannot be one",
    """A table's keys have one type, and what an expression gives must be of it or can be made into it.""",
    "stick-table type string len 64 size 100k store http_req_rate(10s)",
)

NO_RATE = register(
    "E0546",
    "bandwidth limit without a rate",
    """A limit that streams of one key share is kept in a table that stores bytes_in_rate, for bwlim-in, or
    bytes_out_rate, for bwlim-out; the rate's period is the limit's.""",
    "stick-table type ip size 1m expire 10s store bytes_out_rate(1s)",
)

_TYPES = {
    KeyKind.IP: SampleType.IPV4,
    KeyKind.IPV6: SampleType.IPV6,
    KeyKind.INTEGER: SampleType.INT,
    KeyKind.STRING: SampleType.STR,
    KeyKind.BINARY: SampleType.BIN,
}
_SERVER_DATA = (document.StoredData("server_id"), document.StoredData("server_key"))
"""What is stored by itself where `stick` rules use a table."""


class Tables:
    """The plan's tables, in the order of the configuration.

    A name that means nothing is an error in `diagnostics`, and index 0 in the plan, which is not used then.
    `section` is the proxy whose lines are lowered: that is meant where none is named.
    """

    def __init__(self, proxies: Iterable[Proxy], counters: int, diagnostics: Diagnostics) -> None:
        self._found: list[tuple[str, StickTable]] = [
            (proxy.name, proxy.settings.table) for proxy in proxies if proxy.settings.table is not None
        ]
        self._index: dict[str, int] = {}
        for at, (name, _) in enumerate(self._found):
            self._index.setdefault(name, at)
        self._counters = counters
        self._diagnostics = diagnostics
        self._sticky: set[int] = set()
        self.section = ""

    def index(self, table: ProxyArg) -> int:
        """Return the index of a table; collects an error where there is none."""
        name = table.name or self.section
        found = self._index.get(name)
        if found is None:
            message = f"`{name}` has no stick-table" if name else "no stick-table is named here"
            hint = did_you_mean(name, self._index)
            self._diagnostics.alert(NO_SUCH_TABLE, message, table.span, hint=hint)
        return found or 0

    def keyed(self, table: ProxyArg, key: Expression) -> int:
        """Return the index of a table in which a key is looked up; collects an error if it cannot be one."""
        at = self.index(table)
        if at < len(self._found):
            kind = self._found[at][1].key
            if not can_cast(key.output, _TYPES[kind]):
                message = (
                    f"the keys of table `{self._found[at][0]}` are of type {kind}, and this gives another"
                )
                self._diagnostics.alert(
                    WRONG_KEY, message, key.span, expected=f"an expression of type {kind}"
                )
        return at

    def rated(self, table: ProxyArg, key: Expression, rate: str) -> int:
        """Return the index of a table whose rate limits a bandwidth; collects an error if it has none."""
        at = self.keyed(table, key)
        if at < len(self._found) and rate not in {each.data for each in self._found[at][1].stored}:
            message = f"table `{self._found[at][0]}` does not store `{rate}`, by which the limit is kept"
            self._diagnostics.alert(NO_RATE, message, table.span, expected=f"store {rate}(<period>)")
        return at

    def stuck(self, table: ProxyArg, key: Expression) -> int:
        """Return the index of a table that remembers servers."""
        at = self.keyed(table, key)
        self._sticky.add(at)
        return at

    def counter(self, number: int, span: Span) -> int:
        """Return the number of a tracked counter; collects an error if there are not so many."""
        if number >= self._counters:
            message = f"there is no counter {number}: a session tracks {self._counters} entries at most"
            hint = "set `tune.stick-counters` in section global"
            self._diagnostics.alert(BAD_COUNTER, message, span, hint=hint)
        return number

    def documents(self) -> tuple[document.StickTable, ...]:
        """Return every table in the plan's terms."""
        return tuple(self._document(at, name, table) for at, (name, table) in enumerate(self._found))

    def _document(self, at: int, name: str, table: StickTable) -> document.StickTable:
        stored = tuple(document.StoredData(each.data, each.count, each.period) for each in table.stored)
        names = {each.data for each in stored}
        if at in self._sticky:
            stored += tuple(each for each in _SERVER_DATA if each.data not in names)
        return document.StickTable(
            name=name,
            key=_key(table),
            size=table.size,
            expire=table.expire,
            nopurge=table.nopurge,
            by_namespace=table.by_namespace,
            server_by_address=table.by_address,
            stored=stored,
        )


def _key(table: StickTable) -> document.TableKey:
    match table.key:
        case KeyKind.IP:
            return document.IpKey()
        case KeyKind.IPV6:
            return document.Ipv6Key()
        case KeyKind.INTEGER:
            return document.IntegerKey()
        case KeyKind.STRING:
            return document.StringKey(table.length)
        case KeyKind.BINARY:
            return document.BinaryKey(table.length)
