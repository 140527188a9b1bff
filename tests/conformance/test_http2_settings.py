"""Peers that never acknowledge SETTINGS (RFC 9113, section 6.5.3): noticed on both sides, within a time."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, Event, RequestReceived
from hpack import Encoder

from .h2_client import Client
from .http2_server import Peer, serving
from .http_lab import PREAMBLE, until
from .lab import Lab
from .test_http2 import GO_AWAY, PREFACE, SETTINGS, frames
from .test_http2_odd_servers import Client as OldClient
from .wire import DEADLINE, End, Origin

SITE = """
listen l
  bind 127.0.0.1:<front> proto h2
  timeout client {client}
  timeout http-request 5s
  server s <a>
"""
SERVER = """
listen l
  bind 127.0.0.1:<front>
  http-reuse always
  timeout server {server}
  server s 127.0.0.1:{port} proto h2
"""
HEADERS = 1
END_BOTH = 5
ACKNOWLEDGEMENT = b"\0\0\0\4\1\0\0\0\0"
REQUEST = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]


def head(stream: int) -> bytes:
    block = Encoder().encode(REQUEST)
    return len(block).to_bytes(3) + bytes((HEADERS, END_BOTH)) + stream.to_bytes(4) + block


def silent(_origin: Origin, end: End) -> None:
    """Takes what comes, and never answers."""
    end.read_end()


def told(sock: socket.socket) -> list[int]:
    """The error codes of the GOAWAY frames that came until the other side closed."""
    sock.settimeout(DEADLINE)
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            heard += piece
    return [int.from_bytes(payload[4:8]) for kind, _, payload in frames(heard) if kind == GO_AWAY]


def test_a_client_that_never_acknowledges_settings_is_told_so(program: str, tmp_path: Path) -> None:
    lab = Lab(program, tmp_path / "lab", PREAMBLE + SITE.format(client="400ms"), {"a": silent})
    try:
        with Client(socket.create_connection(("127.0.0.1", lab.ports["front"]))) as sound:
            # A request is under way, so that no other timeout of the clients' is running.
            stream = sound.request([(name, value) for name, value in REQUEST])
            late = socket.create_connection(("127.0.0.1", lab.ports["front"]))
            late.sendall(PREFACE + SETTINGS + head(1))
            assert told(late) == [ErrorCodes.SETTINGS_TIMEOUT]
            # Who came before, and has acknowledged them, is waited for.
            sound.ping()
            assert sound.gone is None
            assert stream not in sound.reset
        late.close()
    finally:
        lab.close()


def test_a_client_that_says_nothing_else_is_told_so(program: str, tmp_path: Path) -> None:
    lab = Lab(program, tmp_path / "lab", PREAMBLE + SITE.format(client="300ms"), {"a": silent})
    try:
        late = socket.create_connection(("127.0.0.1", lab.ports["front"]))
        late.sendall(PREFACE + SETTINGS)
        assert told(late) == [ErrorCodes.SETTINGS_TIMEOUT]
        until(lambda: any(" ts=PR" in line.message for line in lab.log.everything()))
        late.close()
    finally:
        lab.close()


def test_a_server_that_never_acknowledges_settings_is_told_so(program: str, tmp_path: Path) -> None:
    gone: dict[int, int] = {}

    def forgets(peer: Peer) -> None:
        peer.begin({})

        def flush() -> None:
            data = peer.h2.data_to_send().replace(ACKNOWLEDGEMENT, b"")
            with contextlib.suppress(OSError):
                peer.sock.sendall(data)

        if peer.number == 0:
            peer.flush = flush  # type: ignore[method-assign]

    def answers(peer: Peer, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                peer.answer(stream)
            case ConnectionTerminated(error_code=code):
                gone[peer.number] = int(code or 0)

    with serving(answers, forgets) as server:
        config = PREAMBLE + SERVER.format(server="400ms", port=server.port)
        lab = Lab(program, tmp_path / "lab", config, {})
        try:
            client = OldClient(lab.ports["front"])
            assert client.ask() == 200
            until(lambda: gone == {0: ErrorCodes.SETTINGS_TIMEOUT})
            # The next one acknowledges, and stays.
            assert [client.ask(), client.ask()] == [200, 200]
            assert (len(server.peers), gone) == (2, {0: ErrorCodes.SETTINGS_TIMEOUT})
        finally:
            lab.close()
