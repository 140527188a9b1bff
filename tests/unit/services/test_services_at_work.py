"""Services at work on paper: plain ones in threads, async ones in the loop, and who is told of failures."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from paper_call import PaperCall

from isthmus.engine.service import ServiceRequest
from isthmus.services import AsyncRequest, ClientGoneError, Request, Response
from isthmus.services.host import Host
from isthmus.services.registry import BUILT_IN, Async, Plain, Service
from isthmus.services.tasks import Tasks
from isthmus.services.threads import Threads, answer

Told = list[tuple[str, BaseException]]


def plainly(call: PaperCall, function: Plain) -> Told:
    """Answer a call by a plain service; what was told of a failure."""
    told: Told = []

    def report(_said: ServiceRequest, why: str, error: BaseException) -> None:
        told.append((why, error))

    answer(call, call.asked, Service("python.a", function), report)
    return told


def in_loop(call: PaperCall, function: Async) -> Told:
    """The same by an async one."""
    told: Told = []

    def report(_said: ServiceRequest, why: str, error: BaseException) -> None:
        told.append((why, error))

    Tasks().run(call, call.asked, Service("python.a", function), report)
    assert call.over.wait(10)
    return told


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_whole_answer_is_given_away_as_its_room_allows() -> None:
    call = PaperCall(room=2)
    assert plainly(call, lambda _request: Response(body=b"abcde")) == []
    assert call.head is not None
    assert (call.head.status, call.head.fields) == (200, (("content-length", "5"),))
    assert (call.written, call.flushed, call.ended) == (b"abcde", 3, "whole")


def test_a_request_is_made_of_what_the_engine_tells() -> None:
    seen: list[Request] = []

    def function(request: Request) -> Response:
        seen.append(request)
        return Response(body=request.body)

    call = PaperCall(b"ab", b"c")
    assert plainly(call, function) == []
    (request,) = seen
    assert (request.path, request.query, request.src_netns) == ("/a b", {"x": "2", "y": ""}, "red")
    assert request.fields.all("accept") == ["x", "y"]
    assert (str(request.source), str(request.destination)) == ("192.0.2.1:4000", "[::1]:80")
    assert 0 < request.remaining <= 60
    assert call.written == b"abc"


def test_nothing_is_made_of_a_body_that_nobody_gets() -> None:
    closed: list[bool] = []

    def made() -> Iterator[bytes]:
        try:
            yield b"x"
        finally:
            closed.append(True)

    for method, status in (("HEAD", 200), ("GET", 204)):
        call = PaperCall(method=method)
        assert plainly(call, lambda _request, status=status: Response(status, body=made())) == []
        assert (call.written, call.ended) == (b"", "whole")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda _request: None, "a service returns a Response, not NoneType"),
        (lambda _request: Response(body=["text"]), "a piece of a body is bytes, not str"),
        (lambda _request: Response(body=5), "a body is bytes, str or an iterator of bytes, not int"),
        (lambda request: request.nothing, "object has no attribute 'nothing'"),
    ],
)
def test_a_failure_is_told_with_a_place_in_the_service(function: Plain, why: str) -> None:
    call = PaperCall()
    ((told, _error),) = plainly(call, function)
    assert why in told
    assert f"({__file__}:" in told
    assert (call.head, call.ended) == (None, "failed")


def test_only_an_async_service_can_answer_with_an_async_iterator() -> None:
    async def made() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    call = PaperCall()
    ((told, _error),) = plainly(call, lambda _request: Response(body=made()))
    assert "only an `async def` service" in told

    async def function(_request: AsyncRequest) -> Response:
        return Response(body=made())

    call = PaperCall()
    assert in_loop(call, function) == []
    assert (call.written, call.ended) == (b"abc", "whole")


def test_a_client_that_goes_is_nobodys_fault() -> None:
    call = PaperCall(b"ab")

    def function(request: Request) -> Response:
        call.left = True
        with pytest.raises(ClientGoneError):
            request.body.read()
        return Response(body=b"late")

    assert plainly(call, function) == []
    assert call.ended == "failed"
    waiting = PaperCall()
    waiting.left = True
    asked: list[Request] = []
    assert plainly(waiting, lambda request: asked.append(request) or Response()) == []
    assert asked == []


def test_an_async_service_whose_client_goes_is_cancelled_and_cleans_up() -> None:
    tasks = Tasks()
    began, told = threading.Event(), []
    word: list[str] = []

    async def function(_request: AsyncRequest) -> Response:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            word.append("cleaned")
        return Response()

    call = PaperCall(number=7)
    tasks.run(call, call.asked, Service("python.a", function), lambda *failure: told.append(failure))
    assert began.wait(10)
    assert call.watched
    call.left = True
    tasks.changed(7)
    assert call.over.wait(10)
    assert (word, told, call.ended) == (["cleaned"], [], "failed")
    tasks.changed(7)
    tasks.changed(8)


def test_an_async_service_waits_for_room_and_goes_on_when_it_is_told() -> None:
    tasks = Tasks()
    call = PaperCall(room=0, number=3)

    async def function(_request: AsyncRequest) -> Response:
        return Response(body=b"abc")

    tasks.run(call, call.asked, Service("python.a", function), lambda *_failure: None)
    until(lambda: call.flushed)
    assert not call.over.is_set()
    call.room = 3
    tasks.changed(3)
    assert call.over.wait(10)
    assert call.written == b"abc"


def test_threads_are_made_as_they_are_needed_and_no_more() -> None:
    pool = Threads(2)
    gate, running, most = threading.Event(), [], []

    def job() -> None:
        running.append(threading.current_thread().name)
        most.append(len(set(running)))
        gate.wait(10)

    for _ in range(5):
        pool.run(job)
    until(lambda: len(running) == 2)
    gate.set()
    until(lambda: len(running) == 5)
    assert len(set(running)) == 2


class PaperEngine:
    """Hands out what a test puts in."""

    def __init__(self) -> None:
        self.notices: list[list[PaperCall | int]] = []
        self.arrived = threading.Condition()
        self.stopped = False

    def put(self, *notices: PaperCall | int) -> None:
        with self.arrived:
            self.notices.append(list(notices))
            self.arrived.notify_all()

    def stop(self) -> None:
        with self.arrived:
            self.stopped = True
            self.arrived.notify_all()

    def calls(self, _timeout_ms: int) -> list[PaperCall | int] | None:
        with self.arrived:
            self.arrived.wait_for(lambda: self.notices or self.stopped)
            return self.notices.pop(0) if self.notices else None


def saying(word: bytes) -> dict[str, Service]:
    return {"python.a": Service("python.a", lambda _request: Response(body=word))}


def test_a_call_goes_to_the_services_of_the_plan_under_which_it_came() -> None:
    engine, told = PaperEngine(), []
    host = Host(engine, lambda *failure: told.append(failure[1]))  # type: ignore[arg-type]
    host.prepare(saying(b"one"))
    host.use(1)
    host.prepare(saying(b"two"))
    # The second plan may be in force before its number is known.
    calls = [PaperCall(generation=1), PaperCall(generation=2)]
    engine.put(*calls)
    for call, word in zip(calls, (b"one", b"two"), strict=True):
        assert call.over.wait(10)
        assert call.written == word
    host.use(2)
    host.prepare({})
    host.use(3)
    late = [PaperCall(generation=2), PaperCall(generation=3), PaperCall(generation=1)]
    engine.put(*late)
    for call in late:
        assert call.over.wait(10)
    assert [call.written for call in late] == [b"two", b"", b"one"]
    assert told == ["there is no such service any more"]
    engine.stop()


def test_a_built_in_service_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN, "about", Service("about", lambda _request: Response(body=b"us")))
    engine = PaperEngine()
    host = Host(engine, lambda *_failure: None)  # type: ignore[arg-type]
    host.prepare({})
    host.use(1)
    call = PaperCall(service="about")
    engine.put(call)
    assert call.over.wait(10)
    assert call.written == b"us"
    engine.stop()
