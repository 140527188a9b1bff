"""Servers of HTTP/2 that refuse, leave, stall or misbehave: what the client sees, what the server is told."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, WindowUpdated
from h2.settings import SettingCodes

from .http2_server import Acts, Peer, Server, serving
from .http_lab import GET, PREAMBLE, until
from .lab import Lab
from .wire import DEADLINE

SITE = """
listen l
  bind 127.0.0.1:<front>
  http-reuse {reuse}
  timeout server {timeout}
  server s 127.0.0.1:{port} proto h2
"""
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


class Client:
    """One connection of HTTP/1.1."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.heard = b""

    def ask(self, request: bytes = GET) -> int:
        """The status of the next response."""
        self.sock.sendall(request)
        return self.status()

    def status(self) -> int:
        """Reads one response: its status."""
        while b"\r\n\r\n" not in self.heard:
            self._more()
        head, _, rest = self.heard.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(rest) < length:
            self._more()
            rest = self.heard.partition(b"\r\n\r\n")[2]
        self.heard = rest[length:]
        return int(head.split()[1])

    def _more(self) -> None:
        piece = self.sock.recv(65536)
        if not piece:
            raise EOFError(self.heard)
        self.heard += piece


@contextmanager
def before(
    program: str, folder: Path, server: Server, reuse: str = "always", timeout: str = "10s"
) -> Iterator[Lab]:
    config = PREAMBLE + SITE.format(port=server.port, reuse=reuse, timeout=timeout)
    lab = Lab(program, folder / "isthmus", config, {})
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture
def program(programs: tuple[str, str]) -> str:
    return programs[1]


def answers(peer: Peer, event: Event) -> None:
    """Answers each request once it is whole."""
    match event:
        case StreamEnded(stream_id=int(stream)):
            peer.answer(stream)


def played(program: str, folder: Path, acts: Acts, *requests: bytes) -> tuple[list[int], Server]:
    """The statuses of requests over one connection of a client's."""
    with serving(acts) as server, before(program, folder, server) as lab:
        client = Client(lab.ports["front"])
        statuses = [client.ask(request) for request in requests]
        client.sock.close()
        return statuses, server


def test_what_a_server_refused_unseen_is_sent_again_whatever_the_method(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=1):
                peer.h2.reset_stream(1, ErrorCodes.REFUSED_STREAM)
            case _:
                answers(peer, event)

    statuses, server = played(program, tmp_path, acts, POST)
    assert statuses == [200]
    assert [peer.requests for peer in server.peers] == [[1, 3]]


def test_what_a_server_that_leaves_did_not_see_goes_over_another_connection(
    program: str, tmp_path: Path
) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded() if peer.number == 0:
                peer.h2.close_connection(last_stream_id=0)
            case _:
                answers(peer, event)

    statuses, server = played(program, tmp_path, acts, POST)
    assert statuses == [200]
    assert [peer.requests for peer in server.peers] == [[1], [1]]


def test_a_request_that_is_refused_twice_is_not_tried_for_ever(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=int(stream)):
                peer.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)

    statuses, server = played(program, tmp_path, acts, POST)
    assert statuses == [502]
    assert [peer.requests for peer in server.peers] == [[1, 3]]


def test_a_stream_that_fails_fails_alone(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=1):
                peer.h2.reset_stream(1, ErrorCodes.INTERNAL_ERROR)
            case _:
                answers(peer, event)

    statuses, server = played(program, tmp_path, acts, POST, GET)
    assert statuses == [502, 200]
    assert [peer.requests for peer in server.peers] == [[1, 3]]


def test_a_connection_that_is_being_left_serves_no_new_request(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=int(stream)):
                peer.sock.sendall(b"\0\0\x08\x07\0\0\0\0\0" + struct.pack("!II", stream, 0))
                peer.answer(stream)

    statuses, server = played(program, tmp_path, acts, GET, GET)
    assert statuses == [200, 200]
    assert [peer.requests for peer in server.peers] == [[1], [1]]
    # The proxy ends what it has no use for.
    assert all(peer.ended.wait(DEADLINE) for peer in server.peers)


def test_no_more_streams_are_opened_than_the_server_allows(program: str, tmp_path: Path) -> None:
    held = threading.Event()

    def prepare(peer: Peer) -> None:
        peer.begin({SettingCodes.MAX_CONCURRENT_STREAMS: 1})

    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=3) if peer.number == 0:
                threading.Thread(target=late, args=(peer,), daemon=True).start()
            case _:
                answers(peer, event)

    def late(peer: Peer) -> None:
        held.wait(DEADLINE)
        peer.answer(3)

    with serving(acts, prepare) as server, before(program, tmp_path, server) as lab:
        one, other = (Client(lab.ports["front"]) for _ in range(2))
        assert one.ask() == 200
        one.sock.sendall(GET)
        until(lambda: server.peers[0].requests == [1, 3])
        assert other.ask() == 200
        held.set()
        assert one.status() == 200
        assert [peer.requests for peer in server.peers] == [[1, 3], [1]]


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 64, b""])
def test_a_server_that_speaks_something_else_is_a_bad_gateway(
    program: str, tmp_path: Path, said: bytes
) -> None:
    def prepare(peer: Peer) -> None:
        peer.sock.sendall(said)
        peer.sock.shutdown(socket.SHUT_WR)

    with serving(answers, prepare) as server, before(program, tmp_path, server) as lab:
        assert Client(lab.ports["front"]).ask(POST) == 502


