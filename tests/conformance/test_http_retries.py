"""Requests that are tried again through both proxies: `retries`, `retry-on`, `option redispatch`."""

from __future__ import annotations

import pytest

from .http_batch import compare_all
from .http_lab import Normal
from .http_retry_rows import GROUPS
from .lab import Both


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_try_again_alike(both: Both, group: str) -> None:
    # HAProxy sends a request once more over the connection that brought a failure; we open another.
    compare_all(both, GROUPS[group], Normal(connections=True))
