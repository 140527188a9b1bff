"""examples/services, as its README tells it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import Client, until
from .lab import Lab
from .proxy import candidate
from .wire import greets

EXAMPLE = Path(__file__).parents[2] / "examples" / "services"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    program = candidate()
    if program is None or "haproxy" in Path(program).name:
        pytest.skip("no isthmus beside this Python (make build)")
    text = (EXAMPLE / "site.cfg").read_text()
    assert "bind 127.0.0.1:8080\n" in text
    text = text.replace("python-load site.py", f"python-load {EXAMPLE}/site.py")
    lab = Lab(program, tmp_path / "lab", text.replace(":8080", ":<front>"), {"a": greets})
    yield lab
    lab.close()


def answer(lab: Lab, request: bytes) -> tuple[int, bytes]:
    client = Client(lab)
    client.send(request)
    client.read(1)
    (message,) = (each.normal(True, True, frozenset()) for each in client.messages())
    assert message.field("x-served-by") == ["isthmus"]
    return message.status, message.body


def test_it_greets(lab: Lab) -> None:
    got = answer(lab, b"GET /hello?name=you HTTP/1.1\r\nHost: a\r\n\r\n")
    assert got == (200, b"hello you, from nowhere in particular\n")


def test_it_tells_the_digest_of_what_it_gets(lab: Lab) -> None:
    sent = b"x" * 100_000
    head = b"PUT /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(sent)
    assert answer(lab, head + sent) == (200, hashlib.sha256(sent).hexdigest().encode() + b"\n")
    assert answer(lab, b"GET /digest HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 405


def test_it_tells_the_time_again_and_again(lab: Lab) -> None:
    client = Client(lab)
    client.send(b"GET /clock HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: client.end._receive(65536) and client.end.received.count(b"data: ") >= 2)
    assert b"content-type: text/event-stream\r\n" in client.end.received


def test_it_knows_nothing_else(lab: Lab) -> None:
    assert answer(lab, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 404
