"""When files of TLS that are in use have changed (`tune.ssl.watch-certificates`).

Each look takes the state of every file from the kernel: that works on every file system, and sees files
that are replaced, written over, and behind symbolic links that move. A file whose state changed is dealt with
once it has stayed the same for one look, so that whoever writes has finished.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from posixpath import join

from isthmus.certificates.listing import lists
from isthmus.certificates.refreshing import Kind, Refresher, read_again, waits_for_file
from isthmus.certificates.store import CertificateStore
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_files import files_of
from isthmus.model.tls import Certificate
from isthmus.records import dataclass, field

State = tuple[tuple[int, ...] | None, ...]
"""What tells files from what they were before: their places and times; None where there is none."""
Key = tuple[Kind, str]
"""What is watched: its kind, and its name."""
Told = Callable[[str, bool], None]
"""Is told of a change in words, and whether something is wrong."""


@dataclass(slots=True)
class Watcher:
    """Looks at the files of a store every `delay` seconds.

    `began` are the certificates of the start, before anybody could replace one; `settled` are states that
    were dealt with, `noticed` those that may still change.
    """

    store: CertificateStore
    told: Told
    delay: float
    began: Mapping[str, Certificate | None]
    settled: dict[Key, State] = field(default_factory=dict)
    noticed: dict[Key, State] = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        await asyncio.to_thread(self.begin)
        while True:
            await asyncio.sleep(self.delay)
            try:
                self.look(await asyncio.to_thread(self.states))
            except Exception as error:
                # Whatever a file system does, the next look may find it well.
                self.told(f"Files of TLS cannot be looked at: {error}", True)

    def begin(self) -> None:
        """Take certificates as they are, but for those that have changed since they were read.

        Everything else is read once more: it may have changed between the start and now, too.
        """
        states = self.states()
        for name, held in self.began.items():
            key = (Kind.CERTIFICATE, name)
            if held is not None and key in states and self._is_as_read(held):
                self.settled[key] = states[key]

    def _is_as_read(self, held: Certificate) -> bool:
        if waits_for_file(held, self.store.world):
            return True
        try:
            return read_again(held, self.store.world) == held
        except RefusedError:
            return False

    def states(self) -> dict[Key, State]:
        """Return the states of everything that is watched."""
        return {key: tuple(map(_state, paths)) for key, paths in self._watched()}

    def _watched(self) -> Iterator[tuple[Key, tuple[str, ...]]]:
        for name, held in self.store.certificates.all().items():
            if held is not None and held.files is not None:
                yield (Kind.CERTIFICATE, name), files_of(held.files)
        for name, each in lists(self.store.running.built.configuration).items():
            yield (Kind.FOLDER if each.folder else Kind.LIST, name), self._inside(name)
        for name in self.store.authorities.used():
            if not name.startswith("@"):
                yield (Kind.AUTHORITIES, name), self._inside(name)
        for name in self.store.revocations.used():
            yield (Kind.REVOCATIONS, name), (name,)

    def _inside(self, name: str) -> tuple[str, ...]:
        """Return a file, or a folder and the files in it."""
        return (name, *(join(name, each) for each in self.store.world.list_folder(name) or ()))

    def look(self, states: dict[Key, State]) -> None:
        """Deal with what has changed and then stayed the same."""
        ready: dict[Kind, list[str]] = {}
        for key, state in states.items():
            if self.settled.get(key) == state:
                self.noticed.pop(key, None)
            elif self.noticed.get(key) == state:
                del self.noticed[key]
                self.settled[key] = state
                ready.setdefault(key[0], []).append(key[1])
            else:
                self.noticed[key] = state
        for gone in self.settled.keys() - states.keys():
            del self.settled[gone]
        if ready:
            Refresher(self.store, self.told).refresh(ready)
            # What a folder or list has brought along was read just now.
            fresh = self.states()
            self.settled.update({key: fresh[key] for key in fresh.keys() - states.keys()})


def _state(path: str) -> tuple[int, ...] | None:
    """Return what tells a file from what stood in its place before; symbolic links are followed."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
