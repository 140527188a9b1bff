"""Tunnels over streams: each direction ends by itself (RFC 9113, 8.5), and WebSockets wait for what a
server allows (RFC 8441, 3).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.settings import SettingCodes

from .h2_client import Client
from .http2_server import Peer, serving
from .http_lab import PREAMBLE
from .lab import Lab
from .wire import End, Origin

SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  use_backend h1 if {{ req.hdr(to) h1 }}
  use_backend h2 if {{ req.hdr(to) h2 first }}
backend h1
  server s <a>
backend h2
  server s 127.0.0.1:{port} proto h2
"""
# Far longer than the test waits.
PATIENT = PREAMBLE.replace("client 6s", "client 60s").replace("server 6s", "server 60s")
ALLOWS = SettingCodes.ENABLE_CONNECT_PROTOCOL
CONNECT = [(":method", "CONNECT"), (":authority", "site.test:443")]
WEBSOCKET = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "site.test"),
    ("sec-websocket-version", "13"),
]


def last_words(_: Origin, end: End) -> None:
    """An HTTP/1 origin that echoes, and says something more once its peer has ended."""
    heard = b""
    while b"\r\n\r\n" not in heard and (more := end.read(1)):
        heard += more
    end.send(b"HTTP/1.1 200 OK\r\n\r\n")
    end.send(b"heard " + end.read_end()[0] + b", bye")
    end.close()


def two_frames(peer: Peer) -> None:
    """The setting that counts stands in the second SETTINGS frame."""
    peer.begin({})
    peer.h2.update_settings({ALLOWS: 1})


def in_time(peer: Peer) -> None:
    """It stands in the first one, which is all that there is."""
    peer.begin({ALLOWS: 1})


def tunnels(peer: Peer, event: Event) -> None:
    """An HTTP/2 origin that does as `last_words`."""
    match event:
        case RequestReceived(stream_id=int(stream)):
            peer.h2.send_headers(stream, [(":status", "200")])
            if ("to", "first") in event.headers:
                peer.left[stream] = 0
        case StreamEnded(stream_id=int(stream)) if stream not in peer.left:
            peer.h2.send_data(stream, b"heard " + peer.data.get(stream, b"") + b", bye", end_stream=True)
        case DataReceived(stream_id=int(stream)) if stream in peer.left:
            # The last bytes and the end are one frame.
            peer.h2.send_data(stream, b"bye", end_stream=True)
        case _:
            pass


@pytest.fixture(scope="module", params=[0, 1], ids=["haproxy", "isthmus"])
def program(request: pytest.FixtureRequest, programs: tuple[str, str]) -> str:
    return programs[request.param]


@pytest.fixture
def lab_with(program: str, tmp_path: Path) -> Iterator[Callable[[Any], Lab]]:
    opened: list[Any] = []

    def make(prepare: Callable[[Peer], None]) -> Lab:
        server = serving(tunnels, prepare)
        port = server.__enter__().port
        opened.append(server)
        lab = Lab(program, tmp_path / "lab", PATIENT + SITE.format(port=port), {"a": last_words})
        opened.append(lab)
        return lab

    yield make
    for each in reversed(opened):
        if isinstance(each, Lab):
            each.close()
        else:
            each.__exit__(None, None, None)


def play(lab: Lab, asked: list[tuple[str, str]], to: str) -> tuple[str, bytes, bool]:
    """The status, all bytes, and whether the stream ended rather than being reset."""
    sock = socket.create_connection(("127.0.0.1", lab.ports["front"]))
    with Client(sock) as client:
        stream = client.request([*asked, ("to", to)], end=False)
        status = client.head(stream)[":status"]
        client.send(stream, b"hello")
        client.finish(stream)
        client.until(lambda: stream in client.ended or stream in client.reset)
        return status, client.body(stream), stream in client.ended and stream not in client.reset


@pytest.mark.parametrize("to", ["h1", "h2"])
def test_the_last_bytes_of_a_tunnel_come_behind_the_clients_end(
    lab_with: Callable[[Any], Lab], to: str
) -> None:
    assert play(lab_with(in_time), CONNECT, to) == ("200", b"heard hello, bye", True)


@pytest.mark.parametrize("prepare", [in_time, two_frames])
def test_a_websocket_ends_as_a_tunnel_and_waits_for_the_servers_settings(
    lab_with: Callable[[Any], Lab], prepare: Callable[[Peer], None]
) -> None:
    assert play(lab_with(prepare), WEBSOCKET, "h2") == ("200", b"heard hello, bye", True)


@pytest.mark.parametrize("asked", [CONNECT, WEBSOCKET], ids=["connect", "websocket"])
def test_a_server_may_end_first_with_its_last_bytes(
    lab_with: Callable[[Any], Lab], asked: list[tuple[str, str]]
) -> None:
    sock = socket.create_connection(("127.0.0.1", lab_with(in_time).ports["front"]))
    with Client(sock) as client:
        stream = client.request([*asked, ("to", "first")], end=False)
        assert client.head(stream)[":status"] == "200"
        client.send(stream, b"go")
        client.until(lambda: stream in client.ended)
        assert client.bodies[stream] == b"bye"
