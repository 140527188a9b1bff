"""Plain services at work: each call in a thread, of which there are so many and no more.

The threads are daemons: one that a service holds for ever does not keep the process from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import cast

from isthmus.engine.service import Call, ServiceRequest
from isthmus.services import exchange
from isthmus.services.body import Body
from isthmus.services.loading import failure
from isthmus.services.problem import ClientGoneError
from isthmus.services.registry import Plain, Service
from isthmus.services.request import Request
from isthmus.services.response import Response

PATIENCE_MS = 60_000
"""How long one wait for the engine lasts; another follows. It only bounds a lost wake-up."""

Report = Callable[[ServiceRequest, str, BaseException], None]
"""Who is told of a service that failed: at which request, a line about it, and the error."""


class Threads:
    """Runs jobs in threads, which are made when they are needed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._made = 0

    def run(self, job: Callable[[], None]) -> None:
        """Run a job as soon as a thread is free. To be called from one thread."""
        self._jobs.put(job)
        if self._made < self._most and not self._idle.acquire(blocking=False):
            self._made += 1
            threading.Thread(target=self._work, name=f"service {self._made}", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                self._idle.release()
                job = self._jobs.get()
            job()


def answer(call: Call, said: ServiceRequest, service: Service, report: Report) -> None:
    """Ask a plain service, and give its answer away; the body of a job. Raises nothing."""
    if not call.begin():
        return
    try:
        body = Body(lambda most: _read(call, most))
        request = Request(body=body, **exchange.head(call, said))
        response = exchange.checked(cast(Plain, service.function)(request))
        _send(call, said.method, response)
        call.finish()
    except ClientGoneError:
        call.fail()
    except BaseException as error:
        call.fail()
        report(said, failure(error, service.function), error)


def _read(call: Call, most: int) -> bytes:
    with exchange.client_may_go():
        while True:
            piece = call.read(most, PATIENCE_MS)
            if piece is not None:
                return piece


def _send(call: Call, method: str, response: Response) -> None:
    whole = response.whole
    if not response.has_body(method):
        exchange.start(call, response)
        _close(response.body)
    elif whole is not None:
        exchange.start(call, response)
        _write(call, whole)
    else:
        parts = exchange.pieces(response.body)
        try:
            # What fails before the first piece is an error in the client's eyes, too.
            first = exchange.as_bytes(next(parts, b""))
            exchange.start(call, response)
            _write(call, first)
            for piece in parts:
                _write(call, exchange.as_bytes(piece))
        finally:
            _close(parts)


def _write(call: Call, data: bytes) -> None:
    """Give bytes away as the client takes them; none at all send the head."""
    with exchange.client_may_go():
        at = call.write(data, 0, PATIENCE_MS)
        while at < len(data):
            at += call.write(data, at, PATIENCE_MS)


def _close(body: object) -> None:
    """Let a generator clean up, and whatever else can be closed."""
    close = getattr(body, "close", None)
    if callable(close):
        with suppress(ClientGoneError):
            close()
