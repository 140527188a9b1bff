"""A call on paper: what a service says is kept, and its room and its client are the test's to change."""

from __future__ import annotations

import threading

import msgspec

from isthmus.engine.service import ServiceHead, ServiceRequest

REQUEST = ServiceRequest(
    service="python.a",
    generation=1,
    method="GET",
    target="/a%20b?x=1&x=2&y=",
    version="HTTP/1.1",
    fields=(("host", "a"), ("accept", "x"), ("accept", "y")),
    length=0,
    source=("192.0.2.1", 4000),
    destination=("::1", 80),
    src_netns="red",
    frontend="f",
    backend="",
    unique_id="",
    patience=60_000,
)


class PaperCall:
    """What the engine hands out, as Python sees it."""

    def __init__(self, *body: bytes, room: int = 1 << 20, number: int = 1, **changes: object) -> None:
        self.number = number
        self.asked = msgspec.structs.replace(REQUEST, **changes)
        self.body = list(body)
        self.room = room
        self.left = False
        self.head: ServiceHead | None = None
        self.written = b""
        self.flushed = 0
        self.ended: str | None = None
        self.over = threading.Event()
        self.begun = self.watched = False

    def request(self) -> bytes:
        return msgspec.json.encode(self.asked)

    def begin(self) -> bool:
        self.begun = True
        return not self.left

    def watch(self) -> None:
        self.watched = True

    def seen(self) -> None:
        pass

    def gone(self) -> bool:
        return self.left

    def read(self, most: int, _timeout_ms: int) -> bytes | None:
        self._still_there()
        if not self.body:
            return b""
        piece, rest = self.body[0][:most], self.body[0][most:]
        self.body[:1] = [rest] if rest else []
        return piece

    def start(self, head: bytes) -> None:
        self._still_there()
        self.head = msgspec.json.decode(head, type=ServiceHead)

    def write(self, data: bytes, offset: int, _timeout_ms: int) -> int:
        self._still_there()
        self.flushed += 1
        took = data[offset : offset + self.room]
        self.written += took
        return len(took)

    def finish(self) -> None:
        self._end("whole")

    def fail(self) -> None:
        self._end("failed")

    def _end(self, how: str) -> None:
        self.ended = self.ended or how
        self.over.set()

    def _still_there(self) -> None:
        if self.left:
            raise BrokenPipeError
