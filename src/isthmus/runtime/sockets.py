"""Opening the sockets of `stats socket` lines, each in its namespace and with its access rights."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress

from isthmus.model.address import Abstract, Descriptor, Inet, SocketPair, Unix
from isthmus.plan import CommandSocket
from isthmus.records import dataclass

SocketMaker = Callable[[str, int, int], int]
"""Returns the descriptor of a fresh non-blocking socket in a namespace, by file, family and kind."""
_DEFAULT_BACKLOG = 64


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket that listens, with the line that asked for it. `inode` tells its file from a later one's."""

    said: CommandSocket
    socket: socket.socket
    inode: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """The address as configurations write it."""
        match self.said.address:
            case Unix(path):
                return f"unix@{path}"
            case Abstract(name):
                return f"abns@{name}"
            case Descriptor(number) | SocketPair(number):
                return f"fd@{number}"
            case Inet():
                host, port = self.socket.getsockname()[:2]
                return f"ipv6@[{host}]:{port}" if ":" in host else f"ipv4@{host}:{port}"

    def close(self) -> None:
        """Close the socket, and remove its file unless another process put its own there."""
        self.socket.close()
        if isinstance(self.said.address, Unix) and self.inode is not None:
            with suppress(OSError):
                if _inode(self.said.address.path) == self.inode:
                    os.unlink(self.said.address.path)


def open_socket(said: CommandSocket, make_socket: SocketMaker) -> Opened:
    """Open one stats socket. Raises OSError."""
    match said.address:
        case Unix(path):
            return _open_file(said, path, make_socket)
        case Abstract(name, zero_terminated):
            raw = b"\0" + os.fsencode(name)
            made = _make(said, socket.AF_UNIX, make_socket)
            return _listen(said, made, raw if zero_terminated else raw.ljust(108, b"\0"))
        case Inet(ip, port):
            made = _make(said, socket.AF_INET if ip.version == 4 else socket.AF_INET6, make_socket)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return _listen(said, made, (str(ip), port))
        case Descriptor(number):
            given = socket.socket(fileno=os.dup(number))
            # Who opened it may have left it blocking: an accept(2) would stop the whole control plane.
            given.setblocking(False)
            return Opened(said, given)
        case SocketPair():
            raise OSError("a stats socket cannot be a sockpair@")


def _make(said: CommandSocket, family: int, make_socket: SocketMaker) -> socket.socket:
    if said.namespace is None:
        return socket.socket(family, socket.SOCK_STREAM)
    return socket.socket(
        family, socket.SOCK_STREAM, fileno=make_socket(said.namespace.path, family, socket.SOCK_STREAM)
    )


def _listen(said: CommandSocket, made: socket.socket, place: tuple[str, int] | bytes | str) -> Opened:
    try:
        made.bind(place)
        made.listen(said.backlog or _DEFAULT_BACKLOG)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return Opened(said, made)


def _open_file(said: CommandSocket, path: str, make_socket: SocketMaker) -> Opened:
    """Bind under a passing name and move it over: no moment is without a socket or with wrong rights."""
    passing = f"{path}.{os.getpid()}.tmp"
    with suppress(FileNotFoundError):
        os.unlink(passing)
    opened = _listen(said, _make(said, socket.AF_UNIX, make_socket), passing)
    try:
        if said.mode is not None:
            os.chmod(passing, said.mode)
        if said.uid is not None or said.gid is not None:
            os.chown(passing, -1 if said.uid is None else said.uid, -1 if said.gid is None else said.gid)
        inode = _inode(passing)
        os.rename(passing, path)
    except OSError:
        opened.close()
        with suppress(OSError):
            os.unlink(passing)
        raise
    return Opened(said, opened.socket, inode)


def _inode(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino
