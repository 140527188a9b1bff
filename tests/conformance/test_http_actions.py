"""Actions and head-related options of HTTP through both proxies: what client, origin and log saw."""

from __future__ import annotations

import pytest

from .http_lab import Exchange, compare
from .http_rows import GROUPS
from .lab import Both

CASES = [pytest.param(row, id=f"{group}: {row.name}") for group, rows in GROUPS.items() for row in rows]


@pytest.mark.parametrize("row", CASES)
def test_the_proxies_act_alike(both: Both, row: Exchange) -> None:
    compare(both, row)
