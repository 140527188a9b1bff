"""`isthmus net` stopped by signals while it makes namespaces."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .world import in_world, snapshot

DEADLINE = 30.0


def start(*words: str, without: tuple[str, ...] = (), **options: object) -> subprocess.Popen[str]:
    """Start `isthmus net WORDS`; `without` are the words of a setpriv(1) in front of it."""
    front = ["setpriv", *without, "--"] if without else []
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*front, sys.executable, "-P", "-m", "isthmus.cli", "net", *words], **{**defaults, **options}
    )


def net(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run `isthmus net WORDS` to its end."""
    process = start(*words, **options)
    output, errors = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def done(*words: str, **options: object) -> str:
    """Run `isthmus net WORDS`, which must succeed; return what it prints."""
    result = net(*words, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def write(folder: Path, text: str, name: str = "network.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.01)


MANY = "network: many\nfor:\n  - each: {i: 1..300}\n    namespaces: {'t${i}': {}}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("made", [5, 150, 299])
def test_stopped_while_namespaces_are_made_nothing_is_left_after_down(number, made) -> None:
    @in_world()
    def test() -> None:
        before = snapshot()
        file = write(Path("/run"), MANY)
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
