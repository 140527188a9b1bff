"""What a service prints: a file of bounded size with one predecessor, and its last lines in memory."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

LARGEST = 1024 * 1024
"""Bytes of a log file before it becomes `.1`: it lies in memory (/run), and there may be hundreds."""
_TAIL = 4096
SHOWN_LINES = 12


class Log:
    """One service's log. Where it cannot be written (a full /run), the service runs all the same."""

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._path = path
        self._largest = largest
        self._tail = b""
        self._file = -1
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append what a service or hook printed."""
        self._tail = (self._tail + data)[-_TAIL:]
        with suppress(OSError):
            if self._file < 0:
                self._open()
            if self._size and self._size + len(data) > self._largest:
                self._rotate()
            os.write(self._file, data)
            self._size += len(data)

    def note(self, text: str) -> None:
        """Append a line of the supervisor's own, which is not taken for the service's words."""
        tail = self._tail
        self.write(f"-- {time.strftime('%Y-%m-%d %H:%M:%S')} isthmus: {text}\n".encode())
        self._tail = tail

    def forget(self) -> None:
        """Begin anew with the last lines: what comes now belongs to another attempt."""
        self._tail = b""

    def last(self) -> tuple[str, ...]:
        """Return the last lines of the service's own words."""
        return last_lines(self._tail)

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._file).st_size

    def _rotate(self) -> None:
        self.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._open()


def last_lines(data: bytes) -> tuple[str, ...]:
    """Return the last lines of some output, fit for a terminal."""
    text = data.decode("utf-8", "replace")
    lines = ["".join(c if c.isprintable() or c == "\t" else "?" for c in each) for each in text.splitlines()]
    return tuple(lines[-SHOWN_LINES:])
