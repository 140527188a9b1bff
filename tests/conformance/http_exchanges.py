"""Requests and responses written out, for the tables of exchanges (`http_*_rows.py`)."""

from __future__ import annotations

HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_10 = b"GET / HTTP/1.0\r\n\r\n"
GET_10_KEEP = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
GET_CLOSE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OK_10 = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_10_KEEP = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
OK_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nok"


def post(body: bytes, fields: bytes = b"", line: bytes = b"POST / HTTP/1.1") -> bytes:
    """A POST with a length."""
    return line + b"\r\nHost: a\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, fields: bytes = b"", line: bytes = b"POST / HTTP/1.1") -> bytes:
    """A POST in chunks, which stand in `body` as they are sent."""
    return line + b"\r\nHost: a\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n" + body


def get(path: bytes = b"/", fields: bytes = b"", host: bytes = b"a", version: bytes = b"1.1") -> bytes:
    """A GET."""
    return b"GET " + path + b" HTTP/" + version + b"\r\nHost: " + host + b"\r\n" + fields + b"\r\n"


def ok(fields: bytes = b"", body: bytes = b"ok", status: bytes = b"200 OK", version: bytes = b"1.1") -> bytes:
    """A response with a length."""
    return b"HTTP/%s %s\r\nContent-Length: %d\r\n%s\r\n%s" % (version, status, len(body), fields, body)
