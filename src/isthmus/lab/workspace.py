"""The folder of a lab's files, and the janitor: the one process that outlives a leader that crashes.

The files lie where the user's shell can read them, so the kernel does not remove them with the lab's
namespaces; the janitor waits for the leader's end, removes them, and ends.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus import kernel
from isthmus.lab.stopping import leave_stopping_to_the_leader, signals_held

_LEADER_ENDED = signal.SIGUSR1


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a folder, readable by this user alone, that is gone afterwards: also after kill -9."""
    folder = _visible_folder() / f"isthmus-lab-{secrets.token_hex(4)}"
    # The janitor comes first, so that there is no moment in which a crash could leave the folder.
    janitor = _start_janitor(folder)
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.kill(janitor, signal.SIGKILL)
        os.waitpid(janitor, 0)


def _visible_folder() -> Path:
    """Where temporary files go, unless that is under /run, which a lab covers with its own."""
    chosen = Path(tempfile.gettempdir()).resolve()
    return Path("/tmp") if chosen.is_relative_to("/run") else chosen


def _start_janitor(folder: Path) -> int:
    leader = os.getpid()
    with signals_held():
        janitor = os.fork()
        if janitor == 0:
            try:
                _await_and_remove(leader, folder)
            finally:
                os._exit(0)
    return janitor


def _await_and_remove(leader: int, folder: Path) -> None:
    leave_stopping_to_the_leader()
    # Out of the terminal's process group: nothing that is sent to the group ends the janitor.
    os.setsid()
    _forget_descriptors()
    signal.pthread_sigmask(signal.SIG_BLOCK, {_LEADER_ENDED})
    if kernel.signal_at_end_of(leader, _LEADER_ENDED):
        signal.sigwait({_LEADER_ENDED})
    shutil.rmtree(folder, ignore_errors=True)


def _forget_descriptors() -> None:
    """Let go of what the leader had open: whoever reads its output must see it end with the leader."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, 1 + max(int(number) for number in os.listdir("/proc/self/fd")))
