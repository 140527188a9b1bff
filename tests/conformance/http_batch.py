"""Many rows of a table through one pair of proxies: each row has its own frontend, backends and origin.

Starting two proxies costs more than most exchanges do. Rows share a pair if their global settings are equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from .http_lab import PREAMBLE, Exchange, Normal, Script, check, compare, http_line, traffic
from .lab import Both, Lab, Seen, assert_same, differ_in_a_wait_only, observe
from .proxy import is_haproxy
from .sink import Line

_NAMES = re.compile(r"(?m)^(\s*(?:frontend|backend|listen|default_backend|use_backend)\s+)(\S+)")
_PLACES = re.compile(r"<(front|a)>")
# Waits that a loaded machine makes too short, for HAProxy as for us.
_SHORT = re.compile(r"(?m)^\s*(?:timeout \S+|tcp-request inspect-delay) \d+ms\b")
# What logs; its lines bear the row's number as their tag, whatever a row's own log-format says.
_LOGGING = re.compile(r"(?m)^(\s*(?:frontend|backend|listen)\s.*)$")


def compare_all(
    both: Both, rows: Iterable[Exchange], normal: Normal | None = None, together: int = 8
) -> None:
    """Plays the rows, so many at a time, and tells of each in which the proxies differ."""
    tables: dict[tuple[str, str], list[Exchange]] = {}
    for row in rows:
        tables.setdefault((row.settings, row.name if row.alone else ""), []).append(row)
    assert tables, "no rows"
    wrong = [each for table in tables.values() for each in _differing(both, table, normal, together)]
    count = sum(len(table) for table in tables.values())
    assert not wrong, f"{len(wrong)} of {count} rows:\n" + "\n\n".join(wrong)


def _differing(both: Both, table: list[Exchange], normal: Normal | None, together: int) -> list[str]:
    """What is to be said of the rows that are not as they should be; their settings are equal."""
    seen = both.apart(**_together(table, normal, together))
    assert [each.status for each in seen] == [0, 0]
    wrong = []
    for at, row in enumerate(table):
        try:
            _judge(both, row, *(of_row(each, at) for each in seen), normal)
        except AssertionError as error:
            wrong.append(f"{row.name}:\n{row.config()}\n{error}")
    return wrong


def played(
    program: str,
    folder: Path,
    rows: Sequence[Exchange],
    normal: Normal | None = None,
    together: int = 8,
) -> list[Any]:
    """Plays rows of equal settings through one proxy, and gives what each let us see.

    For what no HAProxy of ours can do: each row's test says itself what is right.
    """
    seen = observe(program, folder, **_together(rows, normal, together))
    assert seen.status == 0
    each = [of_row(seen, at) for at in range(len(rows))]
    for row, one in zip(rows, each, strict=True):
        assert not isinstance(one.value, AssertionError), f"{row.name}: {one.value}"
    return each


def _together(table: Sequence[Exchange], normal: Normal | None, together: int) -> dict[str, Any]:
    """What plays a table's rows, as `observe` takes it."""
    sites = (numbered(replace(row, settings="").config(), at) for at, row in enumerate(table))

    def play(lab: Lab) -> list[Any]:
        def one(at: int) -> Any:
            try:
                return traffic(table[at], normal, front=f"front{at}", origin=f"a{at}")(lab)
            except AssertionError as error:
                return error

        with ThreadPoolExecutor(together) as pool:
            return list(pool.map(one, range(len(table))))

    return {
        "config": "\n".join([table[0].settings, *sites]),
        "traffic": play,
        "origins": {f"a{at}": Script(row.replies) for at, row in enumerate(table)},
        "preamble": PREAMBLE,
        "normal": http_line,
    }


def numbered(config: str, at: int) -> str:
    """A site's configuration with the names, places and log tag that only the row of this number has."""
    named = _NAMES.sub(rf"\1\g<2>-{at}", config)
    return _PLACES.sub(rf"<\g<1>{at}>", _LOGGING.sub(rf"\1\n  log-tag row{at}", named))


def of_row(seen: Seen, at: int) -> Seen:
    """What one row let us see."""
    own = re.compile(rf"(?<==)(\S+)-{at}(?= )")
    mine = [
        (Line(own.sub(r"\1", line.raw)), own.sub(r"\1", shown))
        for line, shown in zip(seen.logs, seen.compared["logs"], strict=True)
        if f" row{at}[" in line.raw
    ]
    row = Seen(seen.value[at], [line for line, _ in mine], seen.status)
    row.compared = {"value": row.value, "logs": [shown for _, shown in mine]}
    return row


def _judge(both: Both, row: Exchange, expected: Seen, got: Seen, normal: Normal | None) -> None:
    for name, seen in (("haproxy", expected), ("isthmus", got)):
        if isinstance(seen.value, AssertionError):
            raise AssertionError(f"with {name}: {seen.value}")
    check(row, expected)
    if row.beyond:
        if not is_haproxy(both.candidate):
            statuses = tuple(message.status for message in got.value["client"])
            assert statuses == row.ours, f"isthmus's client saw {statuses}, and was to see {row.ours}"
            assert got.compared != expected.compared, f"we differ no more: {row.beyond}"
    elif differ_in_a_wait_only(expected.compared, got.compared) or (
        expected.compared != got.compared and _SHORT.search(row.config())
    ):
        # A loaded machine may have held one of the two up: what is real shows again.
        compare(both, row, normal)
    else:
        assert_same(expected.compared, got.compared)
