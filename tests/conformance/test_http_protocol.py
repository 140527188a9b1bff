"""HTTP/1 through both proxies: connections, framing, tunnels, limits, answers."""

from __future__ import annotations

import pytest

from . import http_answer_rows, http_connection_rows, http_framing_rows
from .http_batch import compare_all
from .lab import Both

GROUPS = http_connection_rows.GROUPS | http_framing_rows.GROUPS | http_answer_rows.GROUPS


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_play_exchanges_alike(both: Both, group: str) -> None:
    compare_all(both, GROUPS[group])
