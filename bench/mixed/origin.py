"""The origin of the mixed load: it answers by the request's path and counts every request by its number.

/plain /chunked /close   an answer of that framing; /close also ends the connection
/reset                   the connection is reset once the request was read
/upload                  the body is read to its end first
"""

from __future__ import annotations

import asyncio
import collections
import re
import socket
import struct

_LENGTH = re.compile(rb"^content-length: (\d+)", re.MULTILINE)
_NUMBER = re.compile(rb"^x-number: (\S+)", re.MULTILINE)


class Origin:
    """Serves connections of the running loop, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: collections.Counter[str] = collections.Counter()
        self.malformed: list[bytes] = []
        self.connections = 0

    async def start(self) -> int:
        """Listen on a free port of the loopback, and return it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 17)
        self._server = server
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Listen no longer."""
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # The other end left, or the load is over.
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        number = _NUMBER.search(head)
        if number is None:
            self.malformed.append(head)
            return False
        path = head.split(b" ", 2)[1]
        self.seen[number.group(1).decode()] += 1
        length = _LENGTH.search(head)
        if length:
            await reader.readexactly(int(length.group(1)))
        if path == b"/reset":
            reset(writer)
            return False
        writer.write(_answer(path, number.group(1)))
        await writer.drain()
        return path != b"/close"


def _answer(path: bytes, number: bytes) -> bytes:
    body = number + b" " + b"x" * 2000
    if path == b"/chunked":
        framed = b"%x;ext=1\r\n%s\r\n0\r\nx-trailer: a\r\n\r\n" % (len(body), body)
        return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed
    close = b"connection: close\r\n" if path == b"/close" else b""
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s" % (len(body), close, body)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
