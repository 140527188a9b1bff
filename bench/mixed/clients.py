"""The clients of the mixed load: each keeps a kind of behaviour, and tells what it was answered."""

from __future__ import annotations

import asyncio
import collections
import random
from collections.abc import Awaitable, Callable

from origin import reset

PATIENCE = 30
_BAD = (
    b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
)


class Clients:
    """Sends requests with numbers of their own until told to stop."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._next = 0
        self.answered: collections.Counter[str] = collections.Counter()
        self.sent: set[str] = set()
        self.faults: list[str] = []
        self.done: collections.Counter[str] = collections.Counter()

    async def run(self, stopping: asyncio.Event) -> None:
        """Behave in one way after the other."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.kept, self.closed, self.pipelined, self.uploaded) * 5,
            *(self.aborted, self.slow, self.server_resets, self.client_resets) * 2,
            self.malformed,
        ]
        while not stopping.is_set():
            kind = self._random.choice(kinds)
            try:
                await asyncio.wait_for(kind(), PATIENCE)
                self.done[kind.__name__] += 1
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as fault:
                self.faults.append(f"{kind.__name__}: {type(fault).__name__} {fault}")

    def _number(self) -> str:
        self._next += 1
        number = f"{self._random.getrandbits(64):016x}-{self._next}"
        self.sent.add(number)
        return number

    def _request(self, path: str, body: bytes | None = None, more: str = "") -> tuple[str, bytes]:
        number = self._number()
        method, length = ("GET", "") if body is None else ("POST", f"Content-Length: {len(body)}\r\n")
        head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nX-Number: {number}\r\n{length}{more}\r\n"
        return number, head.encode() + (body or b"")

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 17)

    async def _expect(self, reader: asyncio.StreamReader, number: str, status: int = 200) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        found = int(head.split(b" ", 2)[1])
        body = await _body(reader, head)
        if found != status:
            self.faults.append(f"status {found} where {status} is expected: {body[:80]!r}")
        elif status == 200:
            self.answered[number] += 1
            if body.split(b" ")[0].decode() != number or len(body) < 2000:
                self.faults.append(f"{number} was answered with {body[:60]!r}")

    async def kept(self) -> None:
        """Ten requests one after the other over one connection."""
        reader, writer = await self._open()
        for _ in range(10):
            path = self._random.choice(("/plain", "/chunked", "/close"))
            number, request = self._request(path)
            writer.write(request)
            await self._expect(reader, number)
        writer.close()

    async def closed(self) -> None:
        """One request that asks for the end of the connection."""
        reader, writer = await self._open()
        number, request = self._request("/plain", more="Connection: close\r\n")
        writer.write(request)
        await self._expect(reader, number)
        if await reader.read(1):
            self.faults.append("bytes behind the last answer")
        writer.close()

    async def pipelined(self) -> None:
        """Five requests in one write."""
        reader, writer = await self._open()
        pairs = [self._request("/plain") for _ in range(5)]
        writer.write(b"".join(request for _, request in pairs))
        for number, _ in pairs:
            await self._expect(reader, number)
        writer.close()

    async def uploaded(self) -> None:
        """A body of up to 100 kB."""
        reader, writer = await self._open()
        number, request = self._request("/upload", b"b" * self._random.randrange(100_000))
        writer.write(request)
        await self._expect(reader, number)
        writer.close()

    async def aborted(self) -> None:
        """Half of a body, then the end."""
        _, writer = await self._open()
        _, request = self._request("/upload", b"b" * 50_000)
        writer.write(request[: len(request) // 2])
        await writer.drain()
        writer.close()

    async def client_resets(self) -> None:
        """A request, and a reset before the answer can be there."""
        _, writer = await self._open()
        _, request = self._request("/plain")
        writer.write(request)
        await writer.drain()
        reset(writer)

    async def slow(self) -> None:
        """A head byte by byte."""
        reader, writer = await self._open()
        number, request = self._request("/plain")
        for at in range(len(request)):
            writer.write(request[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        await self._expect(reader, number)
        writer.close()

    async def server_resets(self) -> None:
        """The server resets once it has read the request, which is not sent to it again."""
        reader, writer = await self._open()
        number, request = self._request("/reset", b"x")
        writer.write(request)
        await self._expect(reader, number, 502)
        writer.close()

    async def malformed(self) -> None:
        """What is no request is refused, and the connection closed."""
        reader, writer = await self._open()
        writer.write(self._random.choice(_BAD))
        answer = await reader.read()
        if not answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 422 ")):
            self.faults.append(f"malformed: {answer[:60]!r}")
        writer.close()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.split(b":")[1]))
    found = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        found += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()) != b"\r\n":
        pass
    return found
