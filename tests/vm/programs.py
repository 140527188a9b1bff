"""The Python that an example's services find; in the virtual machine it lies where the tests' own does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_FOUND = Path("/usr/local/bin/python3")


@pytest.fixture
def programs() -> None:
    """`python3` is there for services, whose PATH is a fixed one."""
    if not _FOUND.exists():
        _FOUND.parent.mkdir(parents=True, exist_ok=True)
        _FOUND.symlink_to(Path(sys.executable).resolve())
