"""Services for the tests of `use-service`; services.lua says the same for HAProxy where there is a twin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from isthmus.services import AsyncRequest, ClientGoneError, Request, Response, service

MEBIBYTE = b"x" * (1 << 20)


def note(request: Request | AsyncRequest, word: str) -> None:
    """Leave word in the file that the request names: what a service has seen, no client can tell."""
    with Path(request.query["note"]).open("a") as file:
        file.write(word + "\n")


@service("hello")
def hello(_request: Request) -> Response:
    return Response(body=b"hello")


@service("pieces")
def pieces(_request: Request) -> Response:
    return Response(body=(b"hel", b"lo"))


@service("created")
def created(_request: Request) -> Response:
    return Response(201, {"location": "/new"})


@service("echo")
def echo(request: Request) -> Response:
    return Response(200, {"x-path": request.path}, request.body.read())


@service("late")
def late(_request: Request) -> Response:
    time.sleep(0.4)
    return Response(body=b"late")


@service("broken")
def broken(_request: Request) -> Response:
    raise ValueError("on purpose")


@service("async-hello")
async def async_hello(_request: AsyncRequest) -> Response:
    await asyncio.sleep(0)
    return Response(body=b"hello")


@service("mirror")
def mirror(request: Request) -> Response:
    """What comes goes back, piece by piece."""
    return Response(body=request.body)


@service("async-mirror")
async def async_mirror(request: AsyncRequest) -> Response:
    return Response(body=request.body)


@service("count")
def count(request: Request) -> Response:
    """Reads slowly, and says how much came."""
    total = 0
    for piece in request.body:
        total += len(piece)
        time.sleep(0.0001)
    return Response(body=str(total))


@service("async-count")
async def async_count(request: AsyncRequest) -> Response:
    total = 0
    async for piece in request.body:
        total += len(piece)
    return Response(body=str(total))


@service("flood")
def flood(request: Request) -> Response:
    """So many mebibytes."""

    def made() -> Iterator[bytes]:
        for _ in range(int(request.query["n"])):
            if "note" in request.query:
                note(request, "piece")
            yield MEBIBYTE

    return Response(body=made())


@service("async-flood")
async def async_flood(request: AsyncRequest) -> Response:
    async def made() -> AsyncIterator[bytes]:
        for _ in range(int(request.query["n"])):
            yield MEBIBYTE

    return Response(body=made())


@service("broken-late")
def broken_late(_request: Request) -> Response:
    def made() -> Iterator[bytes]:
        yield b"hello"
        raise ValueError("on purpose")

    return Response(body=made())


@service("broken-first")
def broken_first(_request: Request) -> Response:
    def made() -> Iterator[bytes]:
        raise ValueError("on purpose")
        yield b""

    return Response(body=made())


@service("async-broken")
async def async_broken(_request: AsyncRequest) -> Response:
    raise ValueError("on purpose")


@service("no-answer")
def no_answer(_request: Request) -> Response:
    return None  # type: ignore[return-value]


@service("split")
def split(_request: Request) -> Response:
    return Response(200, {"x-a": "b\r\nx-c: d"}, b"")


@service("short")
def short(_request: Request) -> Response:
    return Response(200, {"content-length": "9"}, (b"short",))


@service("waits")
def waits(request: Request) -> Response:
    """Answers once the file that the request names is there."""
    while not Path(request.query["for"]).exists():
        if request.cancelled:
            raise ClientGoneError
        time.sleep(0.005)
    return Response(body=b"waited")


@service("async-waits")
async def async_waits(request: AsyncRequest) -> Response:
    while not Path(request.query["for"]).exists():
        await asyncio.sleep(0.005)
    return Response(body=b"waited")


@service("sleeps")
async def sleeps(request: AsyncRequest) -> Response:
    """Waits for ever, and leaves word of what ends it."""
    note(request, "began")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        note(request, "cancelled")
        raise
    return Response()


@service("ticks")
def ticks(request: Request) -> Response:
    """Says something again and again, and leaves word of what ends it."""

    def made() -> Iterator[bytes]:
        try:
            yield b""
            note(request, "began")
            while True:
                yield b"tick\n"
                time.sleep(0.01)
        finally:
            note(request, "closed")

    return Response(body=made())


@service("polls")
def polls(request: Request) -> Response:
    """Looks whether the client is still there, and leaves word when it is not."""
    note(request, "began")
    while not request.cancelled:
        time.sleep(0.01)
    note(request, "cancelled")
    return Response(body=b"for nobody")


@service("silent")
def silent(_request: Request) -> Response:
    threading.Event().wait()
    return Response()


@service("facts")
def facts(request: Request) -> Response:
    told = {
        "method": request.method,
        "target": request.target,
        "path": request.path,
        "query": request.query,
        "version": request.version,
        "fields": list(request.fields),
        "length": request.length,
        "source": request.source.ip if request.source else None,
        "destination": request.destination.port if request.destination else None,
        "src_netns": request.src_netns,
        "frontend": request.frontend,
        "backend": request.backend,
        "unique_id": request.unique_id,
        "remaining": 0 < request.remaining <= 60,
    }
    return Response(body=repr(told))
