"""Tunnels of other protocols than WebSocket to servers of HTTP/2, from clients of both kinds (RFC 8441)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from h2.events import DataReceived, Event, RequestReceived
from h2.settings import SettingCodes

from . import proxy
from .h2_client import Client
from .http2_server import Peer, serving
from .http_lab import PREAMBLE
from .lab import Lab
from .wire import DEADLINE

SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  bind 127.0.0.1:<old>
  http-request del-header upgrade if {{ path_end /bare }}
  use_backend %[path,field(2,/)]
backend able
  server s 127.0.0.1:{able} proto h2
backend unable
  server s 127.0.0.1:{unable} proto h2
"""
CONNECT = {":method": "CONNECT", ":protocol": "foo"}
GET = {":method": "GET"}


class Origin:
    """A server that takes every tunnel, and answers whatever else it is asked with 204."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def answer(self, peer: Peer, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=headers):
                head = {str(name): str(value) for name, value in headers}
                self.asked.append({name: head[name] for name in head if name in (":method", ":protocol")})
                tunnel = head[":method"] == "CONNECT"
                peer.answer(stream, ((":status", "200" if tunnel else "204"),), b"", end=not tunnel)
            case DataReceived(stream_id=int(stream), data=bytes(data)):
                peer.h2.send_data(stream, b"echo " + data)
            case _:
                pass


@pytest.fixture
def origin() -> Origin:
    return Origin()


@pytest.fixture(params=["isthmus", "haproxy"])
def lab(
    request: pytest.FixtureRequest, origin: Origin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    program = proxy.candidate() if request.param == "isthmus" else proxy.reference()
    if program is None:
        pytest.skip(f"no {request.param} here")
    with ExitStack() as stack:
        able = {SettingCodes.ENABLE_CONNECT_PROTOCOL: 1}
        ports = {
            name: stack.enter_context(serving(origin.answer, lambda peer, said=said: peer.begin(said))).port
            for name, said in (("able", able), ("unable", {}))
        }
        folder = tmp_path_factory.mktemp(request.param)
        lab = Lab(program, folder / "lab", PREAMBLE + SITE.format(**ports), {})
        try:
            yield lab
        finally:
            lab.close()


def by_stream(lab: Lab, path: str) -> tuple[str, bytes]:
    """The status that a client of HTTP/2 gets, and what it hears in its tunnel."""
    with Client(socket.create_connection(("127.0.0.1", lab.ports["front"]), DEADLINE)) as client:
        stream = client.connect(path, protocol="foo")
        head = client.head(stream)
        if not head:
            return "reset", b""
        status = head[":status"]
        if status == "200":
            client.send(stream, b"hello")
            client.until(lambda: client.bodies.get(stream) == b"echo hello")
        return status, b"echo hello" if status == "200" else b""


def by_upgrade(lab: Lab, path: str, protocols: str) -> tuple[str, bytes]:
    """The same of a client of HTTP/1."""
    with socket.create_connection(("127.0.0.1", lab.ports["old"]), DEADLINE) as wire:
        fields = f"Host: a\r\nConnection: upgrade\r\nUpgrade: {protocols}\r\n\r\n"
        wire.sendall(f"GET {path} HTTP/1.1\r\n{fields}".encode())
        file = wire.makefile("rb")
        status = file.readline().split()[1].decode()
        while file.readline().strip():
            pass
        if status != "101":
            return status, b""
        wire.sendall(b"hello")
        return status, file.read(len(b"echo hello"))


def is_haproxy(lab: Lab) -> bool:
    return proxy.is_haproxy(lab.proxy.program)


def test_a_stream_asks_the_server_for_the_protocol(lab: Lab, origin: Origin) -> None:
    assert by_stream(lab, "/able/x") == ("200", b"echo hello")
    assert origin.asked == [CONNECT]


@pytest.mark.parametrize("protocols", ["foo", "foo, bar"])
def test_an_upgrade_asks_the_server_for_the_first_protocol(lab: Lab, origin: Origin, protocols: str) -> None:
    assert by_upgrade(lab, "/able/x", protocols) == ("101", b"echo hello")
    assert origin.asked == [CONNECT]


def test_what_the_server_does_not_allow_is_not_asked_of_it(lab: Lab, origin: Origin) -> None:
    """HAProxy gives the stream up, and refuses the upgrade, which may be passed over (RFC 9110, 7.8)."""
    haproxy = is_haproxy(lab)
    assert by_stream(lab, "/unable/x") == (("reset" if haproxy else "502"), b"")
    assert origin.asked == []
    assert by_upgrade(lab, "/unable/x", "foo") == (("502" if haproxy else "204"), b"")
    assert origin.asked == ([] if haproxy else [GET])


@pytest.mark.parametrize("protocols", ["h2c", "TLS/1.2"])
def test_what_is_spoken_on_connections_is_asked_for_on_no_stream(
    lab: Lab, origin: Origin, protocols: str
) -> None:
    """HAProxy asks for it (RFC 9113, 8.6)."""
    if not is_haproxy(lab):
        assert by_upgrade(lab, "/able/x", protocols) == ("204", b"")
        assert origin.asked == [GET]


def test_a_success_without_a_tunnel_is_never_taken_for_one(lab: Lab, origin: Origin) -> None:
    """Rules took Upgrade away: the server would answer an ordinary request."""
    if not is_haproxy(lab):
        assert by_stream(lab, "/able/bare") == ("502", b"")
        assert origin.asked == []
