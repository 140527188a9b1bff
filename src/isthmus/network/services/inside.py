"""The namespaces that a service runs in, held open for as long as it runs.

Held open, they stay even where their files vanish: the hooks around the stop still find the service's
network. And the kernel cannot give their inode numbers to others, so comparing them tells whether a
file still names the namespace that the service runs in.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from isthmus import kernel
from isthmus.network.entering import show_files
from isthmus.network.services.definition import Definition
from isthmus.network.services.errors import ServiceError

R = TypeVar("R")


class Inside:
    """The network and UTS namespaces of one service. Without any, it is the supervisor's own.

    That one must not be entered by setns(2): without root nobody may, though they are in it.
    """

    def __init__(self, opened: tuple[tuple[int, int], ...] = (), name: str = "") -> None:
        self.opened = opened
        self._name = name

    @classmethod
    def open(cls, definition: Definition) -> Inside:
        """Open a service's namespaces; ServiceError where one is not there."""
        opened: list[tuple[int, int]] = []
        for path, kind in _files(definition):
            try:
                opened.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC), kind))
            except OSError as error:
                cls(tuple(opened)).close()
                raise ServiceError(
                    f"service {definition.name}: cannot open namespace {definition.namespace} ({path}): "
                    f"{error.strerror}",
                    service=definition.name,
                    hint="`isthmus net apply` makes those of the file; one that is attached must be there",
                ) from None
        return cls(tuple(opened), definition.namespace)

    def is_of(self, definition: Definition) -> bool:
        """Whether the files that a definition names still are these namespaces."""
        try:
            named = [(found.st_dev, found.st_ino) for found in map(os.stat, _paths(definition))]
        except OSError:
            return False
        held = [(found.st_dev, found.st_ino) for found in (os.fstat(fd) for fd, _ in self.opened)]
        return named == held

    def enter(self) -> None:
        """Have the calling thread enter them, for good."""
        for descriptor, kind in self.opened:
            kernel.setns(descriptor, kind)

    def become_inhabitant(self) -> None:
        """Have the calling process, of one thread, enter them and see the files that belong there."""
        self.enter()
        if any(kind == kernel.CLONE_NEWNET for _, kind in self.opened):
            show_files(self._name)

    def call(self, function: Callable[[], R]) -> R:
        """Run a function inside, in a thread that is over when this returns; raises what it raises."""
        if not self.opened:
            return function()
        results: list[R] = []
        failures: list[Exception] = []

        def work() -> None:
            try:
                self.enter()
                results.append(function())
            except Exception as error:
                failures.append(error)

        # Joined at once, so the process has one thread again whenever it forks.
        thread = threading.Thread(target=work, name="inside")
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return results[0]

    def close(self) -> None:
        """Let go of the namespaces."""
        for descriptor, _ in self.opened:
            with suppress(OSError):
                os.close(descriptor)
        self.opened = ()


def _files(definition: Definition) -> list[tuple[str, int]]:
    found = []
    if definition.net is not None:
        found.append((definition.net, kernel.CLONE_NEWNET))
    if definition.uts is not None:
        found.append((definition.uts, kernel.CLONE_NEWUTS))
    return found


def _paths(definition: Definition) -> list[str]:
    return [path for path, _ in _files(definition)]
