"""Many rows of a table through one pair of proxies: each row has its own frontend, backends and origin.

Starting two proxies costs more than most exchanges do, and rows that change nothing global can share them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .http_lab import PREAMBLE, Exchange, Normal, Script, check, compare, http_line, traffic
from .lab import Both, Lab, Seen, assert_same, differ_in_a_wait_only
from .proxy import is_haproxy
from .sink import Line

_NAMES = re.compile(r"(?m)^(\s*(?:frontend|backend|listen|default_backend|use_backend)\s+)(\S+)")
_PLACES = re.compile(r"<(front|a)>")


def compare_all(both: Both, rows: Iterable[Exchange], normal: Normal | None = None) -> None:
    """Plays the rows one after the other, and tells of each in which the proxies differ."""
    table = list(rows)
    assert not [row.name for row in table if row.settings], "a row with global settings is played alone"
    config = "\n".join(_numbered(row.config(), at) for at, row in enumerate(table))
    origins = {f"a{at}": Script(row.replies) for at, row in enumerate(table)}

    def play(lab: Lab) -> list[Any]:
        return [
            traffic(row, normal, front=f"front{at}", origin=f"a{at}")(lab) for at, row in enumerate(table)
        ]

    seen = both.apart(config, play, origins=origins, preamble=PREAMBLE, normal=http_line)
    assert [each.status for each in seen] == [0, 0]
    wrong = []
    for at, row in enumerate(table):
        try:
            _judge(both, row, *(_of_row(each, at) for each in seen), normal)
        except AssertionError as error:
            wrong.append(f"{row.name}:\n{row.config()}\n{error}")
    assert not wrong, f"{len(wrong)} of {len(table)} rows:\n" + "\n\n".join(wrong)


def _numbered(config: str, at: int) -> str:
    """The configuration with names that no other row has."""
    return _PLACES.sub(rf"<\g<1>{at}>", _NAMES.sub(rf"\1\g<2>-{at}", config))


def _of_row(seen: Seen, at: int) -> Seen:
    """What one row let us see."""
    mine = re.compile(rf"(?<= f=)(\S+)-{at}(?= )")
    logs = [
        Line(re.sub(rf"(?<==)(\S+)-{at}(?= )", r"\1", line.raw))
        for line in seen.logs
        if mine.search(line.raw)
    ]
    row = Seen(seen.value[at], logs, seen.status)
    row.compared = {"value": row.value, "logs": [http_line(line) for line in logs]}
    return row


def _judge(both: Both, row: Exchange, expected: Seen, got: Seen, normal: Normal | None) -> None:
    check(row, expected)
    if row.beyond:
        if not is_haproxy(both.candidate):
            assert tuple(message.status for message in got.value["client"]) == row.ours
            assert got.compared != expected.compared, f"we differ no more: {row.beyond}"
    elif differ_in_a_wait_only(expected.compared, got.compared):
        # A loaded machine may have held one of the two up: what is real shows again.
        compare(both, row, normal)
    else:
        assert_same(expected.compared, got.compared)
