"""`set-bc-mark` and `set-bc-tos`: what a server's connection bears, as the server's socket tells it."""

from __future__ import annotations

import contextlib
import socket

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from .wire import Origin, dial

HERE = "10.0.0.10"
TCP_SAVE_SYN, TCP_SAVED_SYN, SO_MARK = 27, 28, 36
TOS_OFFSET = 1

PREAMBLE = """
global
  nbthread 1
  @stats@
defaults
  mode http
  timeout connect 3s
  timeout client 10s
  timeout server 10s
  http-reuse always
"""
SITE = """
listen l
  bind 10.0.0.10:8000 namespace red
  http-request set-bc-mark req.hdr(mark) if { req.hdr(mark) -m found }
  http-request set-bc-tos req.hdr(tos) if { req.hdr(tos) -m found }
  server s 10.0.0.10:80 namespace red
"""
TCP_SITE = """
listen l
  mode tcp
  bind 10.0.0.10:8000 namespace red
  tcp-request content set-bc-mark 0x1f
  tcp-request content set-bc-tos int(40)
  server s 10.0.0.10:80 namespace red
"""


class Telling(Origin):
    """Answers with the mark and DS field of a connection's first packet, and the connection's number."""

    def __init__(self, namespace) -> None:
        namespace.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_fwmark_accept")
        super().__init__(namespace, HERE, 80)

    def told(self, end: socket.socket) -> bytes:
        """The mark, the DS field and the number of a connection."""
        syn = end.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 256)
        mark = end.getsockopt(socket.SOL_SOCKET, SO_MARK)
        return f"{mark} {syn[TOS_OFFSET]} {self.accepted}".encode()

    def _serve(self) -> None:
        self.listener.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
        super()._serve()

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        with contextlib.suppress(OSError), end:
            said = self.told(end)
            got = b""
            while chunk := end.recv(65536):
                got += chunk
                while b"\r\n\r\n" in got:
                    got = got.split(b"\r\n\r\n", 1)[1]
                    end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


class TellingHttp2(Telling):
    """The same in HTTP/2."""

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        h2 = H2Connection(H2Configuration(client_side=False))
        h2.initiate_connection()
        with contextlib.suppress(OSError), end:
            said = self.told(end)
            end.sendall(h2.data_to_send())
            while chunk := end.recv(65536):
                for event in h2.receive_data(chunk):
                    if isinstance(event, RequestReceived):
                        fields = ((":status", "200"), ("content-length", str(len(said))))
                        h2.send_headers(event.stream_id, fields)
                        h2.send_data(event.stream_id, said, end_stream=True)
                end.sendall(h2.data_to_send())


class TellingTcp(Telling):
    """The same as a greeting."""

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        with contextlib.suppress(OSError), end:
            end.sendall(self.told(end))


class Client:
    """A client that keeps its connection."""

    def __init__(self, namespace) -> None:
        self.socket = dial(namespace, HERE, 8000)

    def get(self, **fields: str) -> list[int]:
        """The mark, the DS field and the number of the server's connection."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.socket.sendall(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            chunk = self.socket.recv(65536)
            assert chunk, got
            got += chunk
        head, body = got.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        return [int(each) for each in body.split()]


@pytest.mark.parametrize(
    ("origin", "options"), [(Telling, ""), (TellingHttp2, " proto h2")], ids=("http1", "http2")
)
def test_a_request_goes_over_a_connection_that_bears_what_it_says(ground, isthmus, origin, options):
    red = ground.add("red", HERE)
    server = origin(red)
    isthmus(SITE.replace(":80 ", f":80{options} "), preamble=PREAMBLE)
    client = Client(red)
    asked = (
        ({}, (0, 0)),
        ({"mark": "7"}, (7, 0)),
        ({"mark": "7", "tos": "32"}, (7, 32)),
        ({}, (0, 0)),
        ({"mark": "7"}, (7, 0)),
        ({"tos": "32"}, (0, 32)),
        ({"mark": "8"}, (8, 0)),
        # Of more than fits the lower bits count.
        ({"mark": "4294967303", "tos": "288"}, (7, 32)),
    )
    numbers: dict[tuple[int, int], set[int]] = {}
    for fields, wanted in asked:
        mark, tos, number = client.get(**fields)
        assert (mark, tos) == wanted, fields
        numbers.setdefault(wanted, set()).add(number)
    # Requests that say the same share a connection; what others were made for is left alone.
    assert all(len(each) == 1 for each in numbers.values()), numbers
    assert server.accepted == len(numbers)


def test_a_tunnel_of_tcp_bears_what_its_rules_say(ground, isthmus):
    red = ground.add("red", HERE)
    TellingTcp(red)
    isthmus(TCP_SITE, preamble=PREAMBLE)
    client = dial(red, HERE, 8000)
    got = b""
    while chunk := client.recv(65536):
        got += chunk
    assert got == b"31 40 1"
