"""Fixtures of the tests that run in a virtual machine of their own, started by `make test-vm`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ground import Ground

# They take network cards away and leave rubbish when they fail: nothing for a machine that is used.
collect_ignore_glob = [] if os.environ.get("ISTHMUS_VM") else ["test_*.py"]


@pytest.fixture
def ground() -> Iterator[Ground]:
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def files() -> Path:
    """The folder of the network files."""
    return Path(__file__).parent / "networks"
