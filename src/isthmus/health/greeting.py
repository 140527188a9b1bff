"""What a check says once it is connected: a PROXY header, and the handshake of TLS. Reads no clock."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address

from isthmus.engine import Handshake
from isthmus.health.outcome import Verdict

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_LOCAL = _SIGNATURE + b"\x20\0\0\0"
"""A header of PROXY version 2 that says the connection is the proxy's own (`LOCAL`)."""
_PORTION = 16 * 1024
_REFUSED = "SSL handshake failure"
_MISNAMED = "Server presented an SSL certificate different from the {} one"


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a check says: a header of this version (0: none), then a handshake, if there is one.

    `named` says that the handshake sends a name, which the certificate must have; `never_local` that a header
    of version 2 claims to be of a forwarded connection, for servers that take no other.
    """

    header: int = 0
    handshake: Handshake | None = None
    named: bool = False
    never_local: bool = False

    @property
    def shakes_hands(self) -> bool:
        """Whether there is a handshake, behind which the connection is closed in order."""
        return self.handshake is not None

    @property
    def late(self) -> Verdict:
        """What it means where time runs out."""
        return Verdict.TLS_TIMEOUT if self.shakes_hands else Verdict.TIMEOUT

    async def say(self, connection: socket.socket) -> tuple[Verdict, str]:
        """Greet a server that is connected, and return what came of it. Raises OSError of the header."""
        loop = asyncio.get_running_loop()
        if self.header:
            await loop.sock_sendall(connection, self._header(connection))
        if self.handshake is None:
            return Verdict.PASSED, ""
        try:
            return await self._shake_hands(connection, self.handshake)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            word = f" ({os.strerror(error.errno)})" if error.errno else ""
            return Verdict.TLS_FAILED, _REFUSED + word

    def _header(self, connection: socket.socket) -> bytes:
        """Return the PROXY header."""
        if self.header == 2:
            return _forwarded(connection) if self.never_local else _LOCAL
        return _proxy_line(connection)

    async def _shake_hands(self, connection: socket.socket, handshake: Handshake) -> tuple[Verdict, str]:
        loop = asyncio.get_running_loop()
        received = b""
        while True:
            out, state = handshake.advance(received)
            if out:
                await loop.sock_sendall(connection, out)
            if state == "waits":
                received = await loop.sock_recv(connection, _PORTION)
                if received:
                    continue
            if state == "done":
                await loop.sock_sendall(connection, handshake.close())
                return Verdict.TLS_PASSED, ""
            if state == "misnamed":
                return Verdict.TLS_FAILED, _MISNAMED.format("expected" if self.named else "configured")
            return Verdict.TLS_FAILED, _REFUSED


def _proxy_line(connection: socket.socket) -> bytes:
    """Return the header of PROXY version 1 with the connection's own addresses."""
    if connection.family == socket.AF_UNIX:
        return b"PROXY UNKNOWN\r\n"
    here, there = connection.getsockname(), connection.getpeername()
    family = "TCP4" if connection.family == socket.AF_INET else "TCP6"
    return f"PROXY {family} {here[0]} {there[0]} {here[1]} {there[1]}\r\n".encode()


def _forwarded(connection: socket.socket) -> bytes:
    """Return the header of PROXY version 2 with the connection's own addresses (PROXY protocol, 2.2)."""
    if connection.family == socket.AF_UNIX:
        return _SIGNATURE + b"\x21\0\0\0"
    here, there = connection.getsockname(), connection.getpeername()
    addresses = b"".join(ip_address(each[0].partition("%")[0]).packed for each in (here, there))
    family = b"\x11" if connection.family == socket.AF_INET else b"\x21"
    block = addresses + struct.pack(">HH", here[1], there[1])
    return _SIGNATURE + b"\x21" + family + struct.pack(">H", len(block)) + block


NO_GREETING = Greeting()
"""To connect is all."""
