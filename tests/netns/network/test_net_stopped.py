"""`isthmus net` stopped by signals while it makes namespaces."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from .net_command import DEADLINE, done, start, until, write
from .world import in_world, snapshot

MANY = "network: many\nfor:\n  - each: {i: 1..300}\n    namespaces: {'t${i}': {}}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("made", [5, 150, 299])
def test_stopped_while_namespaces_are_made_nothing_is_left_after_down(number, made) -> None:
    @in_world()
    def test() -> None:
        before = snapshot()
        file = write(MANY)
        process = start("apply", "-q", file)
        names = Path("/run/netns")
        until(lambda: names.exists() and len(list(names.iterdir())) >= made, "some namespaces")
        process.send_signal(number)
        process.wait(DEADLINE)
        if number == signal.SIGKILL:
            assert list(names.iterdir())
            done("down", file)
        elif process.returncode == 0:
            # It was through before the signal came.
            done("down", file)
        assert snapshot() == before

    test()
