"""Between a call of the engine's and a service's types: requests made, answers given away.

What the engine says by BrokenPipeError is a `ClientGoneError` for services.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from isthmus.engine.service import Call, ServiceHead, ServiceRequest
from isthmus.services.fields import Fields
from isthmus.services.problem import ClientGoneError
from isthmus.services.request import Address
from isthmus.services.response import Response

_decoder = msgspec.json.Decoder(ServiceRequest)


def received(call: Call) -> ServiceRequest:
    """Return what the engine tells of a call."""
    return _decoder.decode(call.request())


def head(call: Call, said: ServiceRequest) -> dict[str, Any]:
    """Return what a request is made of, but for its body."""
    return {
        "method": said.method,
        "target": said.target,
        "version": said.version,
        "fields": Fields(said.fields),
        "length": said.length,
        "source": Address(*said.source) if said.source else None,
        "destination": Address(*said.destination) if said.destination else None,
        "src_netns": said.src_netns,
        "frontend": said.frontend,
        "backend": said.backend,
        "unique_id": said.unique_id,
        "deadline": time.monotonic() + said.patience / 1000 if said.patience else None,
        "gone": call.gone,
    }


@contextmanager
def client_may_go() -> Iterator[None]:
    """Say in a service's words that nobody waits any more."""
    try:
        yield
    except BrokenPipeError:
        raise ClientGoneError("nobody waits for the answer any more") from None


def start(call: Call, response: Response) -> None:
    """Give a response's head. Raises ValueError for one that cannot be sent."""
    fields = tuple((_text(name), _text(value)) for name, value in response.head_fields())
    reason = None if response.reason is None else _text(response.reason)
    made = ServiceHead(int(response.status), reason, fields)
    with client_may_go():
        call.start(msgspec.json.encode(made))


def checked(response: object) -> Response:
    """Return a response. Raises TypeError for what is none."""
    if not isinstance(response, Response):
        raise TypeError(f"a service returns a Response, not {type(response).__name__}")
    return response


def as_bytes(piece: object) -> bytes:
    """Return a piece of a body. Raises TypeError for what is none."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    raise TypeError(f"a piece of a body is bytes, not {type(piece).__name__}")


def pieces(body: object) -> Iterator[object]:
    """Return the pieces of a body that can be iterated without waiting in an event loop."""
    if isinstance(body, AsyncIterable):
        raise TypeError("only an `async def` service can answer with an async iterator")
    if not isinstance(body, Iterable):
        raise TypeError(f"a body is bytes, str or an iterator of bytes, not {type(body).__name__}")
    return iter(body)


def _text(value: object) -> str:
    """Return text as the engine takes it: the bytes of its UTF-8 where it goes beyond ISO 8859-1."""
    text = value if isinstance(value, str) else str(value)
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode().decode("latin-1")
    return text
