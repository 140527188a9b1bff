"""`async def` services at work: tasks of one event loop, in a thread of its own.

Nothing here waits for the engine: a task that has to is told by the engine when it may go on. A task whose
client has gone is cancelled.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

from isthmus.engine.service import Call, ServiceRequest
from isthmus.records import dataclass, field
from isthmus.services import exchange
from isthmus.services.body import AsyncBody
from isthmus.services.loading import failure
from isthmus.services.problem import ClientGoneError
from isthmus.services.registry import Async, Service
from isthmus.services.request import AsyncRequest
from isthmus.services.response import Response
from isthmus.services.threads import Report


@dataclass(slots=True)
class _Running:
    """A call and the task that answers it."""

    call: Call
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Tasks:
    """Runs calls in an event loop, which begins with the first of them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[int, _Running] = {}

    def run(self, call: Call, said: ServiceRequest, service: Service, report: Report) -> None:
        """Begin a task. To be called from one thread."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="services", daemon=True).start()
        self._loop.call_soon_threadsafe(self._begin, call, said, service, report)

    def changed(self, number: int) -> None:
        """Tell a task that something has changed at its call."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed, number)

    def _begin(self, call: Call, said: ServiceRequest, service: Service, report: Report) -> None:
        call.watch()
        if not call.begin():
            return
        running = self._running[call.number] = _Running(call)
        running.task = asyncio.get_running_loop().create_task(_answer(running, said, service, report))
        running.task.add_done_callback(lambda _task: self._running.pop(call.number, None))

    def _changed(self, number: int) -> None:
        running = self._running.get(number)
        if running is None:
            return
        running.call.seen()
        running.changed.set()
        if running.call.gone() and running.task is not None:
            running.task.cancel()


async def _answer(running: _Running, said: ServiceRequest, service: Service, report: Report) -> None:
    call = running.call
    try:
        body = AsyncBody(lambda most: _read(running, most))
        request = AsyncRequest(body=body, **exchange.head(call, said))
        response = exchange.checked(await cast(Async, service.function)(request))
        await _send(running, said.method, response)
        call.finish()
    except (ClientGoneError, asyncio.CancelledError) as error:
        call.fail()
        # A service that cancels itself has failed; one whose client went has not.
        if isinstance(error, asyncio.CancelledError) and not call.gone():
            report(said, failure(error, service.function), error)
    except BaseException as error:
        call.fail()
        report(said, failure(error, service.function), error)


async def _read(running: _Running, most: int) -> bytes:
    with exchange.client_may_go():
        while True:
            running.changed.clear()
            piece = running.call.read(most, 0)
            if piece is not None:
                return piece
            await running.changed.wait()


async def _send(running: _Running, method: str, response: Response) -> None:
    whole = response.whole
    if whole is not None or not response.has_body(method):
        exchange.start(running.call, response)
        if whole is not None and response.has_body(method):
            await _write(running, whole)
        return
    parts = _parts(response.body)
    try:
        # What fails before the first piece is an error in the client's eyes, too.
        first = exchange.as_bytes(await anext(parts, b""))
        exchange.start(running.call, response)
        await _write(running, first)
        async for piece in parts:
            await _write(running, exchange.as_bytes(piece))
    finally:
        close = getattr(parts, "aclose", None)
        if callable(close):
            await close()


def _parts(body: object) -> AsyncIterator[object]:
    return aiter(body) if isinstance(body, AsyncIterable) else _in_place(body)


async def _in_place(body: object) -> AsyncIterator[object]:
    for piece in exchange.pieces(body):
        yield piece


async def _write(running: _Running, data: bytes) -> None:
    """Give bytes away as the client takes them; none at all send the head."""
    with exchange.client_may_go():
        at = 0
        while True:
            running.changed.clear()
            at += running.call.write(data, at, 0)
            if at >= len(data):
                return
            await running.changed.wait()
