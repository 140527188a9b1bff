"""The word within TLS that no more comes (close_notify), in one piece with the last bytes before it.

The sockets stay open: nothing at them tells the end a second time.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from .lab import PREAMBLE, Lab
from .tls_paper import Paper
from .wire import DEADLINE, End, Origin

SITE = """
frontend tcp
  mode tcp
  bind 127.0.0.1:<tcp> ssl crt {paper}
  default_backend counts
backend counts
  mode tcp
  server s <counts>
frontend out
  mode tcp
  bind 127.0.0.1:<out>
  default_backend sealed
backend sealed
  mode tcp
  server s <sealed> ssl verify none
frontend http
  mode http
  bind 127.0.0.1:<http>
  default_backend web
backend web
  mode http
  http-reuse always
  server s <sealed> ssl verify none
"""
# Far longer than the test waits.
PATIENT = PREAMBLE.replace("client 6s", "client 60s").replace("server 6s", "server 60s")
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
SIZES = (10, 1_000, 20_000, 200_000, 1_000_000)


class Sealed:
    """TLS over a socket that says what is to be said in one send, and keeps the socket open."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server: bool) -> None:
        self._sock = sock
        self._into, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._into, self._out, server_side=server)
        self._until(self._tls.do_handshake)

    def _until(self, step: Callable[[], object]) -> object:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._sock.sendall(self._out.read())
                if not (heard := self._sock.recv(65536)):
                    return b""
                self._into.write(heard)
            else:
                self._sock.sendall(self._out.read())
                return done

    def read(self) -> bytes:
        """What is there next; nothing at the end."""
        try:
            heard = self._until(lambda: self._tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b""
        assert isinstance(heard, bytes)
        return heard

    def say_last(self, data: bytes) -> None:
        """The bytes and the word that they were the last."""
        self._tls.write(data)
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            self._sock.sendall(self._out.read())


def counts(_: Origin, end: End) -> None:
    """An origin that says how much came before the end."""
    end.send(b"heard %d" % len(end.read_end()[0]))
    end.close()


def answers(paper: Paper) -> Callable[[Origin, End], None]:
    """An origin under TLS; the first line that it hears says how long its body is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paper["site.pem"])

    def behave(_: Origin, end: End) -> None:
        sealed = Sealed(end.sock, context, server=True)
        heard = b""
        while b"\r\n\r\n" not in heard and (more := sealed.read()):
            heard += more
        size = int(heard.split(b" ")[1].strip(b"/"))
        lasting = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        sealed.say_last((lasting if b"HTTP/1.1" in heard else b"HTTP/1.0 200 OK\r\n\r\n") + b"b" * size)
        end.read_end()

    return behave


def test_an_end_that_came_with_the_last_bytes_is_passed_on(
    programs: tuple[str, str], tmp_path: Path, paper: Paper
) -> None:
    config = PATIENT + SITE.format(paper=paper["site.pem"])
    lab = Lab(programs[1], tmp_path / "proxy", config, {"counts": counts, "sealed": answers(paper)})
    try:
        for version in VERSIONS:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.maximum_version = version
            for size in SIZES:
                end = lab.connect("tcp")
                sealed = Sealed(end.sock, context, server=False)
                sealed.say_last(b"x" * size)
                assert sealed.read() == b"heard %d" % size
                assert end.age() < DEADLINE
        for name in ("out", "http"):
            for size in SIZES:
                end = lab.connect(name).send(b"GET /%d HTTP/1.0\r\n\r\n" % size)
                assert end.read_end()[0].partition(b"\r\n\r\n")[2] == b"b" * size, (name, size)
    finally:
        lab.close()


def test_a_connection_that_ended_with_its_response_serves_no_other_request(
    programs: tuple[str, str], tmp_path: Path, paper: Paper
) -> None:
    config = PATIENT + SITE.format(paper=paper["site.pem"])
    lab = Lab(programs[1], tmp_path / "proxy", config, {"counts": counts, "sealed": answers(paper)})
    try:
        for _ in range(3):
            end = lab.connect("http").send(b"GET /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert end.read_end()[0].endswith(b"\r\n\r\nbbbbb")
    finally:
        lab.close()
