"""Fixtures of the tests in real namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import program
from .ground import Ground, reason_without_ground
from .machine import Machine, reason_without_machine
from .wire import Sink


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Namespaces of this test alone."""
    reason = reason_without_ground()
    if reason:
        pytest.skip(reason)
    made = Ground()
    yield made
    made.close()


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine of this test alone, on which ordinary users can run Isthmus."""
    reason = reason_without_machine()
    if reason:
        pytest.skip(reason)
    made = Machine()
    yield made
    made.close()


@pytest.fixture
def log(ground: Ground) -> Iterator[Sink]:
    """A log server in the default namespace; its str() is its address."""
    made = Sink(ground.default)
    yield made
    # pytest shows this for a test that failed.
    print("the end of the log:", *made.take_all()[-30:], sep="\n  ")


@pytest.fixture(scope="session")
def isthmus_path() -> str:
    found = program.isthmus()
    if not found:
        pytest.skip("no isthmus beside this Python (make build)")
    return found


@pytest.fixture(scope="session")
def haproxy_path() -> str:
    found = program.haproxy()
    if not found:
        pytest.skip("no haproxy to run beside (Debian package: haproxy)")
    return found


PREAMBLE = """
global
  nbthread 2
  @stats@
  log {log} format raw local0
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout client 10s
  timeout server 10s
  log-format "%f %b/%s %ts [%[src]] [%[dst]]"
"""

Start = Callable[..., program.Program]


@pytest.fixture
def isthmus(ground: Ground, log: Sink, isthmus_path: str, tmp_path: Path) -> Start:
    """Starts Isthmus with the preamble and a configuration."""

    def start(text: str, name: str = "isthmus", preamble: str = PREAMBLE) -> program.Program:
        return program.Program(ground, isthmus_path, preamble.format(log=log) + text, tmp_path, name)

    return start


@pytest.fixture
def haproxy(ground: Ground, log: Sink, haproxy_path: str, tmp_path: Path) -> Start:
    """Starts HAProxy with the preamble and a configuration."""

    def start(text: str, name: str = "haproxy", preamble: str = PREAMBLE) -> program.Program:
        return program.Program(ground, haproxy_path, preamble.format(log=log) + text, tmp_path, name)

    return start


@pytest.fixture(params=["isthmus", "haproxy"])
def either(request: pytest.FixtureRequest) -> Start:
    """Starts the one, and in a second run the other: what both must do alike."""
    return request.getfixturevalue(request.param)
