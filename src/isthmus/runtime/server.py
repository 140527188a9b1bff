"""The runtime API's connections: reads lines, lets a session answer them, ends silent ones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress

from isthmus.runtime.instance import Instance
from isthmus.runtime.level import Level
from isthmus.runtime.session import Session
from isthmus.runtime.sockets import Opened

_LONGEST_LINE = 16384
"""Bytes; as in HAProxy, a command fits a buffer. A longer line ends the connection."""


class Server:
    """Serves the stats sockets of a process until it is closed."""

    def __init__(self, instance: Instance, opened: Sequence[Opened]) -> None:
        self._instance = instance
        self._opened = tuple(opened)
        self._accepting: list[asyncio.Task[None]] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(instance.settings.maxconn)

    def start(self) -> None:
        """Begin to accept. Needs a running loop."""
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(each), name=each.place) for each in self._opened]

    def close(self) -> None:
        """End every connection and close the sockets."""
        for task in (*self._accepting, *self._connections):
            task.cancel()
        for each in self._opened:
            each.close()

    async def _accept(self, opened: Opened) -> None:
        """Accept connections, no more at once than `stats maxconn`; others wait in the backlog."""
        loop = asyncio.get_running_loop()
        while True:
            # Room is taken only when somebody waits: a socket that nobody uses takes none from the others.
            await _readable(opened.socket)
            await self._room.acquire()
            try:
                connection, _ = opened.socket.accept()
            except OSError as error:
                self._room.release()
                # Out of descriptors, or a client that was gone before it was taken: neither ends the API.
                await asyncio.sleep(0 if isinstance(error, BlockingIOError) else 0.1)
                continue
            task = loop.create_task(self._serve(connection, Level.named(opened.said.level)))
            self._connections.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._room.release()

    async def _serve(self, connection: socket.socket, level: Level) -> None:
        """Serve one connection to its end, whatever its client does."""
        session = Session(self._instance, level, self._instance.settings.timeout / 1000)
        with connection, suppress(OSError, TimeoutError):
            connection.setblocking(False)
            await self._converse(connection, session)

    async def _converse(self, connection: socket.socket, session: Session) -> None:
        loop = asyncio.get_running_loop()
        pending = b""
        while True:
            async with asyncio.timeout(session.timeout or None):
                received = await loop.sock_recv(connection, _LONGEST_LINE)
            pending += received
            *lines, pending = pending.split(b"\n")
            if not received and pending:
                lines, pending = [*lines, pending], b""
            for line in lines:
                answer = session.answer(line.decode("utf-8", "surrogateescape"))
                async with asyncio.timeout(session.timeout or None):
                    await loop.sock_sendall(connection, answer.encode("utf-8", "surrogateescape"))
                if session.quitting:
                    return
            if not received or (lines and session.closing) or len(pending) > _LONGEST_LINE:
                return


async def _readable(listener: socket.socket) -> None:
    """Wait until somebody wants to connect."""
    loop = asyncio.get_running_loop()
    somebody = loop.create_future()
    loop.add_reader(listener, _tell, somebody)
    try:
        await somebody
    finally:
        loop.remove_reader(listener)


def _tell(somebody: asyncio.Future[None]) -> None:
    if not somebody.done():
        somebody.set_result(None)
