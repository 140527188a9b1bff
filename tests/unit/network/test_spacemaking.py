"""Threads that make namespaces end with whoever waits for them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from isthmus.network import spacemaking
from isthmus.network.objects import SpaceObject
from isthmus.network.spaces import Space


class SignalError(BaseException):
    """What a signal raises in the main thread."""


def test_a_signal_as_the_threads_are_started_ends_them(monkeypatch, tmp_path: Path) -> None:
    begun, going = threading.Event(), threading.Event()

    def make_one(*_: object) -> None:
        begun.set()
        going.wait(10)

    class Interrupted(threading.Thread):
        def start(self) -> None:
            super().start()
            begun.wait(10)
            # It is in the middle of its first: what is to end it must come before the second.
            threading.Timer(0.05, going.set).start()
            raise SignalError

    monkeypatch.setattr(spacemaking, "_make_one", make_one)
    monkeypatch.setattr(spacemaking.threading, "Thread", Interrupted)
    made = [OSError()] * 100
    wanted = [SpaceObject(Space(f"t{n}", tmp_path / f"t{n}")) for n in range(100)]
    with pytest.raises(SignalError):
        spacemaking._in_threads(wanted, "mark", made)
    assert sum(each is None for each in made) == 1
    assert [each for each in threading.enumerate() if isinstance(each, Interrupted)] == []
