"""Opening the supervisor's socket, so that a network has one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path


class AlreadyThere(Exception):  # noqa: N818 (nothing is wrong)
    """Somebody listens already."""


def connect(path: Path) -> socket.socket | None:
    """Connect to a supervisor's socket; None where nobody listens on it. OSError where one may not."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        line.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        line.close()
        return None
    except OSError:
        line.close()
        raise
    return line


def listen(path: Path) -> socket.socket:
    """Listen on a socket that only our user may connect to; AlreadyThere, or OSError."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Two that find the same stale socket must not each remove the other's new one.
        fcntl.flock(folder, fcntl.LOCK_EX)
        there = connect(path)
        if there is not None:
            there.close()
            raise AlreadyThere
        path.unlink(missing_ok=True)
        return _bind(path)
    finally:
        os.close(folder)


def _bind(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener
