"""Listeners of our own, put where nothing listens while a network's expectations are checked.

To whoever comes they tell who they are and what address they see, so that an answer from elsewhere
is not taken for theirs. All of them are served by one thread, and closed when the check ends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import selectors
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from types import TracebackType

from isthmus.network.expecting.echo import FAMILY
from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.spaces import Space

FLOOD = b"flood"
"""A datagram that begins so is counted and not answered."""

_KIND = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_BLOCK = 1 << 18
_TURN = 0.1


class Listener:
    """One listening socket; `received` counts the bytes that came, from everybody."""

    def __init__(self, bound: socket.socket) -> None:
        self.identity = secrets.token_hex(8)
        self.received = 0
        self.bound = bound
        self.inode = os.fstat(bound.fileno()).st_ino

    @property
    def port(self) -> int:
        """The port, also where it was left to the kernel."""
        port: int = self.bound.getsockname()[1]
        return port

    def greeting(self, peer: str) -> bytes:
        """Say what a client is told: who answers it, and what its address looks like from here."""
        return f"isthmus {self.identity} {peer}\n".encode()


class Occupied:
    """Why there is no listener of ours: something else listens (`taken`), or none may be put there."""

    def __init__(self, error: OSError) -> None:
        self.taken = error.errno == errno.EADDRINUSE


def read_greeting(text: bytes) -> tuple[str, IpAddress] | None:
    """Return the listener's identity and the address it sees; None where it is no greeting."""
    words = text.decode(errors="replace").split()
    if len(words) != 3 or words[0] != "isthmus":
        return None
    try:
        seen = ip_address(words[2])
    except ValueError:
        return None
    mapped = seen.ipv4_mapped if isinstance(seen, IPv6Address) else None
    return words[1], mapped or seen


_Key = tuple[Path, str, IpAddress, int]


class Listeners:
    """The listeners of one check; two expectations about one place share one."""

    def __init__(self) -> None:
        self._places: dict[_Key, Listener | Occupied] = {}
        self._lock = threading.Lock()
        self._ending = False
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._serve, name="isthmus-listeners", daemon=True)

    def __enter__(self) -> Listeners:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def at(self, space: Space, protocol: str, address: IpAddress, port: int) -> Listener | Occupied:
        """Return our listener at a place in a namespace, opening it if need be; port 0 is a fresh one."""
        place = (space.net, protocol, address, port)
        with self._lock:
            found = self._places.get(place) if port else None
            if found is None:
                found = self._places[place] = self._open(space, protocol, address, port)
            return found

    @property
    def inodes(self) -> frozenset[int]:
        """What tells our listeners from services in the kernel's tables."""
        with self._lock:
            return frozenset(each.inode for each in self._places.values() if isinstance(each, Listener))

    def _open(self, space: Space, protocol: str, address: IpAddress, port: int) -> Listener | Occupied:
        made = None
        try:
            made = space.call(socket.socket, FAMILY[address.version], _KIND[protocol])
            if protocol == "tcp":
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((str(address), port))
            if protocol == "tcp":
                made.listen(128)
        except OSError as error:
            if made is not None:
                made.close()
            return Occupied(error)
        made.setblocking(False)
        listener = Listener(made)
        self._watch(
            made, (lambda: self._accept(listener)) if protocol == "tcp" else (lambda: _answer(listener))
        )
        return listener

    def _watch(self, watched: socket.socket, act: Callable[[], None]) -> None:
        self._selector.register(watched, selectors.EVENT_READ, act)

    def _serve(self) -> None:
        while not self._ending:
            for key, _ in self._selector.select(_TURN):
                with contextlib.suppress(OSError):
                    key.data()

    def _accept(self, listener: Listener) -> None:
        connection, peer = listener.bound.accept()
        connection.setblocking(False)
        self._watch(connection, lambda: self._drain(listener, connection))
        connection.send(listener.greeting(peer[0].partition("%")[0]))

    def _drain(self, listener: Listener, connection: socket.socket) -> None:
        try:
            count = len(connection.recv(_BLOCK))
        except BlockingIOError:
            return
        except OSError:
            count = 0
        listener.received += count
        if not count:
            self._selector.unregister(connection)
            connection.close()


def _answer(listener: Listener) -> None:
    data, peer = listener.bound.recvfrom(65535)
    listener.received += len(data)
    if not data.startswith(FLOOD):
        listener.bound.sendto(listener.greeting(peer[0].partition("%")[0]), peer)
