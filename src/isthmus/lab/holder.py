"""The lasting lab as commands meet it: found, started where there is none, entered.

One for every user in every network namespace that the user works in: what the lab calls `outside` is
where it was started. Who holds it is holding.py's; there is no file that could tell of a lab that is gone.
"""

import errno
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from isthmus import kernel
from isthmus.lab import address
from isthmus.lab.errors import LabError, NoLabError

# A machine that is busy takes seconds to start an interpreter.
_START_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.02
_PACKAGE_FOLDER = Path(__file__).resolve().parents[2]


class Lab:
    """A lab that stood when it was found. Holds one descriptor, which `close` gives back."""

    def __init__(self, holder: int, lifeline: int) -> None:
        self.holder = holder
        """The process that keeps the lab's namespaces open."""
        self._lifeline = lifeline

    @property
    def lifeline(self) -> int:
        """A descriptor that becomes readable when the holder ends, in whatever way (pidfd_open(2)).

        Whoever lives in the lab for long (a supervisor) watches it. Closed by exec, kept by fork.
        """
        return self._lifeline

    @property
    def root(self) -> Path:
        """The folder under which the lab's files are seen from outside: `root / "run/netns"`."""
        return Path(f"/proc/{self.holder}/root")

    def alive(self) -> bool:
        """Say whether the holder still runs."""
        return not select.select([self._lifeline], [], [], 0)[0]

    def since(self) -> float:
        """Return when the holder was started, in seconds of the epoch; LabError where it has ended."""
        try:
            ticks = int(Path(f"/proc/{self.holder}/stat").read_text().rpartition(")")[2].split()[19])
        except OSError as error:
            raise LabError("the lab has ended meanwhile") from error
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Give the descriptor back; the lab stays."""
        os.close(self._lifeline)

    def __enter__(self) -> "Lab":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def find_lab() -> Lab | None:
    """Find the caller's lab, from outside or from inside of it; None where there is none.

    LabError where another user has taken the name, or where the holder does not answer.
    """
    # Inside, the caller's number is another and the network namespace may be.
    inside = os.path.exists(address.INSIDE)
    where = address.INSIDE if inside else address.outside(os.geteuid())
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(where)
        except ConnectionRefusedError:
            return None
        return _met(connection)


def _met(connection: socket.socket) -> Lab | None:
    holder, user = address.peer(connection)
    if user != os.geteuid():
        raise LabError(
            f"process {holder} of user {user} has taken the name under which the lab of user "
            f"{os.geteuid()} is found: it has to end first"
        )
    try:
        lifeline = os.pidfd_open(holder)
    except ProcessLookupError:
        return None
    with ExitStack() as unless_met:
        unless_met.callback(os.close, lifeline)
        try:
            # An answer now means that `lifeline` is the holder's and not a later process's of its number.
            connection.sendall(address.QUESTION)
            answer = connection.recv(1)
        except TimeoutError as error:
            raise LabError(f"the lab's holder, process {holder}, does not answer: is it stopped?") from error
        except OSError:
            return None
        if answer == address.ANSWER:
            unless_met.pop_all()
            return Lab(holder, lifeline)
    return None


def running_lab() -> Lab:
    """Return the caller's lab; NoLabError where there is none."""
    lab = find_lab()
    if lab is None:
        raise NoLabError("no lab is running: `isthmus net apply --rootless FILE` starts one")
    return lab


def ensure_lab() -> Lab:
    """Return the caller's lab, started first where there is none; LabError says why there can be none."""
    deadline = time.monotonic() + _START_SECONDS
    while (lab := find_lab()) is None:
        if os.path.exists(address.INSIDE):
            raise LabError("the lab that this process is in has ended: leave it, and start anew outside")
        # Where somebody else is starting it at this moment, this does nothing.
        _start()
        lab = find_lab()
        if lab is not None:
            break
        if time.monotonic() > deadline:
            raise LabError(f"the lab did not start within {_START_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    return lab


def _start() -> None:
    path = os.pathsep.join(filter(None, (str(_PACKAGE_FOLDER), os.environ.get("PYTHONPATH"))))
    try:
        started = subprocess.run(
            [sys.executable, "-P", "-m", "isthmus.lab.holding"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
            timeout=_START_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"the lab did not start within {_START_SECONDS:g} s") from error
    told = started.stderr.decode(errors="replace").strip()
    if told:
        raise LabError(told)


def enter_lab(lab: Lab) -> None:
    """Take the process into the lab: root there, with the lab's /run; the network stays the one outside.

    Does nothing for a process that is inside. Must run before the process has a second thread
    (setns(2) refuses otherwise). LabError says what went wrong; then nothing has changed.
    """
    if is_inside(lab):
        return
    folder = os.getcwd()
    try:
        kernel.setns(lab.lifeline, kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
    except OSError as error:
        if not lab.alive():
            raise LabError("the lab has ended meanwhile") from error
        if error.errno == errno.EINVAL:
            raise LabError("a lab must be entered before the process has threads") from error
        raise LabError(f"the lab may not be entered: {error}") from error
    # Entering leads to the root folder. Where /run covers the old one, that is as good as any.
    with suppress(OSError):
        os.chdir(folder)


def is_inside(lab: Lab) -> bool:
    """Say whether the process is in the lab's user namespace."""
    try:
        return os.path.samestat(os.stat(f"/proc/{lab.holder}/ns/user"), os.stat("/proc/self/ns/user"))
    except OSError:
        return False
