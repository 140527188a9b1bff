"""`isthmus net` run as its users run it. For tests inside a world of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE = 60.0
"""Seconds until something that does not happen fails a test."""

PAIR = """
network: pair
namespaces: {red: {}, blue: {}}
links:
  - veth:
      - {in: red, name: eth0, addresses: [10.0.0.1/24]}
      - {in: blue, name: eth0, addresses: [10.0.0.2/24]}
"""

BLOCKED = (
    PAIR
    + """
services:
  waiting: {in: red, command: [sleep, "600"], pre-start: ["touch /run/begun", "sleep 600"]}
"""
)
"""An apply of it waits in the middle, with the namespaces made, and says so by a file."""


def start(*words: str, without: tuple[str, ...] = (), **options: object) -> subprocess.Popen[str]:
    """Start `isthmus net WORDS`; `without` are the words of a setpriv(1) in front of it."""
    front = ["setpriv", *without, "--"] if without else []
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        [*front, sys.executable, "-P", "-m", "isthmus.cli", "net", *words], **{**defaults, **options}
    )


def net(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run `isthmus net WORDS` to its end."""
    with start(*words, **{"env": {**os.environ, "PYTHONFAULTHANDLER": "1"}, **options}) as process:
        try:
            output, errors = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            # It ends with the stacks of all its threads.
            process.send_signal(signal.SIGABRT)
            raise AssertionError(f"{words} hangs: {process.communicate()}") from None
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def done(*words: str, **options: object) -> str:
    """Run `isthmus net WORDS`, which must succeed; return what it prints."""
    result = net(*words, **options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def write(text: str, file: str = "/run/network.yaml") -> str:
    """Write a network's file and return its path."""
    Path(file).write_text(text)
    return file


def ip(*words: str) -> str:
    """Run ip(8) and return what it prints."""
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.01)
