"""The namespaces of one network as they can be worked on: their files, channels and descriptors.

Opened when needed and kept while there is room, so that a thousand tenants cost a thousand openings,
not one for every request. Knows nothing of what a network is made of.
"""

from __future__ import annotations

import os
import resource
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from isthmus import kernel
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.tables import filtering_socket, has_table
from isthmus.network.spaces import Space
from isthmus.records import replace

if TYPE_CHECKING:
    from isthmus.network.netlink.devices import Remembered


class Open:
    """A namespace that is open: a netlink channel, and a descriptor that other namespaces can name it by.

    `filtering` asks for tables of nftables; None where it was opened without.
    """

    def __init__(self, channel: Channel, filtering: socket.socket | None, descriptor: int) -> None:
        self.channel = channel
        self.filtering = filtering
        self.descriptor = descriptor

    def close(self) -> None:
        """Let go of the namespace."""
        self.channel.close()
        if self.filtering is not None:
            self.filtering.close()
        os.close(self.descriptor)


def open_here(*, filtering: bool = True) -> Open:
    """Open the namespace of the calling thread; where nobody will ask for its tables, without `filtering`."""
    with ExitStack() as undoing:
        channel = Channel()
        undoing.callback(channel.close)
        asking = undoing.enter_context(filtering_socket()) if filtering else None
        made = Open(channel, asking, os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        undoing.pop_all()
        return made


class Machine:
    """Access to namespaces by the names that the network's file gives them."""

    def __init__(self, spaces: Iterable[Space]) -> None:
        self.spaces = {space.name: space for space in spaces}
        self.remembered: dict[tuple[str, str], Remembered] = {}
        """How devices were that were moved away while this machine is held, by where they came from."""
        self._open: OrderedDict[str, Open] = OrderedDict()
        self._room = _descriptors_allowed() // 4

    def channel(self, namespace: str) -> Channel:
        """Return the netlink channel of a namespace; OSError where it is absent or may not be entered."""
        return self._opened(namespace).channel

    def descriptor(self, namespace: str) -> int:
        """Return a descriptor of the namespace, for a request in another one; good until `forget`."""
        return self._opened(namespace).descriptor

    def has_table(self, namespace: str, table: str) -> bool:
        """Say whether a namespace has an nftables table of the family inet."""
        opened = self._opened(namespace)
        if opened.filtering is None:
            opened.filtering = replace(self.spaces[namespace], uts=None).call(filtering_socket)
        return has_table(opened.filtering, table)

    def open_all(self, namespaces: Iterable[str], *, filtering: bool) -> None:
        """Open many at once, as far as there is room; what cannot be opened says so when it is used."""
        names = [name for name in namespaces if name not in self._open][: self._room - len(self._open)]
        if len(names) > 1:
            thread = threading.Thread(
                target=self._open_in_turn, args=(names, filtering), name="isthmus-opening"
            )
            thread.start()
            thread.join()

    def _open_in_turn(self, names: Sequence[str], filtering: bool) -> None:
        for name in names:
            with suppress(OSError):
                descriptor = os.open(self.spaces[name].net, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    kernel.setns(descriptor, kernel.CLONE_NEWNET)
                    self._keep(name, open_here(filtering=filtering))
                finally:
                    os.close(descriptor)

    def adopt(self, space: Space, opened: Open) -> None:
        """Take over a namespace that was opened as it was made."""
        self.place(space)
        self._keep(space.name, opened)

    def place(self, space: Space) -> None:
        """Say where the namespace of a name is to be found from now on."""
        self.forget([space.name])
        self.spaces[space.name] = space

    def forget(self, namespaces: Iterable[str]) -> None:
        """Close namespaces, for instance because they are to end: an open one lives on."""
        for name in namespaces:
            opened = self._open.pop(name, None)
            if opened is not None:
                opened.close()

    def close(self) -> None:
        """Close all of them."""
        self.forget(list(self._open))

    @property
    def room(self) -> int:
        """How many namespaces stay open at once, and so how many one batch of requests may concern."""
        return self._room

    def _opened(self, namespace: str) -> Open:
        found = self._open.get(namespace)
        if found is not None:
            self._open.move_to_end(namespace)
            return found
        # Without its UTS namespace, which may be gone where the network namespace is not.
        opened = replace(self.spaces[namespace], uts=None).call(open_here)
        self._keep(namespace, opened)
        return opened

    def _keep(self, namespace: str, opened: Open) -> None:
        self._open[namespace] = opened
        while len(self._open) > self._room:
            _, oldest = self._open.popitem(last=False)
            oldest.close()


def _descriptors_allowed() -> int:
    """Raise the limit of open files as far as it may be raised, and return it (at most 100,000)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = min(hard, 100_000) if hard != resource.RLIM_INFINITY else 100_000
    if soft < aim:
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
        return aim
    return min(soft, 100_000)


@contextmanager
def machine(spaces: Iterable[Space]) -> Iterator[Machine]:
    """Work on namespaces, and let go of all of them afterwards."""
    made = Machine(spaces)
    try:
        yield made
    finally:
        made.close()
