"""Messages of HTTP/1, taken out of what an end received: enough for tests, which know what they sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A message as it is compared."""

    start: str
    fields: tuple[str, ...]
    body: bytes
    trailers: tuple[str, ...] = ()
    whole: bool = True

    @property
    def status(self) -> int:
        """A response's status."""
        words = self.start.split(" ")
        return int(words[1]) if self.start.startswith("HTTP/") and words[1].isdigit() else 0

    def field(self, name: str) -> list[str]:
        """The values of a field, in order."""
        return [line.split(": ", 1)[1] for line in self.fields if line.startswith(name + ": ")]


@dataclass
class Parsed:
    """A message that was found in what came."""

    head: bytes = b""
    body: bytes = b""
    trailers: bytes = b""
    chunked: bool = False
    # The chunks' heads and bodies as they came.
    raw: bytes = b""
    has_head: bool = False
    whole: bool = False

    @property
    def interim(self) -> bool:
        return re.match(rb"HTTP/1\.[01] 1(?!01)", self.head) is not None

    def value(self, name: bytes) -> bytes | None:
        found = re.search(rb"(?im)^" + name + rb":[ \t]*(.*?)\r?$", self.head)
        return found[1] if found else None

    def normal(self, pages: bool, chunks: bool, volatile: frozenset[str]) -> Message:
        """The message without what depends on the moment, on reads' ends, or on our own texts.

        Whitespace around values, the place of `connection` and its case, and which version 1.x a response
        has never count; what it means for the connection does.
        """
        lines = self.head.decode("latin-1").split("\r\n")
        page = pages and self.body.startswith(b"<html>") and b"<body>" in self.body
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if page:
                name = name.lower()
            line = f"{name}: {value.strip()}"
            if name == "connection":
                line = line.lower()
            if name in volatile:
                line = f"{name}: <{name}>"
            elif page and name == "content-length":
                line = f"{name}: <{len(self.body) - int(value)} less>"
            if colon:
                fields.append(line)
        if lines[0].startswith("HTTP/1.0"):
            # A proxy sends its own version (RFC 9110, 6.2); HAProxy passes on the server's.
            lines[0] = lines[0].replace("HTTP/1.0", "HTTP/1.1", 1)
            if "connection: keep-alive" not in fields:
                fields.append("connection: close")
        if lines[0].startswith("HTTP/"):
            fields = [line for line in fields if line != "connection: keep-alive"]
        # Where `connection` stands says nothing, and in a page no order does.
        fields.sort(key=lambda line: (page and line, line.startswith("connection: ")))
        body = b"<page>" if page else self.body if chunks or not self.chunked else self.raw
        trailers = tuple(line for line in self.trailers.decode("latin-1").split("\r\n") if line)
        return Message(lines[0], tuple(fields), body, trailers, self.whole)


def split_requests(data: bytes) -> list[Parsed]:
    """The requests that came over one connection; the last one may be cut."""
    return list(_split(data, None, False))


def split_responses(data: bytes, sent: bytes, ended: bool) -> list[Parsed]:
    """The responses to what was sent: a HEAD's and a CONNECT's have no body."""
    methods = re.findall(rb"(?m)^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|TRACE|PATCH) \S+ HTTP/1", sent)
    return list(_split(data, methods, ended))


def _split(data: bytes, methods: list[bytes] | None, ended: bool) -> Iterator[Parsed]:
    at = 0
    index = 0
    while at < len(data):
        found = data.find(b"\r\n\r\n", at)
        if found < 0:
            yield Parsed(head=data[at:])
            return
        message = Parsed(head=data[at : found + 2], has_head=True)
        at = found + 4
        if methods is None:
            at = _read_body(message, data, at, ended, until_close=_is_upgrade(message))
        else:
            method = methods[index] if index < len(methods) else b"GET"
            index += not message.interim
            at = _read_response(message, data, at, ended, method)
        yield message
        if not message.whole:
            return


def _is_upgrade(message: Parsed) -> bool:
    return message.head.startswith(b"CONNECT ") or message.value(b"upgrade") is not None


def _read_response(message: Parsed, data: bytes, at: int, ended: bool, method: bytes) -> int:
    found = re.match(rb"HTTP/\S+ (\d+)", message.head)
    status = int(found[1]) if found else 0
    if message.interim or status in (204, 304) or method == b"HEAD":
        message.whole = True
        return at
    tunnel = status == 101 or (method == b"CONNECT" and 200 <= status < 300)
    bare = message.value(b"content-length") is None and message.value(b"transfer-encoding") is None
    return _read_body(message, data, at, ended, until_close=tunnel or bare)


def _read_body(message: Parsed, data: bytes, at: int, ended: bool, until_close: bool) -> int:
    coding = message.value(b"transfer-encoding")
    length = message.value(b"content-length")
    if until_close:
        message.body = data[at:]
        # A request that asks for another protocol is whole at once: what follows is no HTTP.
        message.whole = ended or not message.head.startswith(b"HTTP/")
        return len(data)
    if coding is not None:
        message.chunked = True
        return _read_chunks(message, data, at)
    size = int(length or 0)
    message.body = data[at : at + size]
    message.whole = len(message.body) == size
    return at + size


def _read_chunks(message: Parsed, data: bytes, at: int) -> int:
    begin = at
    while (line_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line_end].split(b";")[0], 16)
        at = line_end + 2
        if size == 0:
            end = at if data[at : at + 2] == b"\r\n" else data.find(b"\r\n\r\n", at) + 2
            if end > 1 and data[end : end + 2] == b"\r\n":
                message.trailers = data[at:end]
                message.whole = True
                message.raw = data[begin : end + 2]
                return end + 2
            break
        message.body += data[at : at + size]
        at += size + 2
        if at > len(data):
            break
    message.raw = data[begin:]
    return len(data)
