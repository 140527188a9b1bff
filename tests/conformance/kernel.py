"""What the kernel says of a proxy's sockets: duplicates of them (pidfd_getfd(2)) tell their options."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

# The system call has this number on every architecture of Linux; Python has no name for it.
PIDFD_GETFD = 438
# Constants that Python's socket module lacks.
TCP_FASTOPEN_CONNECT = 30
IP_TRANSPARENT = 19
TCP_NOTSENT_LOWAT = 25

# How each option is called in the cases, and where it is found.
OPTIONS = {
    "defer": (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT),
    "tfo": (socket.IPPROTO_TCP, socket.TCP_FASTOPEN),
    "tfo-connect": (socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    "mss": (socket.IPPROTO_TCP, socket.TCP_MAXSEG),
    "user-timeout": (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
    "nodelay": (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    "keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    "probes": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    "idle": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    "interval": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    "transparent": (socket.IPPROTO_IP, IP_TRANSPARENT),
    "unsent": (socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT),
    "v6only": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}


def sockets(pid: int) -> Iterator[socket.socket]:
    """Every socket of a process, as a descriptor of our own to the same socket."""
    pidfd = os.pidfd_open(pid)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                kind = os.readlink(entry)
            except FileNotFoundError:
                continue
            if not kind.startswith("socket:"):
                continue
            fd = libc.syscall(PIDFD_GETFD, pidfd, int(entry.name), 0)
            if fd >= 0:
                with socket.socket(fileno=fd) as found:
                    yield found
    finally:
        os.close(pidfd)


def _is_listener(found: socket.socket) -> bool:
    return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _inet(found: socket.socket) -> bool:
    return found.family in (socket.AF_INET, socket.AF_INET6)


def _asked(
    pid: int, which: Callable[[socket.socket], bool], options: tuple[str, ...]
) -> list[dict[str, object]]:
    seen: list[dict[str, object]] = []
    for found in sockets(pid):
        if _inet(found) and found.type == socket.SOCK_STREAM and which(found):
            seen.append({name: _value(found, name) for name in options})
    return seen


def _value(found: socket.socket, name: str) -> object:
    if name == "device":
        return found.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0").decode()
    if name == "congestion":
        return found.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
    if name == "v6only" and found.family != socket.AF_INET6:
        return None
    return found.getsockopt(*OPTIONS[name])


def listeners(pid: int, port: int, *options: str) -> list[dict[str, object]]:
    """The options of every socket that listens on a port."""
    return _asked(pid, lambda found: _is_listener(found) and found.getsockname()[1] == port, options)


def accepted(pid: int, port: int, *options: str) -> list[dict[str, object]]:
    """The options of every connection that a client made to a port."""
    return _asked(pid, lambda found: not _is_listener(found) and found.getsockname()[1] == port, options)


def connected(pid: int, port: int, *options: str) -> list[dict[str, object]]:
    """The options of every connection made to an origin's port."""
    return _asked(pid, lambda found: not _is_listener(found) and _peer_port(found) == port, options)


def _peer_port(found: socket.socket) -> int:
    try:
        return int(found.getpeername()[1])
    except OSError:
        return 0