def test_a_pushed_stream_ends_the_connection(program: str, tmp_path: Path) -> None:
    promise = b"\0\0\4\5\4\0\0\0\1\0\0\0\2"

    def acts(peer: Peer, event: Event) -> None:
        match event:
            case RequestReceived():
                peer.sock.sendall(promise)

    statuses, server = played(program, tmp_path, acts, POST)
    assert statuses == [502]
    assert server.peers[0].ended.wait(DEADLINE)


def test_a_body_goes_as_far_as_the_servers_window(program: str, tmp_path: Path) -> None:
    def prepare(peer: Peer) -> None:
        peer.begin({SettingCodes.INITIAL_WINDOW_SIZE: 1000})

    body = bytes(range(256)) * 400
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving(answers, prepare) as server, before(program, tmp_path, server) as lab:
        client = Client(lab.ports["front"])
        assert [client.ask(), client.ask(request)] == [200, 200]
        assert server.peers[0].data[3] == body


def never_the_first(peer: Peer, event: Event) -> None:
    match event:
        case StreamEnded(stream_id=1):
            pass
        case _:
            answers(peer, event)


def test_no_answer_waits_for_an_acknowledgement(program: str, tmp_path: Path) -> None:
    """With Nagle's algorithm each request would wait 40 ms behind the update of a window before it."""

    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=int(stream)):
                peer.left[stream] = 65536
                peer.h2.send_headers(stream, ((":status", "200"), ("content-length", "65536")))
                peer.go_on()
            case WindowUpdated():
                peer.go_on()

    with serving(acts) as server, before(program, tmp_path, server) as lab:
        client = Client(lab.ports["front"])
        began = time.monotonic()
        assert [client.ask() for _ in range(100)] == [200] * 100
        assert time.monotonic() - began < 3.5


def test_an_answer_that_is_late_is_cancelled_and_the_connection_goes_on(program: str, tmp_path: Path) -> None:
    with serving(never_the_first) as server, before(program, tmp_path, server, timeout="1s") as lab:
        late, other = (Client(lab.ports["front"]) for _ in range(2))
        late.sock.sendall(GET)
        until(lambda: server.peers and server.peers[0].requests == [1])
        until(lambda: other.ask() == 200 and server.peers[0].resets)
        assert late.status() == 504
        assert server.peers[0].resets == {1: ErrorCodes.CANCEL}
        assert len(server.peers) == 1


def test_a_server_that_is_silent_is_asked_over_another_connection(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        if peer.number > 0:
            answers(peer, event)

    with serving(acts) as server, before(program, tmp_path, server, timeout="300ms") as lab:
        client = Client(lab.ports["front"])
        assert [client.ask(), Client(lab.ports["front"]).ask()] == [504, 200]
        assert [peer.requests for peer in server.peers] == [[1], [1]]
        assert server.peers[0].ended.wait(DEADLINE)


def test_a_client_that_leaves_cancels_its_stream_alone(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=1):
                peer.answer(1, ((":status", "200"),), b"so far", end=False)
            case _:
                answers(peer, event)

    with serving(acts) as server, before(program, tmp_path, server) as lab:
        client = Client(lab.ports["front"])
        client.sock.sendall(GET)
        while b"so far" not in client.heard:
            client._more()
        # A reset: a FIN alone says only that no more is asked.
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sock.close()
        until(lambda: server.peers[0].resets == {1: ErrorCodes.CANCEL})
        assert Client(lab.ports["front"]).ask() == 200
        assert [peer.requests for peer in server.peers] == [[1, 3]]


def test_an_answer_that_is_shorter_than_it_says_is_cut(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case StreamEnded(stream_id=int(stream)):
                headers = ((":status", "200"), ("content-length", "9"))
                peer.h2.send_headers(stream, headers)
                peer.h2.send_data(stream, b"ok", end_stream=True)

    with serving(acts) as server, before(program, tmp_path, server) as lab:
        client = Client(lab.ports["front"])
        client.sock.sendall(GET)
        with pytest.raises((EOFError, ConnectionError)):
            client.status()
        assert server.peers[0].requests == [1]


def test_answers_before_the_body_is_whole_reach_the_client(program: str, tmp_path: Path) -> None:
    def acts(peer: Peer, event: Event) -> None:
        match event:
            case DataReceived(stream_id=int(stream)) if stream not in peer.resets:
                peer.answer(stream, ((":status", "413"), ("content-length", "0")), b"")
                peer.h2.reset_stream(stream, ErrorCodes.NO_ERROR)
                peer.resets[stream] = 0

    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc"
    statuses, _ = played(program, tmp_path, acts, request)
    assert statuses == [413]
