"""The pipe between a process and the log that keeps what it prints."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from isthmus.network.services.logs import Log

_CHUNK = 65536
_LAST_CHUNKS = 16
"""Reads at the end. A full pipe takes one; what somebody still writes to it must not keep us for ever."""


class Output:
    """Copies until every holder of the writing end is gone, which may be after the process's end."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._reading, self.writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reading, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    def started(self) -> None:
        """Close our copy of the writing end: the child has its own."""
        os.close(self.writing)

    def close(self) -> None:
        """Read what is there and listen no longer."""
        for _ in range(_LAST_CHUNKS):
            if not self._read():
                break
        if self._reading >= 0:
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
            self._reading = -1

    def _read(self) -> bool:
        """Copy a piece; False where there is none now."""
        if self._reading < 0:
            return False
        data = b""
        with suppress(BlockingIOError):
            data = os.read(self._reading, _CHUNK)
            if not data:
                asyncio.get_running_loop().remove_reader(self._reading)
                os.close(self._reading)
                self._reading = -1
        if data:
            self._log.write(data)
        return bool(data)
