"""A second process that outlives a killed supervisor just long enough to end what it left.

The kernel kills the supervisor's own children with it (PR_SET_PDEATHSIG), but not their children, nor
those that changed their user; a killed nginx leaves its workers with the port.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import NoReturn

from isthmus.network.services.leftovers import kill_leftovers

_RELEASE = b"."


class Guard:
    """The supervisor's line to its guard. Where the guard was killed, nothing is told and nothing fails."""

    def __init__(self, pid: int, line: int) -> None:
        self._pid = pid
        self._line = line

    @classmethod
    def start(cls, network: str) -> Guard:
        """Fork the guard; before the process has threads or children."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            _watch(network, reading)
        os.close(reading)
        return cls(pid, writing)

    def tell(self, session: int, begun: bool) -> None:
        """Say that a session began, or is over."""
        self._write(f"{'+' if begun else '-'}{session}\n".encode())

    def release(self) -> None:
        """Have the guard end: all is in order. Returns when it has."""
        self._write(_RELEASE)
        os.close(self._line)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._line, data)


def _watch(network: str, line: int) -> NoReturn:
    try:
        os.setsid()
        # A service manager that stops everything must let the supervisor stop its services in order.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # The control socket above all: held open here, it would look as if somebody answered.
        os.dup2(line, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        sessions, orderly = _listen(3)
        if not orderly:
            kill_leftovers(network, sessions=sessions)
    finally:
        os._exit(0)


def _listen(line: int) -> tuple[set[int], bool]:
    """Read until the supervisor is gone; return the sessions it left, and whether it took its leave."""
    sessions: set[int] = set()
    with os.fdopen(line, "rb") as lines:
        for said in lines:
            if said.startswith(_RELEASE):
                return sessions, True
            if said.startswith(b"+"):
                sessions.add(int(said[1:]))
            else:
                sessions.discard(int(said[1:]))
    return sessions, False
