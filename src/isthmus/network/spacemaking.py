"""Namespaces made and removed: bind mounts that keep them, as `ip netns` makes them.

Runs in threads of its own: a thread that has left for a new namespace never returns.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from isthmus import kernel
from isthmus.network.machine import Open, open_here
from isthmus.network.netlink.interfaces import loopback_marking
from isthmus.network.objects import SpaceObject
from isthmus.network.spaces import NAMED_FOLDER, OWN_FOLDER, Space
from isthmus.records import replace

_THREADS = min(4, os.cpu_count() or 1)


def make(wanted: Sequence[SpaceObject], mark: str) -> list[Open | OSError]:
    """Make namespaces; for each, it as it stands open, or why it could not be made.

    One that fails leaves no file behind and keeps none of the others from being made.
    """
    made: list[Open | OSError] = [OSError(errno.ECANCELED, "not made")] * len(wanted)
    shared: set[Path] = set()
    try:
        for folder in {path.parent for each in wanted for path in _files(each.space)}:
            _prepare_folder(folder, shared)
    except OSError as error:
        return [error] * len(wanted)
    _in_threads(wanted, mark, made)
    for each, outcome in zip(wanted, made, strict=True):
        if isinstance(outcome, OSError):
            _tidy(each.space)
    return made


def _in_threads(wanted: Sequence[SpaceObject], mark: str, made: list[Open | OSError]) -> None:
    """Fill `made` by several threads: the kernel makes namespaces side by side, and most time goes there."""
    stopping = threading.Event()
    count = min(_THREADS, len(wanted))
    threads = [
        threading.Thread(
            target=_make_some, args=(wanted, mark, made, range(first, len(wanted), count), stopping)
        )
        for first in range(count)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        # A signal, perhaps as they are started: whoever undoes things must not be followed by threads that
        # go on making them. One that has not begun yet sees at once that it is to stop.
        stopping.set()
        for thread in threads:
            with suppress(RuntimeError):
                thread.join()
        for each in made:
            if isinstance(each, Open):
                each.close()
        raise


def _files(space: Space) -> tuple[Path, ...]:
    return (space.net,) if space.uts is None else (space.net, space.uts)


def _make_some(
    wanted: Sequence[SpaceObject],
    mark: str,
    made: list[Open | OSError],
    places: Iterable[int],
    stopping: threading.Event,
) -> None:
    for place in places:
        if stopping.is_set():
            return
        try:
            made[place] = _make_one(wanted[place], mark)
        except OSError as error:
            made[place] = error


def _make_one(wanted: SpaceObject, mark: str) -> Open:
    space = wanted.space
    mounted: list[Path] = []
    opened: Open | None = None
    try:
        _reserve(space.net, mounted)
        kernel.unshare(kernel.CLONE_NEWNET)
        opened = open_here(filtering=False)
        # Marked before it has a name: whatever ends us now, it is known whose it is.
        opened.channel.change([loopback_marking(mark)])
        _keep(space.net, "net")
        if space.uts is not None:
            _give_hostname(space.uts, wanted.hostname or space.name, mounted)
    except OSError:
        if opened is not None:
            opened.close()
        for path in mounted:
            _release(path)
        raise
    return opened


def _give_hostname(path: Path, hostname: str, mounted: list[Path]) -> None:
    """Give the thread's namespace a host name of its own, kept by a file that is added to `mounted`."""
    # Left of a namespace that somebody else removed, or of a change that a crash ended: ours in any case.
    _release(path)
    _reserve(path, mounted)
    kernel.unshare(kernel.CLONE_NEWUTS)
    kernel.sethostname(hostname)
    _keep(path, "uts")


def _reserve(path: Path, mounted: list[Path]) -> None:
    """Make the file that a namespace is mounted on; FileExistsError where one is mounted there already."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o444))
    except FileExistsError:
        # An empty file is what a crash leaves of a namespace that was about to be made.
        if path.stat().st_dev != path.parent.stat().st_dev:
            raise
    mounted.append(path)


def _keep(path: Path, kind: str) -> None:
    kernel.mount(f"/proc/thread-self/ns/{kind}", str(path), flags=kernel.MS_BIND)


def _prepare_folder(folder: Path, shared: set[Path]) -> None:
    """Have the folder, and what is mounted there be seen, and vanish, in all mount namespaces.

    A service that was started with a mount namespace of its own would otherwise keep every namespace
    that existed at that time (what `ip netns` does, for the same reason).
    """
    top = NAMED_FOLDER if folder == NAMED_FOLDER else OWN_FOLDER
    if top not in shared:
        top.mkdir(mode=0o755, parents=True, exist_ok=True)
        try:
            kernel.mount("", str(top), flags=kernel.MS_SHARED | kernel.MS_REC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            kernel.mount(str(top), str(top), flags=kernel.MS_BIND | kernel.MS_REC)
            kernel.mount("", str(top), flags=kernel.MS_SHARED | kernel.MS_REC)
        shared.add(top)
    if folder not in shared:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        shared.add(folder)


class Removal:
    """Namespaces that a thread removes: each unmount waits for the kernel's readers (RCU)."""

    def __init__(self, spaces: Sequence[Space]) -> None:
        self._outcomes: list[OSError | None] = []
        self._thread = threading.Thread(target=self._run, args=(spaces,), name="isthmus-removing")
        self._thread.start()

    def _run(self, spaces: Sequence[Space]) -> None:
        self._outcomes = _remove(spaces)

    def outcomes(self) -> list[OSError | None]:
        """Wait until all are removed; for each, None or why it could not be."""
        self._thread.join()
        return self._outcomes


def _remove(spaces: Sequence[Space]) -> list[OSError | None]:
    """Remove namespaces: their names at once, they themselves when the last process in them ends."""
    outcomes: list[OSError | None] = []
    for space in spaces:
        try:
            for path in _files(space):
                _release(path)
            _tidy(space)
            outcomes.append(None)
        except OSError as error:
            outcomes.append(error)
    return outcomes


def sweep(spaces: Iterable[Space]) -> None:
    """Remove the empty files that a crash left of namespaces about to be made; others are not touched."""
    for space in spaces:
        with suppress(OSError):
            told = space.net.stat()
            if told.st_size == 0 and told.st_dev == space.net.parent.stat().st_dev:
                space.net.unlink()


def _release(path: Path) -> None:
    try:
        kernel.unmount(str(path))
    except OSError as error:
        # Not mounted: a file that is left of a namespace that was made half.
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise
    path.unlink(missing_ok=True)


def _tidy(space: Space) -> None:
    """Remove the folders of ours that nothing is in any more."""
    for path in _files(space):
        folder = path.parent
        with suppress(OSError):
            while OWN_FOLDER in folder.parents:
                folder.rmdir()
                folder = folder.parent


def change_hostname(old: SpaceObject, new: SpaceObject) -> None:
    """Give a namespace another host name, one of its own for the first time, or none any more.

    Its network namespace stays as it is. What runs in a UTS namespace that loses its name keeps it alive.
    """
    if old.space.uts is not None and new.hostname is None:
        _release(old.space.uts)
        _tidy(old.space)
    elif new.space.uts is not None and new.hostname is not None:
        if old.hostname is None:
            _prepare_folder(new.space.uts.parent, set())
            replace(new.space, uts=None).call(_make_hostname, new.space.uts, new.hostname)
        else:
            new.space.call(kernel.sethostname, new.hostname)


def _make_hostname(path: Path, hostname: str) -> None:
    mounted: list[Path] = []
    try:
        _give_hostname(path, hostname, mounted)
    except OSError:
        for each in mounted:
            _release(each)
        raise
