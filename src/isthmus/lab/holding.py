"""The holder of a lasting lab, as a process: `python -m isthmus.lab.holding`, run by `ensure_lab`.

    launcher (ends at once) ──▶ guardian (outside) ──▶ holder (inside)

The holder keeps the namespaces open and answers that it is there. The guardian outlives a holder that is
killed, and ends what is still inside: nobody could reach it any more. Until the lab stands, standard
error is the way to tell what went wrong; it is closed, with nothing said, once it stands.
"""

import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Never

from isthmus import kernel
from isthmus.lab import address
from isthmus.lab.errors import LabError
from isthmus.lab.interfaces import raise_loopback
from isthmus.lab.isolation import isolate
from isthmus.lab.members import end_members
from isthmus.network.spaces import LAB_HOST, OWN_FOLDER

_READY = b"ready"
_BACKLOG = 64
# How long one who connects and asks nothing keeps others waiting.
_QUESTION_SECONDS = 1.0

# The machine's /run, for those who are in the lab.
_MACHINES_RUN = Path("/run/.outside")


def main() -> int:
    """Start guardian and holder; 0 at once, since the end of standard error tells that the lab stands."""
    if os.fork() == 0:
        _guard()
    return 0


def _guard() -> Never:
    status = 1
    try:
        os.umask(0o022)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        reader, writer = os.pipe()
        holder = os.fork()
        if holder == 0:
            os.close(reader)
            _hold(writer)
        os.close(writer)
        if os.read(reader, len(_READY)) == _READY:
            _outlive(holder)
        status = 0
    finally:
        # A traceback is lost by os._exit, and what failed here has nobody left to be told.
        os._exit(status)


def _outlive(holder: int) -> None:
    inside = os.open(f"/proc/{holder}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    _name_process("isthmus-lab-end")
    _let_go()
    os.waitpid(holder, 0)
    end_members(inside)


def _hold(ready: int) -> Never:
    status = 1
    try:
        listeners = _set_up()
        if listeners:
            os.write(ready, _READY)
            os.close(ready)
            _let_go()
            _answer_for_ever(listeners)
        status = 0
    except LabError as error:
        print(error, file=sys.stderr, flush=True)
    except OSError as error:
        print(f"the lab could not be made: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _set_up() -> list[socket.socket]:
    """Make everything; nothing where another holder of this user is, or is just being started."""
    user = os.geteuid()
    outer = socket.socket(socket.AF_UNIX)
    try:
        # To have the name is to be the holder; nobody can connect before there is something to hold.
        outer.bind(address.outside(user))
    except OSError:
        return []
    _name_process("isthmus-lab")
    isolate(rootless=True, machines_run=_MACHINES_RUN)
    OWN_FOLDER.mkdir(mode=0o755)
    _in_other_thread(_make_host)
    inner = socket.socket(socket.AF_UNIX)
    inner.bind(address.INSIDE)
    for each in (outer, inner):
        each.listen(_BACKLOG)
        each.setblocking(False)
    return [outer, inner]


def _make_host() -> None:
    """Make the lab's stand-in for the machine: a namespace of which the lab is master, unlike outside."""
    place = LAB_HOST
    kernel.unshare(kernel.CLONE_NEWNET)
    place.touch(mode=0o444)
    kernel.mount("/proc/thread-self/ns/net", str(place), flags=kernel.MS_BIND)
    raise_loopback([])


def _in_other_thread(make: Callable[[], None]) -> None:
    """Run a function in a thread that ends: the holder itself stays in the network namespace outside."""
    failure: list[BaseException] = []

    def work() -> None:
        try:
            make()
        except BaseException as error:  # handed to the holder's own thread, whatever it is
            failure.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def _answer_for_ever(listeners: list[socket.socket]) -> None:
    waiting = selectors.DefaultSelector()
    for listener in listeners:
        waiting.register(listener, selectors.EVENT_READ)
    by_descriptor = {listener.fileno(): listener for listener in listeners}
    while True:
        for key, _ in waiting.select():
            # Whoever left again, or asks nothing, is not waited for.
            with suppress(OSError), by_descriptor[key.fd].accept()[0] as connection:
                _answer(connection)


def _answer(connection: socket.socket) -> None:
    """Answer a question of the lab's user; any other user of the machine gets nothing."""
    if address.peer(connection)[1] != os.geteuid():
        return
    connection.settimeout(_QUESTION_SECONDS)
    if connection.recv(1) == address.QUESTION:
        connection.sendall(address.ANSWER)


def _name_process(name: str) -> None:
    """Set what `ps` shows as the command's name."""
    Path("/proc/self/comm").write_text(name)


def _let_go() -> None:
    """Keep nothing of the terminal, the folder or the pipes of whoever asked for the lab."""
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
