"""Where namespaces are found, and how something is run inside one.

A namespace that Isthmus makes is a bind mount: under /run/netns where it is named, so that
`ip netns` sees it, else under /run/isthmus. No process has to live for it to stay. A thread enters
a namespace, never the process: what the thread starts (a socket, a child) belongs there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from isthmus import kernel
from isthmus.network.model import HOST, OUTSIDE, AttachedPath, AttachedProcess, Namespace
from isthmus.records import dataclass

NAMED_FOLDER = Path("/run/netns")
OWN_FOLDER = Path("/run/isthmus")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace as the kernel knows it: the file of its network namespace.

    Where it has a host name of its own, also that of its UTS namespace.
    """

    name: str
    net: Path
    uts: Path | None = None

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in a thread inside the namespace; return what it returns, raise what it raises.

        OSError where the namespace is absent or may not be entered.
        """
        with self._entered() as descriptors:
            return _in_thread(descriptors, function, *args, **kwargs)

    @contextmanager
    def _entered(self) -> Iterator[tuple[tuple[int, int], ...]]:
        opened: list[tuple[int, int]] = []
        try:
            # Where the caller is already: without root nobody may enter the namespace outside,
            # not even who is in it.
            if not os.path.samefile(self.net, _CALLERS_PATH):
                opened.append((os.open(self.net, os.O_RDONLY | os.O_CLOEXEC), kernel.CLONE_NEWNET))
            if self.uts is not None:
                opened.append((os.open(self.uts, os.O_RDONLY | os.O_CLOEXEC), kernel.CLONE_NEWUTS))
            yield tuple(opened)
        finally:
            for descriptor, _ in opened:
                os.close(descriptor)


def locate(namespace: Namespace, network: str) -> Space:
    """Say where a namespace of a network is found, whether or not it exists yet."""
    uts = OWN_FOLDER / "uts" / network / namespace.name if namespace.hostname is not None else None
    return Space(namespace.name, _net_path(namespace, network), uts)


def _net_path(namespace: Namespace, network: str) -> Path:
    match namespace.attach:
        case AttachedProcess(pid):
            return Path(f"/proc/{pid}/ns/net")
        case AttachedPath(path):
            return path
        case None:
            pass
    if namespace.name == HOST:
        return host_path()
    if namespace.name == OUTSIDE:
        return OUTSIDE_PATH
    if namespace.named:
        return NAMED_FOLDER / namespace.name
    return OWN_FOLDER / "net" / network / namespace.name


def why_absent(net: Path, refused: PermissionError | None = None) -> str:
    """Say why a namespace to attach to cannot be had, as the end of a sentence about its name.

    `refused` is what the kernel said as it was to be entered: its file may be opened all the same.
    """
    process = net.parts[2] if net.parts[:2] == ("/", "proc") and len(net.parts) > 2 else ""
    if process.isdecimal() and not Path("/proc", process).exists():
        return f"is not there: there is no process {process}"
    if refused is not None:
        return f"may not be entered: {net}: {refused.strerror}"
    try:
        os.close(os.open(net, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        return f"is not there: there is no {net}"
    except OSError as error:
        return f"may not be entered: {net}: {error.strerror}"
    return f"is not there: {net} is not a network namespace"


OUTSIDE_PATH = Path("/proc/self/ns/net")
"""The process itself never leaves the namespace in which it was started."""

_CALLERS_PATH = Path("/proc/thread-self/ns/net")

LAB_HOST = OWN_FOLDER / "host"
"""A rootless lab's stand-in for the machine; absent elsewhere."""


def host_path() -> Path:
    """Return the namespace that files call `host`: in a rootless lab the lab's own, else the one outside."""
    return LAB_HOST if LAB_HOST.exists() else OUTSIDE_PATH


def _in_thread(
    descriptors: tuple[tuple[int, int], ...],
    function: Callable[P, R],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    outcome: list[R] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for descriptor, kind in descriptors:
                kernel.setns(descriptor, kind)
            outcome.append(function(*args, **kwargs))
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failure.append(error)

    thread = threading.Thread(target=work, name="isthmus-inside")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
