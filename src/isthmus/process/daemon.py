"""Going into the background (`-D`, `daemon`): the first process waits to hear whether the start worked.

fork(2) copies only the calling thread, so this comes before the engine makes any.
"""

from __future__ import annotations

import os

from isthmus.records import dataclass

_READY = b"\0"


@dataclass(frozen=True, slots=True)
class Background:
    """The daemon's line to the process that started it, and what its terminal is exchanged for.

    `nothing` is /dev/null, opened early: a chroot may have none.
    """

    descriptor: int
    nothing: int

    def ready(self) -> None:
        """Let go of the terminal and tell the starting process that all is well."""
        for standard in (0, 1, 2):
            os.dup2(self.nothing, standard)
        if self.nothing > 2:
            os.close(self.nothing)
        os.write(self.descriptor, _READY)
        os.close(self.descriptor)


def detach() -> Background | int:
    """Fork. Returns the line home in the daemon, and in the starting process its exit status.

    The starting process learns of a failure by the end of the pipe, which also a crash closes.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        return Background(writing, os.open(os.devnull, os.O_RDWR))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read(1)
    if answer == _READY:
        return 0
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) or 1
