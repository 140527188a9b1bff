"""A small HTTP origin that says who it is, and the client that asks it.

Both speak just enough HTTP/1.0 for curl to understand one and for the other to understand any origin.
"""

import asyncio
import os
from pathlib import Path

import msgspec

# What a lab's own machine may take for one answer through two proxies; generous, since nothing here
# measures time and a busy machine is no failure.
ANSWER_SECONDS = 10.0
_LONGEST_REQUEST = 8192


class Answer(msgspec.Struct, frozen=True):
    """What an origin tells about itself and about the connection that it answers on."""

    tenant: str
    server: str
    client: str
    namespace: str


class Fetched(msgspec.Struct, frozen=True):
    """What a client got: an answer, or why it got none."""

    answer: Answer | None = None
    failure: str = ""


def current_namespace() -> str:
    """Tell the kernel's name of the network namespace that this process is in: `net:[4026531840]`."""
    return str(Path("/proc/self/ns/net").readlink())


async def start_origin(tenant: str, address: str, port: int) -> asyncio.Server:
    """Start answering on address:port of the current network namespace."""
    namespace = current_namespace()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await reader.readuntil(b"\r\n\r\n")
                said = Answer(tenant, _end(writer, "sockname"), _end(writer, "peername"), namespace)
                writer.write(_response(msgspec.json.encode(said) + b"\n"))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # a client that leaves or babbles gets no answer, and it is the client that tells
        finally:
            writer.close()

    return await asyncio.start_server(answer, address, port, limit=_LONGEST_REQUEST)


def _end(writer: asyncio.StreamWriter, which: str) -> str:
    host, port = writer.get_extra_info(which)[:2]
    return f"{host}:{port}"


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def fetch(address: str, port: int) -> Fetched:
    """Ask whatever stands at address:port, from the current network namespace, who it is."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _fetch(address, port)
    except TimeoutError:
        return Fetched(failure=f"no answer within {ANSWER_SECONDS:g} s")
    except OSError as error:
        # asyncio's own text for a refused connection does not say that it was refused.
        return Fetched(failure=os.strerror(error.errno) if error.errno else str(error))


async def _fetch(address: str, port: int) -> Fetched:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(f"GET / HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        await writer.drain()
        response = await reader.read()
    finally:
        writer.close()
    if not response:
        return Fetched(failure="closed without an answer")
    body = response.partition(b"\r\n\r\n")[2]
    try:
        return Fetched(answer=msgspec.json.decode(body, type=Answer))
    except msgspec.DecodeError:
        return Fetched(failure=f"not an origin's answer: {response[:60]!r}")


async def fetch_all(targets: list[tuple[str, int]]) -> list[Fetched]:
    """Ask all of them at once; the answers come in the order of the targets."""
    return list(await asyncio.gather(*(fetch(address, port) for address, port in targets)))
