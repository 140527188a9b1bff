"""Fixtures of the conformance cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import proxy
from .lab import Both
from .tls_chains import chains
from .tls_paper import Paper, made


@pytest.fixture(scope="session")
def programs() -> tuple[str, str]:
    """The two programs; a machine without one of them skips, and says so."""
    reference, candidate = proxy.reference(), proxy.candidate()
    if reference is None:
        pytest.skip("no haproxy to compare with (Debian package: haproxy)")
    if candidate is None:
        pytest.skip("no isthmus beside this Python (make build)")
    return reference, candidate


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes several seconds, and runs all the same")
    config.addinivalue_line("markers", "later(feature): Isthmus does not have this feature yet")


@pytest.fixture
def both(programs: tuple[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Both:
    later = request.node.get_closest_marker("later")
    if later and not proxy.is_haproxy(programs[1]):
        pytest.skip(f"not in Isthmus yet: {later.args[0]}")
    return Both(*programs, tmp_path)


@pytest.fixture
def beyond(both: Both) -> Both:
    """For cases in which Isthmus means to differ: HAProxy beside itself cannot show that."""
    if proxy.is_haproxy(both.candidate):
        pytest.skip("the candidate is haproxy itself")
    return both


@pytest.fixture(scope="session")
def program() -> str:
    """Isthmus alone, for what HAProxy cannot do."""
    found = proxy.candidate()
    if found is None or proxy.is_haproxy(found):
        pytest.skip("no isthmus beside this Python (make build)")
    return found


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    """Certificates and keys, for tests that leave the files as they are."""
    return made(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Chains of clients' certificates, sound and faulty."""
    return chains(tmp_path_factory.mktemp("chains"))
