"""Fields that a peer marks as never to be indexed keep the mark towards the other side (RFC 7541, 7.1.3)."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from h2.events import Event, RequestReceived
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from .h2_client import Client
from .http2_server import Peer, serving
from .http_lab import PREAMBLE
from .lab import Lab
from .test_http2_odd_servers import Client as OldClient

SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  bind 127.0.0.1:<old>
  http-request set-header x-changed new
  http-request set-header x-added x
  http-response set-header x-answered new
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:{port} proto h2
"""
LONG = "session=0123456789abcdef0123456789abcdef"


def marked(fields: Iterable[object]) -> list[str]:
    """Names of the fields that bear the mark."""
    secret = [each for each in fields if isinstance(each, NeverIndexedHeaderTuple)]
    return sorted({text(each[0]) for each in secret})


def text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


class Seen:
    """Which marks the server saw, in each request."""

    def __init__(self) -> None:
        self.marks: list[list[str]] = []

    def answer(self, peer: Peer, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=headers):
                self.marks.append(marked(headers))
                path = dict(headers)[":path"]
                token = NeverIndexedHeaderTuple if path == "/secret" else HeaderTuple
                fields = [
                    (":status", "200"),
                    token("x-token", path),
                    token("x-answered", path),
                    ("x-plain", "abc"),
                    ("set-cookie", "a=b"),
                    ("content-length", "2"),
                ]
                peer.answer(stream, fields)


def raw(peer: Peer) -> None:
    """Begins, and shows cookies as they came: h2 marks all of them."""
    peer.begin({})
    peer.h2.config.normalize_inbound_headers = False


@contextmanager
def between(program: str, folder: Path, seen: Seen) -> Iterator[Lab]:
    with serving(seen.answer, raw) as server:
        lab = Lab(program, folder / "lab", PREAMBLE + SITE.format(port=server.port), {})
        try:
            yield lab
        finally:
            lab.close()


@contextmanager
def client(lab: Lab) -> Iterator[Client]:
    with Client(socket.create_connection(("127.0.0.1", lab.ports["front"]))) as connected:
        yield connected


def asked(of: Client, path: str, *fields: tuple[str, str]) -> int:
    line = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a")]
    stream = of.request([*line, ("x-plain", "1"), *fields])
    assert of.head(stream)[":status"] == "200"
    return stream


SECRET = NeverIndexedHeaderTuple
# Values differ where a field is a secret now and none then: Python's hpack sends what its table has
# from there.
REQUESTS = [
    ([], []),
    ([SECRET("x-secret", "1")], ["x-secret"]),
    # What has just been indexed may be a secret now, and the other way about.
    ([SECRET("x-plain", "2")], ["x-plain"]),
    ([("x-secret", "3")], []),
    ([SECRET("authorization", "Basic YTpi"), SECRET("x-b", "1")], ["authorization", "x-b"]),
    ([("authorization", "Basic YTpi")], ["authorization"]),
    # A rule that changes the value does not make it public.
    ([SECRET("x-changed", "old")], ["x-changed"]),
    ([("cookie", LONG)], []),
    ([SECRET("cookie", LONG + "0")], ["cookie"]),
    # Crumbs become one field: one secret makes it one.
    ([("cookie", "a=" + LONG), SECRET("cookie", "b=1"), ("cookie", "c=1")], ["cookie"]),
]


def test_what_a_client_marks_is_marked_towards_the_server(program: str, tmp_path: Path) -> None:
    seen = Seen()
    with between(program, tmp_path, seen) as lab, client(lab) as of:
        for fields, _ in REQUESTS:
            asked(of, "/", *fields)
    assert seen.marks == [marks for _, marks in REQUESTS]


def test_what_a_server_marks_is_marked_towards_the_client(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path, Seen()) as lab, client(lab) as of:
        got = [marked(of.fields[asked(of, path)]) for path in ("/", "/secret", "/", "/secret")]
    always, both = ["set-cookie"], ["set-cookie", "x-answered", "x-token"]
    assert got == [always, both, always, both]


def test_a_path_that_is_marked_is_marked_towards_the_server(program: str, tmp_path: Path) -> None:
    seen = Seen()
    with between(program, tmp_path, seen) as lab, client(lab) as of:
        for path in (SECRET(":path", "/token"), SECRET(":path", "/token?1"), (":path", "/token")):
            line = [(":method", "GET"), (":scheme", "http"), path, (":authority", "a")]
            assert of.head(of.request(line))[":status"] == "200"
    assert seen.marks == [[":path"], [":path"], []]


def test_one_connections_marks_are_not_anothers(program: str, tmp_path: Path) -> None:
    seen = Seen()
    with between(program, tmp_path, seen) as lab, client(lab) as one, client(lab) as other:
        asked(one, "/", SECRET("x-plain", "2"))
        asked(other, "/", ("x-plain", "2"))
        old = OldClient(lab.ports["old"])
        # HTTP/1 has no marks: what is in it is as public as before.
        assert old.ask(b"GET / HTTP/1.1\r\nHost: a\r\nX-Plain: 2\r\n\r\n") == 200
        asked(one, "/", ("x-plain", "2"))
    assert seen.marks == [["x-plain"], [], [], []]
