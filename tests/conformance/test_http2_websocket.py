"""WebSockets over HTTP/2 by extended CONNECT (RFC 8441), to an origin that is Python's websockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest
from tls_certificates import Maker
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from . import proxy
from .h2_client import Client, WebSocket
from .http_lab import PREAMBLE
from .lab import Lab

SITE = """
frontend clear
  bind 127.0.0.1:<front> proto h2
  http-request deny deny_status 403 if {{ path /denied }}
  http-request set-header x-seen %[method]-%[path]
  default_backend b
frontend secret
  bind 127.0.0.1:<secret> ssl crt {folder}/ec.pem alpn h2
  default_backend b
backend b
  timeout tunnel 5s
  server s 127.0.0.1:{port}
"""
BIG = "all work and no play " * 20_000


class Origin:
    """A WebSocket server that echoes, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._server: Server = serve(
            self._echo,
            "127.0.0.1",
            0,
            process_request=self._judge,
            select_subprotocol=lambda _, offered: offered[-1] if offered else None,
            max_size=2**24,
            ping_interval=None,
            compression=None,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if request.path == "/refused":
            return connection.respond(418, "no tea\n")
        return None

    def _echo(self, connection: ServerConnection) -> None:
        # A client that is gone without a word is no failure here.
        with suppress(ConnectionClosed):
            for message in connection:
                if message == "leave":
                    connection.close(4000, "as you wish")
                    return
                connection.send(message)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    origin = Origin()
    yield origin
    origin.close()


@pytest.fixture(scope="module", params=["isthmus", "haproxy"])
def lab(
    request: pytest.FixtureRequest, origin: Origin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    program = proxy.candidate() if request.param == "isthmus" else proxy.reference()
    if program is None:
        pytest.skip(f"no {request.param} here")
    folder = tmp_path_factory.mktemp(request.param)
    Maker(folder).make()
    lab = Lab(program, folder / "lab", PREAMBLE + SITE.format(port=origin.port, folder=folder), {})
    yield lab
    lab.close()


@contextmanager
def client(lab: Lab, *, secret: bool = False) -> Iterator[Client]:
    port = lab.ports["secret" if secret else "front"]
    sock: socket.socket = socket.create_connection(("127.0.0.1", port))
    if secret:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        sock = context.wrap_socket(sock)
    with Client(sock) as connected:
        yield connected


def opened(of: Client, path: str = "/chat") -> WebSocket:
    stream = of.connect(path)
    assert of.head(stream)[":status"] == "200"
    return WebSocket(of, stream)


@pytest.mark.parametrize("secret", [False, True], ids=["clear", "tls"])
def test_a_websocket_goes_through_a_stream(lab: Lab, origin: Origin, secret: bool) -> None:
    with client(lab, secret=secret) as connected:
        assert connected.connects
        talk = opened(connected, "/chat?room=1")
        talk.say("hello")
        assert talk.hear() == ("text", b"hello")
        talk.ping(b"there?")
        assert talk.hear() == ("pong", b"there?")
        talk.close()
        assert talk.hear() == ("close", b"\x03\xe8")
        connected.until(lambda: talk.stream in connected.ended)
    asked = origin.requests[-1]
    assert (asked.path, asked.headers["Host"], asked.headers["Upgrade"]) == (
        "/chat?room=1",
        "site.test",
        "websocket",
    )
    assert len(asked.headers["Sec-WebSocket-Key"]) == 24


def test_large_messages_keep_to_the_windows(lab: Lab) -> None:
    with client(lab) as connected:
        talk = opened(connected)
        talk.say(BIG)
        assert talk.hear() == ("text", BIG.encode())


def test_websockets_and_requests_share_a_connection(lab: Lab) -> None:
    with client(lab) as connected:
        talks = [opened(connected) for _ in range(8)]
        fields = [(":method", "GET"), (":scheme", "http"), (":path", "/refused"), (":authority", "a")]
        plain = connected.request(fields)
        for at, talk in enumerate(talks):
            talk.say(f"message {at}")
        assert connected.head(plain)[":status"] == "418"
        assert connected.body(plain) == b"no tea\n"
        for at, talk in reversed(list(enumerate(talks))):
            assert talk.hear() == ("text", f"message {at}".encode())
        connected.give_up(talks[0].stream)
        talks[1].say("still here")
        assert talks[1].hear() == ("text", b"still here")


def test_the_server_may_close_first(lab: Lab) -> None:
    with client(lab) as connected:
        talk = opened(connected)
        talk.say("leave")
        assert talk.hear() == ("close", (4000).to_bytes(2, "big") + b"as you wish")
        talk.close(4000)
        connected.until(lambda: talk.stream in connected.ended)


def test_a_protocol_is_agreed_upon(lab: Lab) -> None:
    with client(lab) as connected:
        stream = connected.connect("/chat", [("sec-websocket-protocol", "chat, superchat")])
        head = connected.head(stream)
        assert (head[":status"], head["sec-websocket-protocol"]) == ("200", "superchat")
        assert not {"upgrade", "connection"} & set(head)


def test_a_server_that_refuses_answers_with_its_status(lab: Lab) -> None:
    with client(lab) as connected:
        stream = connected.connect("/refused")
        assert connected.head(stream)[":status"] == "418"
        assert connected.body(stream) == b"no tea\n"


def test_rules_judge_a_websocket_as_any_request(lab: Lab, origin: Origin) -> None:
    with client(lab) as connected:
        before = len(origin.requests)
        assert connected.head(connected.connect("/denied"))[":status"] == "403"
        assert len(origin.requests) == before
        opened(connected, "/seen")
    assert origin.requests[-1].headers["X-Seen"] == "GET-/seen"


ASKS = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": "/", ":authority": "a"}
MALFORMED = {
    "a protocol without CONNECT": ASKS | {":method": "GET"},
    "no path": {name: value for name, value in ASKS.items() if name != ":path"},
    "no scheme": {name: value for name, value in ASKS.items() if name != ":scheme"},
    "fields of a connection": ASKS | {"connection": "upgrade"},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_extended_connect_reaches_no_origin(lab: Lab, origin: Origin, name: str) -> None:
    before = len(origin.requests)
    with client(lab) as connected:
        stream = connected.request(list(MALFORMED[name].items()), end=False)
        head = connected.head(stream)
        assert stream in connected.reset or head[":status"] == "400"
        # Other streams go on.
        talk = opened(connected, "/after")
        talk.say("still here")
        assert talk.hear() == ("text", b"still here")
    assert [request.path for request in origin.requests[before:]] == ["/after"]


def test_another_protocol_is_the_origins_to_refuse(lab: Lab) -> None:
    with client(lab) as connected:
        assert connected.head(connected.connect("/chat", protocol="chess"))[":status"] == "426"
