"""Malformed messages sent live: never two requests where one was sent, and nothing behind a refusal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import proxy
from .http_lab import GET, OK, PREAMBLE, Client, Heard, until
from .http_message import Parsed, split_requests
from .lab import Lab
from .malformed import Row, rows
from .wire import End, Origin, dial

CONFIG = """
frontend strict
  bind 127.0.0.1:<strict>
  default_backend strict
frontend unsafe
  bind 127.0.0.1:<unsafe>
  option accept-unsafe-violations-in-http-request
  default_backend unsafe
backend strict
  http-reuse never
  server s <a>
backend unsafe
  http-reuse never
  option accept-unsafe-violations-in-http-response
  server s <a>
"""


# tune.bufsize
BUFFER = 16384


class Recorder:
    """Answers each request that it finds, and keeps what came; what it says can be set."""

    def __init__(self) -> None:
        self.reply = OK
        self.closes = False

    def __call__(self, _origin: Origin, end: End) -> None:
        answered = 0
        while chunk := end.sock.recv(65536):
            end.received += chunk
            whole = sum(request.whole for request in split_requests(end.received))
            while answered < whole:
                answered += 1
                end.sock.sendall(self.reply)
                if self.closes:
                    end.finish()
        end.left = "FIN"
        end.close()


class Live:
    """One Isthmus for all the messages."""

    def __init__(self, program: str, folder: Path) -> None:
        self.recorder = Recorder()
        self.lab = Lab(program, folder, PREAMBLE + CONFIG, {"a": self.recorder})

    def client(self, row: Row) -> Client:
        return Client(self.lab, "unsafe" if row.kind.endswith("-unsafe") else "strict")

    def accepted(self) -> int:
        """How many connections the origin has had: those that were made before this call are counted."""
        ends = self.lab.origin().ends
        marker = dial(("127.0.0.1", self.lab.origin().port))
        until(lambda: any(end.peer == marker.local for end in ends))
        marker.close()
        return len(ends)

    def requests(self, before: int) -> list[Parsed]:
        """The requests that reached the origin over connections made since `before`."""
        return [each for end in self.lab.origin().ends[before:] for each in split_requests(end.received)]

    def cpu_ticks(self) -> int:
        """The processor time that the proxy has used."""
        cells = Path(f"/proc/{self.lab.proxy.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(cells[11]) + int(cells[12])


@pytest.fixture(scope="module")
def live(programs: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    if proxy.is_haproxy(programs[1]):
        pytest.skip("the table holds HAProxy's verdicts already")
    live = Live(programs[1], tmp_path_factory.mktemp("smuggling") / "isthmus")
    yield live
    live.lab.close()


def params(*kinds: str) -> list[object]:
    """Rows as cases. What begins HTTP/2 is none: that is spoken there (test_http2.py)."""
    every = (row for kind in kinds for row in rows(kind))
    return [pytest.param(row, id=row.label) for row in every if row.haproxy != ("h2",)]


@pytest.mark.parametrize("row", params("req", "req-unsafe"))
def test_a_request_passes_or_is_refused_as_its_row_says(live: Live, row: Row) -> None:
    live.recorder.reply, live.recorder.closes = OK, False
    before = live.accepted()
    client = live.client(row)
    client.send(row.data)
    if row.refused:
        # The proxy ends the connection: the client does not.
        client.end.read_end()
    else:
        if row.data.startswith(b"CONNECT"):
            # Its answer has no end.
            client.play([Heard(OK[-6:])])
        else:
            client.read(row.passes)
        client.last()
    statuses = [message.normal(True, True, frozenset()).status for message in client.messages()]
    client.end.close()
    assert statuses[: row.passes] == [200] * row.passes
    refusals = statuses[row.passes :]
    assert all(status in (400, 408, 413, 414, 422, 431, 501, 505) for status in refusals), statuses
    assert len(refusals) == (1 if row.refused else len(refusals)) <= 1
    reached = live.requests(before)
    assert sum(request.whole for request in reached) == row.passes
    if row.refused:
        # Of a body that is longer than a buffer the beginning is on its way before its end is seen.
        parts = len(reached) - row.passes
        assert parts <= (len(row.data) > BUFFER), f"a part of what was refused reached the origin: {reached}"


@pytest.mark.parametrize("row", params("res", "res-unsafe"))
def test_a_response_passes_or_is_refused_as_its_row_says(live: Live, row: Row) -> None:
    live.recorder.reply, live.recorder.closes = row.data, True
    client = live.client(row)
    client.send(GET)
    client.read(row.passes if not row.refused else 1)
    client.last()
    messages = [message.normal(True, True, frozenset()) for message in client.messages()]
    client.end.close()
    if row.refused:
        assert [message.status for message in messages] == [502]
        assert messages[0].body == b"<page>"
    elif "more" not in row.ours:
        statuses = [str(message.status).zfill(3) for message in messages]
        assert statuses == list(row.haproxy)


def test_the_proxy_idles_after_refusals(live: Live) -> None:
    clients: list[Client] = []
    for row in rows("req"):
        if row.refused and len(clients) < 60:
            clients.append(live.client(row))
            clients[-1].send(row.data)
    for client in clients:
        client.end.read_end()
    per_second = os.sysconf("SC_CLK_TCK")

    def is_idle() -> bool:
        # A window to measure in, not a wait for something to happen.
        before, began = live.cpu_ticks(), time.monotonic()
        until(lambda: time.monotonic() - began > 0.5)
        return live.cpu_ticks() - before <= per_second * 0.05

    until(is_idle)
    for client in clients:
        client.end.close()
