"""The configuration's keywords in the form of HAProxy's `-dKcfg`, made of the tables that parse them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.keywords import inventory
from isthmus.keywords.action_words import IN_PARENTHESES, NUMBERED, RuleSet
from isthmus.keywords.actions import ACTIONS
from isthmus.keywords.bind import BIND_OPTIONS
from isthmus.keywords.global_ import GLOBAL
from isthmus.keywords.http_actions import HttpSet, possible
from isthmus.keywords.loading import NAMED
from isthmus.keywords.option_row import Option, OptionTable, Settings
from isthmus.keywords.proxy import PROXY
from isthmus.keywords.row import Keyword, Where
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.tls_bind import CRT_LISTS

_ELSEWHERE = ("option", "bind", "server")
"""First words whose lines are listed one by one, by what stands behind them."""


def configuration_lines() -> Iterator[str]:
    """Give the list, section by section.

    HAProxy lists proxies under `listen`, and of most lines the first word. Of an option behind `bind` and
    `server` it says behind what it stands, and how many words behind it: `+1`, or `+-1` for a number that
    depends on them. Of a proxy's option it says on which side it works and whether for HTTP alone; of an
    action, by a star, that its name goes on.
    """
    yield "global"
    yield from _first_words(GLOBAL, "global")
    yield "listen"
    yield from _first_words(PROXY, "proxy")
    yield from _options("\tbind <addr> ", BIND_OPTIONS)
    yield from _options("\tserver <name> <addr> ", SERVER_OPTIONS)
    yield from _proxy_options()
    for rule_set in RuleSet:
        names = (name for name, row in ACTIONS.items() if rule_set in row.sets)
        yield from _actions(f"tcp-request {rule_set.value}", names)
    for http_set in HttpSet:
        yield from _actions(http_set.value, possible(http_set))
    for section, reader in NAMED.items():
        yield section
        yield from (f"\t{name}" for name in sorted(reader.keywords()))
    yield "crt-list"
    yield from _options("\t", CRT_LISTS.table)


def _first_words(rows: Iterable[str], family: str) -> list[str]:
    first = {name.split()[0] for name in (*rows, *inventory.removed(family))}
    return sorted(f"\t{name}" for name in first.difference(_ELSEWHERE))


def _options(line: str, table: OptionTable[Settings]) -> list[str]:
    return sorted(f"{line}{_placed(row)}{_count(row)}" for row in table.rows.values())


def _placed(row: Option[Settings]) -> str:
    """Return an option's name, behind the option that it belongs to."""
    name = row.name.rstrip("(")
    return f"{row.scope} {name}" if row.scope else name


def _count(row: Option[Settings]) -> str:
    if not row.needs_word:
        return ""
    return " +-1" if row.takes_options else " +1"


def _proxy_options() -> list[str]:
    rows = (_option(row) for row in PROXY.values() if row.name.startswith("option "))
    gone = (name for name in inventory.removed("proxy") if name.startswith("option "))
    return sorted([*rows, *(f"\t{name} [ ]" for name in gone)])


def _option(row: Keyword[Settings]) -> str:
    marks = [name for name, side in (("FE", Where.FRONTEND), ("BE", Where.BACKEND)) if row.where & side]
    return f"\t{row.name} [ {' '.join([*marks, 'HTTP'] if row.http else marks)} ]"


def _actions(line: str, names: Iterable[str]) -> Iterator[str]:
    for name in sorted(names):
        goes_on = name in IN_PARENTHESES or name == NUMBERED
        yield f"\t{line} {name}{'*' if goes_on else ''}"
