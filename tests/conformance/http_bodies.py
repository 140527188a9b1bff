"""Requests, an origin and readable answers, for cases about what is done to bodies."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .http_batch import numbered
from .lab import Both, Lab
from .wire import Behaviour, End, Origin

DEFAULTS = """
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  option httplog
"""
TEXT = b"hello world " * 20

_DECODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@dataclass(frozen=True)
class Answer:
    """What a client got: its fields sorted, its body without framing and without coding."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def field(self, name: str) -> str | None:
        """The value of the first field of that name."""
        return next((value for known, value in self.fields if known == name), None)


def reply(
    fields: bytes = b"", body: bytes = TEXT, status: bytes = b"200 OK", framing: bytes | None = None
) -> bytes:
    """A response of the origin's; its framing is its length unless it is given."""
    length = b"Content-Length: %d\r\n" % len(body)
    return (
        b"HTTP/1.1 " + status + b"\r\n" + (length if framing is None else framing) + fields + b"\r\n" + body
    )


def chunked(fields: bytes = b"", trailers: bytes = b"") -> bytes:
    """The same in two chunks."""
    first, second = TEXT[:100], TEXT[100:]
    body = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n%s\r\n" % (len(first), first, len(second), second, trailers)
    return reply(fields, body, framing=b"Transfer-Encoding: chunked\r\n")


def request(
    fields: bytes = b"", method: bytes = b"GET", version: bytes = b"HTTP/1.1", path: bytes = b"/"
) -> bytes:
    """A request that is the last one of its connection."""
    return method + b" " + path + b" " + version + b"\r\nHost: a\r\nConnection: close\r\n" + fields + b"\r\n"


def answers(data: bytes) -> Behaviour:
    """An origin that says the same to every request, and closes if it says so."""

    def behave(_origin: Origin, end: End) -> None:
        heads = 0
        while True:
            try:
                got = end.sock.recv(65536)
            except OSError:
                return
            if not got:
                end.close()
                return
            end.received += got
            for _ in range(end.received.count(b"\r\n\r\n") - heads):
                heads += 1
                end.try_send(data)
                if b"Connection: close" in data:
                    end.finish()

    return behave


def exchange(lab: Lab, data: bytes, name: str = "front") -> Answer:
    """Send a request over a connection of its own and read the answer."""
    end = lab.connect(name)
    end.send(data)
    received, _ = end.read_end()
    return parse(end.received or received)


def parse(data: bytes) -> Answer:
    """Read a response that ends with its connection."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = []
    for line in lines:
        name, _, value = line.partition(":")
        fields.append((name.lower(), value.strip()))
    known = dict(fields)
    if known.get("transfer-encoding") == "chunked":
        body = _joined(body)
    if body:
        body = _DECODERS.get(known.get("content-encoding", ""), bytes)(body)
    return Answer(int(first.split()[1]), tuple(sorted(fields)), body)


def _joined(body: bytes) -> bytes:
    joined = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if count == 0:
            assert rest.endswith(b"\r\n"), f"no end of the trailers: {rest!r}"
            return joined
        joined, body = joined + rest[:count], rest[count + 2 :]
    raise AssertionError("the last chunk is missing")


def requests_seen(lab: Lab, name: str = "a") -> int:
    """How many requests reached the origin."""
    return sum(bytes(end.received).count(b"\r\n\r\n") for end in lab.origin(name).ends)


_CACHES = re.compile(r"(?m)(^cache|cache-use|cache-store) c$")


def differing(
    both: Both, site: str, replies: Mapping[str, bytes], play: Callable[[Lab, str, str, str], object]
) -> dict[str, tuple[object, object]]:
    """What both make of each reply, where that differs; every reply has its own site and origin.

    `play` is given the lab, the reply's name, and those of its listener and its origin.
    """
    alone = site.replace(DEFAULTS, "")
    sites = (_CACHES.sub(rf"\1 c{at}", numbered(alone, at)) for at in range(len(replies)))
    origins = {f"a{at}": answers(said) for at, said in enumerate(replies.values())}

    def traffic(lab: Lab) -> list[object]:
        return [play(lab, name, f"front{at}", f"a{at}") for at, name in enumerate(replies)]

    seen = both.apart("\n".join([DEFAULTS, *sites]), traffic, origins=origins)
    pairs = zip(replies, *(each.value for each in seen), strict=True)
    return {name: (theirs, ours) for name, theirs, ours in pairs if theirs != ours}
