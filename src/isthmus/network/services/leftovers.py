"""Processes of a network's services that a supervisor which ended badly may have left behind.

They are told by their environment, which a process inherits, or by their session: some programs
(nginx, PostgreSQL) write their title over their environment.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def leftovers(
    network: str, services: Collection[str] | None = None, sessions: Collection[int] = ()
) -> list[int]:
    """Return the processes that belong to a network (to some services of it), or to one of the sessions.

    The caller and its ancestors are none of them: `isthmus net` may be run by a service. Nor are those
    of a network of the same name in a lab of another user, or in one's own lab.
    """
    mark = f"ISTHMUS_NETWORK={network}".encode()
    names = None if services is None else {f"ISTHMUS_SERVICE={each}".encode() for each in services}
    own = _lineage(os.getpid())
    users, run = _users_namespace("self"), _run_folder("self")
    return [
        pid
        for pid in _processes()
        if pid not in own
        and _belongs(pid, mark, names, sessions)
        and _users_namespace(pid) == users
        and _run_folder(pid) in (None, run)
    ]


def kill_leftovers(
    network: str, services: Collection[str] | None = None, sessions: Collection[int] = ()
) -> int:
    """Kill what is left of a network's services; return how many processes there were, once they are gone."""
    seen: set[int] = set()
    deadline = time.monotonic() + 5
    while found := leftovers(network, services, sessions):
        seen.update(found)
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return len(seen)


def _processes() -> list[int]:
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]


def _belongs(pid: int, mark: bytes, names: set[bytes] | None, sessions: Collection[int]) -> bool:
    try:
        # Empty where it is a zombie or a thread of the kernel.
        environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        if mark in environment and (names is None or not names.isdisjoint(environment)):
            return True
        return bool(sessions) and _status(pid)[3] in sessions
    except (OSError, ValueError, IndexError):
        return False


def _users_namespace(pid: int | str) -> str:
    try:
        return os.readlink(_PROC / str(pid) / "ns" / "user")
    except OSError:
        return ""


def _run_folder(pid: int | str) -> int | None:
    """Return what file system a process has at /run; None where it sees none, being in a chroot.

    A lab of root has a /run of its own, and the users of the machine.
    """
    try:
        return (_PROC / str(pid) / "root" / "run").stat().st_dev
    except OSError:
        return None


def _lineage(pid: int) -> set[int]:
    found: set[int] = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            pid = _status(pid)[1]
        except (OSError, ValueError, IndexError):
            break
    return found


def _status(pid: int) -> tuple[str, int, int, int]:
    """Return state, parent, process group and session of a process (proc_pid_stat(5))."""
    # The second field is the program's name in parentheses, which may hold anything.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    state, parent, group, session = fields[:4]
    return ("gone" if state in "ZX" else state), int(parent), int(group), 0 if state in "ZX" else int(session)
