"""A running engine for each test, and origins for it; all of them end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from live_engine import LiveEngine, Origin, hard_stop


@pytest.fixture
def engine() -> Iterator[LiveEngine]:
    live = LiveEngine(threads=2)
    yield live
    hard_stop(live)


@pytest.fixture
def origins() -> Iterator[list[Origin]]:
    """Three origins that echo; each says its own letter first."""
    with ExitStack() as stack:
        yield [stack.enter_context(Origin(letter)) for letter in (b"a", b"b", b"c")]
