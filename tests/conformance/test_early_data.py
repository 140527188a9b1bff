"""Early data (0-RTT): what is served before the handshake is over, what waits, what is never taken.

The client is openssl's, behind a relay that holds back the end of its handshake until a test lets it go.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import PREAMBLE, Reply, Script, until
from .lab import Lab
from .tls_paper import Paper
from .wire import DEADLINE, Behaviour

FRONTS = """
frontend served
  bind 127.0.0.1:<served> ssl crt {site} allow-0rtt
  http-request set-header X-Early %[ssl_fc_has_early],%[ssl_fc_early_rcvd]
  http-request return status 425 if {{ path /late }} {{ ssl_fc_has_early }}
  default_backend plain
frontend waits
  bind 127.0.0.1:<waits> ssl crt {site} allow-0rtt
  http-request wait-for-handshake
  http-request set-header X-Early %[ssl_fc_has_early],%[ssl_fc_early_rcvd]
  default_backend plain
frontend refused
  bind 127.0.0.1:<refused> ssl crt {site}
  default_backend plain
frontend two
  bind 127.0.0.1:<two> ssl crt {site} alpn h2,http/1.1 allow-0rtt
  default_backend plain
frontend bytes
  mode tcp
  log-format "%ci"
  bind 127.0.0.1:<bytes> ssl crt {site} allow-0rtt
  default_backend raw
frontend outer
  bind 127.0.0.1:<outer>
  default_backend inner
frontend outer0
  bind 127.0.0.1:<outer0> ssl crt {site} allow-0rtt
  default_backend inner0
frontend in
  bind 127.0.0.1:<in> ssl crt {site} allow-0rtt
  http-request set-header X-Early %[ssl_fc_early_rcvd]
  http-request return status 425 if {{ path /late }} {{ ssl_fc_early_rcvd }}
  default_backend plain
backend plain
  server s <a>
backend raw
  mode tcp
  server s <a>
backend inner
  retry-on 0rtt-rejected
  http-reuse never
  server s 127.0.0.1:<in> ssl verify none allow-0rtt
backend inner0
  http-reuse never
  server s 127.0.0.1:<in> ssl verify none allow-0rtt
