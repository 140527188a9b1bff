"""What a check says once it is connected, over a pair of sockets; the handshake is a stand-in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from isthmus.health.greeting import Greeting
from isthmus.health.outcome import Verdict


class Told:
    """A handshake that goes as it is told, and keeps what it was given."""

    def __init__(self, *steps: tuple[bytes, str]) -> None:
        self._steps = list(steps)
        self.given: list[bytes] = []

    def advance(self, received: bytes) -> tuple[bytes, str]:
        """Take the next step."""
        self.given.append(received)
        return self._steps.pop(0)

    def close(self) -> bytes:
        """Say goodbye."""
        return b"bye"


def said(greeting: Greeting, answers: Sequence[bytes] = (), *, closed: bool = False) -> tuple[object, bytes]:
    """What comes of a greeting, and what the server received of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        for each in answers:
            theirs.sendall(each)
        if closed:
            theirs.shutdown(socket.SHUT_WR)
        came = asyncio.run(greeting.say(ours))
        ours.shutdown(socket.SHUT_WR)
        return came, theirs.recv(4096)


@pytest.mark.parametrize(
    ("version", "sent"),
    [(0, b""), (1, b"PROXY UNKNOWN\r\n"), (2, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")],
)
def test_a_header_alone_passes_at_layer_4(version: int, sent: bytes) -> None:
    assert said(Greeting(version)) == ((Verdict.PASSED, ""), sent)


def test_a_handshake_follows_the_header_and_ends_in_order() -> None:
    handshake = Told((b"hello", "waits"), (b"finished", "done"))
    came, sent = said(Greeting(2, handshake), [b"answer"])
    assert came == (Verdict.TLS_PASSED, "")
    assert sent.endswith(b"\x20\0\0\0hellofinishedbye")
    assert handshake.given == [b"", b"answer"]


@pytest.mark.parametrize(
    ("state", "named", "info"),
    [
        ("failed", False, "SSL handshake failure"),
        ("misnamed", True, "Server presented an SSL certificate different from the expected one"),
        ("misnamed", False, "Server presented an SSL certificate different from the configured one"),
    ],
)
def test_a_refusal_is_told_with_its_alert(state: str, named: bool, info: str) -> None:
    came, sent = said(Greeting(0, Told((b"alert", state)), named))
    assert came == (Verdict.TLS_FAILED, info)
    assert sent == b"alert"


@pytest.mark.parametrize(
    ("never_local", "header"), [(False, b"\x20\0\0\0"), (True, b"\x21\0\0\0")], ids=["local", "forwarded"]
)
def test_a_header_of_version_2_says_local_unless_it_never_may(never_local: bool, header: bytes) -> None:
    came, sent = said(Greeting(2, never_local=never_local))
    assert came == (Verdict.PASSED, "")
    assert sent == b"\r\n\r\n\0\r\nQUIT\n" + header


def test_a_forwarded_header_has_the_connection_s_own_addresses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as ours:
        ours.connect(listener.getsockname())
        server, (_, port) = listener.accept()
        with server:
            ours.setblocking(False)
            asyncio.run(Greeting(2, never_local=True).say(ours))
            sent = server.recv(100)
            there = listener.getsockname()[1]
    addresses = bytes((127, 0, 0, 1)) * 2 + port.to_bytes(2) + there.to_bytes(2)
    assert sent == b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + addresses


def test_a_server_that_closes_in_between_has_failed() -> None:
    came, _ = said(Greeting(0, Told((b"hello", "waits"))), closed=True)
    assert came == (Verdict.TLS_FAILED, "SSL handshake failure")
