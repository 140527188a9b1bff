"""HTTP/1 through both proxies: connections, framing, tunnels, limits, answers."""

from __future__ import annotations

import pytest

from . import http_answer_rows, http_connection_rows, http_framing_rows
from .http_lab import Exchange, compare
from .lab import Both

GROUPS = http_connection_rows.GROUPS | http_framing_rows.GROUPS | http_answer_rows.GROUPS
CASES = [pytest.param(row, id=f"{group}: {row.name}") for group, rows in GROUPS.items() for row in rows]


@pytest.mark.parametrize("row", CASES)
def test_the_proxies_play_an_exchange_alike(both: Both, row: Exchange) -> None:
    compare(both, row)
