"""How a lab is asked to end: the signals, and the exception that they become in the leader."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asked the lab to end; asyncio lets a KeyboardInterrupt through, and only that."""


def stop_on_signals() -> None:
    """From here on the first stopping signal raises Stopped, and later ones do nothing."""
    for number in STOPPING:
        signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> Never:
    # A second Ctrl-C must not break into the cleaning up that the first one began.
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


@contextmanager
def signals_held() -> Iterator[None]:
    """Put stopping signals off: a child that is forked meanwhile starts before it can be interrupted."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_stopping_to_the_leader() -> None:
    """In a child: stopping signals are the leader's to act on, though a terminal sends them to all."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