"""


class Relay:
    """Passes the first flight of a client on, early data included; what follows waits for `let_go`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._go = threading.Event()
        # The proxy has taken the first flight, and sent its own.
        self.answered = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def let_go(self) -> None:
        """Pass the rest on."""
        self._go.set()

    def close(self) -> None:
        """End both connections."""
        self._go.set()
        for each in (self._listener, *self._sockets):
            each.close()

    def _serve(self) -> None:
        # A socket that was closed ends the relay.
        with contextlib.suppress(OSError):
            self._relay()

    def _relay(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._port))
        self._sockets += [client, server]
        threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
        flight: bytes | None = b""
        held = b""
        while True:
            piece = client.recv(65536)
            if not piece:
                server.close()
                return
            held += piece
            while len(held) >= 5 and len(held) >= (size := 5 + int.from_bytes(held[3:5])):
                record, held = held[:size], held[size:]
                if flight is None:
                    self._go.wait(DEADLINE)
                    server.sendall(record)
                else:
                    flight += record
                    if record[0] == 23:
                        server.sendall(flight)
                        flight = None

    def _pass(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self.answered.set()
                to.sendall(piece)


class OpensslClient:
    """openssl s_client, whose output is read until it holds what is waited for."""

    def __init__(self, port: int, folder: Path, *options: str) -> None:
        self.said = b""
        command = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", *options)
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while piece := self._process.stdout.read1(65536):
            self.said += piece

    def send(self, data: bytes) -> None:
        """Send data behind the handshake."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def heard(self, words: bytes) -> bool:
        """Whether it wrote something."""
        return words in self.said

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def request(line: str, *fields: str) -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: www.example.test", *fields, "", "")).encode()


def learn(lab: Lab, name: str, path: str = "/first") -> None:
    """Begin a session that may go on."""
    (lab.folder / "session.pem").unlink(missing_ok=True)
    words = ("-servername", "www.example.test", "-sess_out", "session.pem")
    client = OpensslClient(lab.ports[name], lab.folder, *words)
    client.send(request(f"GET {path}"))
    until(lambda: client.heard(b"ok") or client.heard(b"HTTP/1.1 "))
    until((lab.folder / "session.pem").exists)
    until(lambda: (lab.folder / "session.pem").read_text().endswith("-----\n"))
    client.close()


@contextlib.contextmanager
def early(lab: Lab, name: str, data: bytes, *options: str) -> Iterator[tuple[OpensslClient, Relay]]:
    """Send data early under the session that was learned."""
    (lab.folder / "early.bin").write_bytes(data)
    relay = Relay(lab.ports[name])
    words = (
        "-servername",
        "www.example.test",
        "-sess_in",
        "session.pem",
        "-early_data",
        "early.bin",
        *options,
    )
    client = OpensslClient(relay.port, lab.folder, *words)
    try:
        yield client, relay
    finally:
        client.close()
        relay.close()


@pytest.fixture(scope="module")
def lab(programs: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, paper: Paper) -> Iterator[Lab]:
    config = PREAMBLE + FRONTS.format(site=paper["site.pem"])
    origins: dict[str, Behaviour | None] = {"a": Script((Reply(),) * 200)}
    lab = Lab(programs[1], tmp_path_factory.mktemp("early") / "lab", config, origins)
    try:
        yield lab
    finally:
        lab.close()


def arrived(lab: Lab, path: str) -> str:
    """The head of a request as the origin saw it; empty while it has not."""
    for end in lab.origins["a"].ends:
        for head in end.received.decode("latin-1").split("\r\n\r\n"):
            if path in head:
                return head.lower()
    return ""


def test_a_safe_request_is_served_before_the_handshake_is_over_and_the_server_is_told(lab: Lab) -> None:
    learn(lab, "served")
    with early(lab, "served", request("GET /safe")) as (client, relay):
        until(lambda: arrived(lab, "/safe"))
        assert "early-data: 1" in arrived(lab, "/safe")
        assert "x-early: 1,1" in arrived(lab, "/safe")
        relay.let_go()
        until(lambda: client.heard(b"Early data was accepted") and client.heard(b"HTTP/1.1 200"))
        # The next request of the connection is none of that any more.
        client.send(request("GET /behind"))
        until(lambda: arrived(lab, "/behind"))
        assert "early-data" not in arrived(lab, "/behind")
        assert "x-early: 0,1" in arrived(lab, "/behind")


def test_what_a_client_in_front_of_us_said_of_early_data_is_said_once(lab: Lab) -> None:
    learn(lab, "served")
    with early(lab, "served", request("GET /told", "Early-Data: 1")) as (_, relay):
        until(lambda: arrived(lab, "/told"))
        assert arrived(lab, "/told").count("early-data") == 1
        relay.let_go()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_a_request_that_is_not_safe_waits_for_the_handshake(lab: Lab, method: str) -> None:
    learn(lab, "served")
    path = f"/unsafe{method}"
    with early(lab, "served", request(f"{method} {path}", "Content-Length: 0")) as (client, relay):
        until(relay.answered.is_set)
        # A request that is served early comes before this one on the origin's side.
        served = lab.origins["a"].ends
        count = sum(len(end.received) for end in served)
        assert not arrived(lab, path)
        relay.let_go()
        until(lambda: arrived(lab, path))
        assert "early-data" not in arrived(lab, path)
        assert "x-early: 0,1" in arrived(lab, path)
        assert count < sum(len(end.received) for end in served)
        until(lambda: client.heard(b"HTTP/1.1 200"))


def test_wait_for_handshake_waits(lab: Lab) -> None:
    learn(lab, "waits")
    with early(lab, "waits", request("GET /waited")) as (client, relay):
        until(relay.answered.is_set)
        assert not arrived(lab, "/waited")
        relay.let_go()
        until(lambda: arrived(lab, "/waited"))
        assert "x-early: 0,1" in arrived(lab, "/waited")
        assert "early-data" not in arrived(lab, "/waited")
        until(lambda: client.heard(b"HTTP/1.1 200"))


def test_rules_can_tell_a_client_that_it_is_too_early(lab: Lab) -> None:
    learn(lab, "served")
    with early(lab, "served", request("GET /late")) as (client, relay):
        relay.let_go()
        until(lambda: client.heard(b"HTTP/1.1 425 ") or arrived(lab, "/late"))


def test_early_data_that_is_sent_again_is_not_taken(lab: Lab) -> None:
    learn(lab, "served")
    with early(lab, "served", request("GET /once")) as (_, relay):
        until(lambda: arrived(lab, "/once"))
        relay.let_go()
    with early(lab, "served", request("GET /twice")) as (client, relay):
        relay.let_go()
        until(lambda: client.heard(b"Early data was rejected"))
        assert not arrived(lab, "/twice")


def test_early_data_under_a_session_of_another_line_is_refused(lab: Lab) -> None:
    learn(lab, "served")
    with early(lab, "waits", request("GET /otherline")) as (client, relay):
        relay.let_go()
        until(lambda: client.heard(b"Early data was rejected"))
        assert not arrived(lab, "/otherline")


def test_without_allow_0rtt_no_session_allows_any(lab: Lab) -> None:
    learn(lab, "refused")
    text = subprocess.run(
        ["openssl", "sess_id", "-in", "session.pem", "-noout", "-text"],
        cwd=lab.folder,
        capture_output=True,
        check=True,
    )
    assert b"Max Early Data: 0" in text.stdout


def test_bytes_of_tcp_mode_wait_for_the_handshake(lab: Lab) -> None:
    learn(lab, "bytes")
    with early(lab, "bytes", request("GET /bytes")) as (client, relay):
        until(relay.answered.is_set)
        assert not arrived(lab, "/bytes")
        relay.let_go()
        until(lambda: arrived(lab, "/bytes"))
        until(lambda: client.heard(b"Early data was accepted"))


def asked(lab: Lab, name: str, line: str, *fields: str) -> bytes:
    """The answer to a request over a connection of its own."""
    end = lab.connect(name)
    end.send(request(line, "Connection: close", *fields))
    return end.read_end()[0]


def test_a_server_is_sent_early_what_is_safe_and_may_be_sent_again(lab: Lab) -> None:
    asked(lab, "outer", "GET /teaches")
    for method, told in (("GET", "1"), ("HEAD", "1"), ("POST", "0"), ("OPTIONS", "1"), ("DELETE", "0")):
        path = f"/out{method}"
        assert asked(lab, "outer", f"{method} {path}", "Content-Length: 0").startswith(b"HTTP/1.1 200")
        assert f"x-early: {told}" in arrived(lab, path), method


def test_a_server_that_finds_too_early_what_we_sent_early_is_asked_again(lab: Lab) -> None:
    asked(lab, "outer", "GET /teaches")
    assert asked(lab, "outer", "GET /late").startswith(b"HTTP/1.1 200")
    assert "x-early: 0" in arrived(lab, "/late")


def test_more_than_a_server_takes_early_follows_the_handshake(lab: Lab) -> None:
    asked(lab, "outer", "GET /teaches")
    body = "x" * 60_000
    end = lab.connect("outer")
    end.send(request("GET /much", f"Content-Length: {len(body)}", "Connection: close") + body.encode())
    assert end.read_end()[0].startswith(b"HTTP/1.1 200")
    assert "x-early: 1" in arrived(lab, "/much")
    until(lambda: any(body.encode() in end.received for end in lab.origins["a"].ends))


def test_a_server_is_sent_early_what_came_early_alone(lab: Lab) -> None:
    # What did not come early is not sent early, as the line says nothing of another try.
    learn(lab, "outer0")
    learn(lab, "outer0", "/usual")
    assert "x-early: 0" in arrived(lab, "/usual")
    with early(lab, "outer0", request("GET /both")) as (client, relay):
        until(lambda: arrived(lab, "/both"))
        assert "x-early: 1" in arrived(lab, "/both")
        assert "early-data: 1" in arrived(lab, "/both")
        relay.let_go()
        until(lambda: client.heard(b"HTTP/1.1 200"))


def test_streams_of_http2_wait_for_the_handshake(lab: Lab) -> None:
    (lab.folder / "session.pem").unlink(missing_ok=True)
    alpn = ("-alpn", "h2")
    words = ("-servername", "www.example.test", "-sess_out", "session.pem", *alpn)
    client = OpensslClient(lab.ports["two"], lab.folder, *words)
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    until((lab.folder / "session.pem").exists)
    until(lambda: (lab.folder / "session.pem").read_text().endswith("-----\n"))
    client.close()
    # :method GET, :scheme https, :path and :authority as literals (RFC 7541, 6.2.2).
    head = b"\x82\x87\x04\x08/streams\x01\x10www.example.test"
    frame = len(head).to_bytes(3) + b"\1\5" + (1).to_bytes(4) + head
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + frame
    with early(lab, "two", data, *alpn) as (client, relay):
        until(relay.answered.is_set)
        assert not arrived(lab, "/streams")
        relay.let_go()
        until(lambda: arrived(lab, "/streams"))
        assert "early-data" not in arrived(lab, "/streams")
        until(lambda: client.heard(b"Early data was accepted"))
