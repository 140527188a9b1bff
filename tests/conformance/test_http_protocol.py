"""HTTP/1 through both proxies: connections, framing, tunnels, limits, answers."""

from __future__ import annotations

import pytest

from .http_exchanges import GROUPS
from .http_lab import Exchange, compare
from .lab import Both

CASES = [pytest.param(row, id=f"{group}: {row.name}") for group, rows in GROUPS.items() for row in rows]


@pytest.mark.parametrize("row", CASES)
def test_the_proxies_play_an_exchange_alike(both: Both, row: Exchange) -> None:
    compare(both, row)
