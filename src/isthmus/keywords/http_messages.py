"""Whole HTTP messages in files: what `errorfile` and its like name, and the checks that they can be sent."""

from __future__ import annotations

import re

from isthmus.config import Span, register
from isthmus.keywords.context import Context

BAD_ERROR_FILE = register(
    "E0450",
    "error file cannot be used",
    """An error file holds a whole HTTP/1 response: a status line, fields, an empty line and perhaps a body,
    whose length Content-Length tells if it is there. An empty file closes the connection silently.""",
    "errorfile 503 /etc/isthmus/errors/503.http",
)

HANDLED = (
    *(200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431),
    *(500, 501, 502, 503, 504),
)
"""The statuses for which the proxy has an answer of its own, and which `errorfile` can replace."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-5][0-9]{2}(?: [^\r\n\0]*)?\Z")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[^\r\n\0]*\Z")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


def read_file(name: str, span: Span, context: Context) -> bytes | None:
    """Return what a file holds; where it can't be read, collect an error and return None."""
    try:
        return context.read_bytes(name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such file"
        context.alert(BAD_ERROR_FILE, f"`{name}` cannot be read: {reason}", span)
        return None


def read_message(name: str, span: Span, context: Context) -> bytes | None:
    """Return the message in a file with CRLF behind each line of its head, or collect an error."""
    text = read_file(name, span, context)
    if not text:
        return text
    found = _END_OF_HEAD.search(text)
    if found is None:
        message = f"`{name}` is no HTTP response: no empty line ends its head"
        context.alert(BAD_ERROR_FILE, message, span)
        return None
    first, *fields = re.split(rb"\r?\n", text[: found.start()])
    body = text[found.end() :]
    wrong = _wrong(first, fields, body)
    if wrong:
        context.alert(BAD_ERROR_FILE, f"`{name}` is no HTTP response: {wrong}", span)
        return None
    return b"\r\n".join((first, *fields, b"", body))


def _wrong(first: bytes, fields: list[bytes], body: bytes) -> str:
    """Return what is wrong with a response, if something is."""
    if not _STATUS_LINE.match(first):
        return "it does not begin with a status line as `HTTP/1.0 503 Service Unavailable`"
    for number, field in enumerate(fields, 2):
        name = _FIELD.match(field)
        if name is None:
            return f"line {number} is no field"
        value = field.partition(b":")[2].strip()
        if name[1].lower() == b"content-length" and value != str(len(body)).encode():
            shown = value.decode("latin-1")
            return f"its Content-Length is {shown}, and its body has {len(body)} bytes"
    return ""
