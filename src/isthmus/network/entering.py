"""Commands run inside a namespace, as `ip netns exec` runs them: with its /sys and its files of /etc.

A namespace's /sys/class/net shows its own interfaces only in a sysfs that was mounted inside it, so a
command gets a mount namespace of its own. What is mounted or unmounted in the lab later shows in it too.
"""

import errno
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Never

from isthmus import kernel
from isthmus.network.spaces import OUTSIDE_PATH, Space

NOT_FOUND = 127
"""The exit status where there is no such command, as of a shell."""
NOT_RUN = 126
"""The exit status where the command is there and cannot be run, as of a shell."""

_ETC_FOLDER = Path("/etc/netns")

# What a terminal sends, it sends to the command as well; passing it on would send it twice.
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
# Python ignores these, and a program that is executed would go on ignoring them.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class EnteringError(Exception):
    """A namespace could not be entered; the text says which one, and why."""


def exec_in(space: Space, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a command inside a namespace and return its exit status, 128+N where signal N ended it.

    Signals are passed on; NOT_FOUND and NOT_RUN, with a line on standard error, where the command does
    not start. EnteringError where the namespace cannot be entered. To be called from the main thread.
    """
    sys.stdout.flush()
    reader, writer = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON + _FROM_TERMINAL)
    process = os.fork()
    if process == 0:
        os.close(reader)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _become_or_tell(space, command, environment, writer)
    os.close(writer)
    with _passing_on_to(process):
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with open(reader, encoding="utf-8") as failure:
            # Ends when the command is executed, since exec closes the other end.
            told = failure.read()
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if told:
        raise EnteringError(told)
    return 128 - status if status < 0 else status


@contextmanager
def _passing_on_to(process: int) -> Iterator[None]:
    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(process, number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    before.update({number: signal.signal(number, signal.SIG_IGN) for number in _FROM_TERMINAL})
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _become_or_tell(
    space: Space, command: Sequence[str], environment: Mapping[str, str] | None, writer: int
) -> Never:
    status = NOT_RUN
    try:
        become(space, command, environment)
    except EnteringError as error:
        os.write(writer, str(error).encode())
    except SystemExit as ending:
        status = int(ending.code or 0)
    finally:
        os._exit(status)


def become(space: Space, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Never:
    """Turn this process into the command inside a namespace: nothing stands between it and its terminal.

    `environment` is beside the process's own. EnteringError where the namespace cannot be entered; where the
    command does not start, SystemExit after a line on standard error.
    """
    try:
        _enter(space)
    except OSError as error:
        raise EnteringError(f"namespace {space.name} cannot be entered: {error}") from error
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], list(command), {**os.environ, **(environment or {})})
    except FileNotFoundError:
        status, why = NOT_FOUND, "there is no such command"
    except OSError as error:
        status, why = NOT_RUN, error.strerror or str(error)
    print(f"isthmus: {command[0]}: {why}", file=sys.stderr, flush=True)
    raise SystemExit(status)


def _enter(space: Space) -> None:
    if space.uts is not None:
        _setns(space.uts, kernel.CLONE_NEWUTS)
    if space.net == OUTSIDE_PATH:
        return
    _setns(space.net, kernel.CLONE_NEWNET)
    show_files(space.name)


def show_files(name: str) -> None:
    """Give this process the /sys and the files of /etc of the network namespace that it has entered.

    It gets a mount namespace for that. `name` is the namespace's; OSError where it may not.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    # Slave: what is mounted here stays here, what is unmounted outside is not kept here.
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SLAVE)
    _renew_sys()
    _lay_over_etc(_ETC_FOLDER / name)


def _setns(path: Path, kind: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.setns(descriptor, kind)
    finally:
        os.close(descriptor)


def _renew_sys() -> None:
    """Mount a sysfs over /sys that shows this namespace's interfaces, if there is a /sys."""
    try:
        read_only = os.statvfs("/sys").f_flag & os.ST_RDONLY
        kernel.mount("sysfs", "/sys", "sysfs", kernel.MS_RDONLY if read_only else 0)
    except OSError as error:
        # A container may keep part of /sys hidden; then the kernel allows no whole one (EPERM).
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOENT):
            raise


def _lay_over_etc(folder: Path) -> None:
    """Show a namespace's own files of /etc, such as its resolv.conf, in place of the machine's."""
    with suppress(FileNotFoundError):
        for entry in folder.iterdir():
            # A file that /etc does not have cannot be laid over it.
            with suppress(FileNotFoundError):
                kernel.mount(str(entry), f"/etc/{entry.name}", flags=kernel.MS_BIND)
