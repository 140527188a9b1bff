"""One name server: questions to it by UDP and TCP, each from a socket of its own, in its namespace."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import fields

import dns.message

from isthmus.model.resolvers import Carriage, Nameserver
from isthmus.records import dataclass
from isthmus.resolve.messages import Outcome, Status, read

SocketMaker = Callable[[str, int, int], int]
"""Returns the descriptor of a fresh non-blocking socket in a namespace, by file, family and kind."""

_LARGEST = 65535


@dataclass(slots=True)
class Counters:
    """What `show resolvers` tells of a name server, in the order in which it does."""

    sent: int = 0
    snd_error: int = 0
    valid: int = 0
    update: int = 0
    cname: int = 0
    cname_error: int = 0
    any_err: int = 0
    nx: int = 0
    timeout: int = 0
    refused: int = 0
    other: int = 0
    invalid: int = 0
    too_big: int = 0
    truncated: int = 0
    outdated: int = 0

    def rows(self) -> list[tuple[str, int]]:
        """Return every counter by its name."""
        return [(each.name, getattr(self, each.name)) for each in fields(self)]


_COUNTED = {Status.EMPTY: "any_err"}


class Server:
    """A name server at work."""

    def __init__(self, said: Nameserver, make_socket: SocketMaker) -> None:
        self.said = said
        self.counters = Counters()
        self._make_socket = make_socket

    async def ask(self, question: dns.message.QueryMessage) -> Outcome:
        """Ask, and return what is answered. Waits for ever where nothing is: the caller gives up."""
        try:
            return self._counted(await self._ask(question))
        except (OSError, EOFError):
            # Who cannot be reached is as good as one that is silent: others may still answer.
            self.counters.snd_error += 1
            await asyncio.get_running_loop().create_future()
            raise AssertionError("nobody sets this future") from None
        except asyncio.CancelledError:
            raise

    def late(self) -> None:
        """Count a question that was not answered in time."""
        self.counters.timeout += 1

    async def _ask(self, question: dns.message.QueryMessage) -> Outcome:
        if self.said.carriage is Carriage.TCP:
            return await self._over_tcp(question)
        outcome = await self._over_udp(question)
        if outcome.status is Status.TRUNCATED and self.said.carriage is Carriage.EITHER:
            self.counters.truncated += 1
            return await self._over_tcp(question)
        return outcome

    async def _over_udp(self, question: dns.message.QueryMessage) -> Outcome:
        loop = asyncio.get_running_loop()
        with self._socket(socket.SOCK_DGRAM) as connection:
            # Connected, so that the kernel lets nothing in from anybody else.
            await loop.sock_connect(connection, self._place)
            await loop.sock_sendall(connection, question.to_wire())
            self.counters.sent += 1
            while True:
                outcome = read(question, await loop.sock_recv(connection, _LARGEST))
                if outcome is not None:
                    return outcome
                self.counters.invalid += 1

    async def _over_tcp(self, question: dns.message.QueryMessage) -> Outcome:
        loop = asyncio.get_running_loop()
        with self._socket(socket.SOCK_STREAM) as connection:
            await loop.sock_connect(connection, self._place)
            wire = question.to_wire()
            await loop.sock_sendall(connection, struct.pack("!H", len(wire)) + wire)
            self.counters.sent += 1
            while True:
                size: int = struct.unpack("!H", await _exactly(connection, 2))[0]
                outcome = read(question, await _exactly(connection, size))
                if outcome is not None:
                    return outcome
                self.counters.invalid += 1

    @property
    def _place(self) -> tuple[str, int]:
        return str(self.said.ip), self.said.port

    def _socket(self, kind: int) -> socket.socket:
        family = socket.AF_INET if self.said.ip.version == 4 else socket.AF_INET6
        if self.said.namespace is None:
            made = socket.socket(family, kind | socket.SOCK_CLOEXEC)
        else:
            descriptor = self._make_socket(self.said.namespace.path, family, kind)
            made = socket.socket(family, kind, fileno=descriptor)
        made.setblocking(False)
        return made

    def _counted(self, outcome: Outcome) -> Outcome:
        name = _COUNTED.get(outcome.status, outcome.status.value)
        setattr(self.counters, name, getattr(self.counters, name) + 1)
        return outcome


async def _exactly(connection: socket.socket, size: int) -> bytes:
    """Return so many bytes; raises EOFError where the other side ends before."""
    loop = asyncio.get_running_loop()
    held = bytearray()
    while len(held) < size:
        piece = await loop.sock_recv(connection, size - len(held))
        if not piece:
            raise EOFError
        held += piece
    return bytes(held)
