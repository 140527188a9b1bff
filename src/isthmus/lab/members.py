"""The processes inside a lab: those whose user namespace is the lab's, or lies in it. Finds and ends them.

By /proc, so it sees the processes that the caller may look into: the lab's user sees all of them, from
outside of the lab as well as from inside.
"""

import fcntl
import os
import select
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from isthmus.lab.errors import LabError
from isthmus.records import dataclass

# ioctl_nsfs(2): a descriptor of the namespace around a namespace.
_NS_GET_PARENT = 0xB702

# How long services are given to stop in order before they are killed.
_GRACE_SECONDS = 10.0
_KILL_SECONDS = 5.0
# On a machine with thousands of processes looking through them takes a while: it is done ever more rarely.
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25

_ENDED_STATES = "ZX"


@dataclass(frozen=True, slots=True)
class Member:
    """A process inside a lab: its number, its parent's, its command line, and whether it has a terminal."""

    process: int
    parent: int
    command: str
    terminal: bool


def members(inside: int) -> tuple[Member, ...]:
    """Find the live processes in the user namespace that the descriptor `inside` refers to."""
    known: dict[tuple[int, int], bool] = {_identity(os.fstat(inside)): True}
    found = (_member(int(entry), known) for entry in os.listdir("/proc") if entry.isdigit())
    return tuple(each for each in found if each is not None)


def end_members(
    inside: int, spared: Collection[int] = (), grace: float = _GRACE_SECONDS
) -> tuple[Member, ...]:
    """End every process inside but the spared, and return them when they are gone.

    Those that nobody inside started are asked first, so that a supervisor stops its services in its own
    order; after `grace` seconds all that is left is killed. LabError names who survives even that.
    """
    ended: dict[int, Member] = {}
    asked: set[int] = set()
    kill_at = time.monotonic() + grace
    give_up_at = kill_at + _KILL_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while left := [each for each in members(inside) if each.process not in spared]:
        ended.update((each.process, each) for each in left)
        now = time.monotonic()
        if now > give_up_at:
            raise LabError("these processes of the lab do not end: " + ", ".join(map(_told, left)))
        if now > kill_at:
            for each in left:
                _send(each.process, inside, signal.SIGKILL)
        else:
            _ask(left, asked, inside)
        _wait_for_end_of(left, pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return tuple(ended.values())


def _ask(left: Collection[Member], asked: set[int], inside: int) -> None:
    present = {each.process for each in left}
    for each in left:
        if each.parent not in present and each.process not in asked:
            asked.add(each.process)
            # A shell at a terminal takes no notice of SIGTERM, and ends where its terminal goes.
            _send(each.process, inside, signal.SIGHUP if each.terminal else signal.SIGTERM)


def _send(process: int, inside: int, number: signal.Signals) -> None:
    """Send a signal, unless the process has ended meanwhile and another has its number."""
    with suppress(OSError):
        handle = os.pidfd_open(process)
        try:
            if _member(process, {_identity(os.fstat(inside)): True}) is not None:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def _wait_for_end_of(left: Collection[Member], longest: float) -> None:
    """Return when one of them has ended, or after a while: others may have ended or come."""
    with suppress(OSError):
        handle = os.pidfd_open(next(iter(left)).process)
        try:
            select.select([handle], [], [], longest)
        finally:
            os.close(handle)


def _member(process: int, known: dict[tuple[int, int], bool]) -> Member | None:
    """Describe a process if it is inside; `known` holds which user namespaces are, and grows."""
    folder = Path(f"/proc/{process}")
    try:
        namespace = folder / "ns/user"
        identity = _identity(namespace.stat())
        if identity not in known:
            known[identity] = _lies_within(namespace, known)
        if not known[identity]:
            return None
        # proc(5): the name is in parentheses and may hold any character.
        state, parent, _, _, terminal, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes() or (folder / "comm").read_bytes()
    except OSError:
        # It ended, or it is another user's: then it is not in the lab.
        return None
    if state in _ENDED_STATES:
        return None
    words = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return Member(process, int(parent), words, terminal != "0")


def _lies_within(namespace: Path, known: dict[tuple[int, int], bool]) -> bool:
    """Follow the namespaces around one, up to one that is known or that may not be looked at."""
    current = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while True:
            around = fcntl.ioctl(current, _NS_GET_PARENT)
            os.close(current)
            current = around
            verdict = known.get(_identity(os.fstat(current)))
            if verdict is not None:
                return verdict
    except OSError:
        return False
    finally:
        os.close(current)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _told(member: Member) -> str:
    return f"{member.process} ({member.command})"
