"""Hears of the end of the supervisor's children, those included that their parents left behind."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from isthmus import kernel


class Children:
    """Reaps. With the end of a child's leader the rest of its process group is killed."""

    def __init__(self) -> None:
        self._awaited: dict[int, asyncio.Future[int]] = {}

    def watch(self) -> None:
        """Begin; orphans of our children become ours from now on (PR_SET_CHILD_SUBREAPER)."""
        kernel.adopt_orphans()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def ended(self, pid: int) -> asyncio.Future[int]:
        """Return what will hold a child's exit status (minus the signal that killed it).

        Ask before the loop runs again, else the status may be gone.
        """
        future = self._awaited[pid] = asyncio.get_running_loop().create_future()
        return future

    def _reap(self) -> None:
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            future = self._awaited.pop(found.si_pid, None)
            if future is not None:
                # Not reaped yet, its number cannot be anybody else's.
                kill_group(found.si_pid, signal.SIGKILL)
            _, status = os.waitpid(found.si_pid, 0)
            if future is not None and not future.done():
                future.set_result(os.waitstatus_to_exitcode(status))


def kill_group(leader: int, number: signal.Signals) -> None:
    """Signal a process group, if it has members left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
