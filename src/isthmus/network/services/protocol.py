"""What a supervisor and its clients say to each other: one JSON object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from isthmus.network.services.definition import Definition

if TYPE_CHECKING:
    # The builder's side reads and writes plain sockets: it does without loading asyncio.
    from asyncio import StreamWriter


class Apply(msgspec.Struct, frozen=True, tag="apply"):
    """Run these services and no others, or leave all as it is; answered by Progress, then Done or Failed."""

    services: tuple[Definition, ...]


class Status(msgspec.Struct, frozen=True, tag="status"):
    """Answered by Services."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop all services in order and end. Answered by Progress, then Done or Failed; ended either way."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Something went on."""

    text: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """What was asked for is done."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """What was asked for is not done; see ServiceError."""

    what: str
    service: str = ""
    log: tuple[str, ...] = ()
    hint: str = ""


class Running(msgspec.Struct, frozen=True):
    """One service of a supervisor: `pid` 0 where none runs now."""

    definition: Definition
    fingerprint: str
    state: str
    pid: int = 0


class Services(msgspec.Struct, frozen=True, tag="services"):
    """All services of a supervisor, in starting order."""

    services: tuple[Running, ...]


Request = Apply | Status | Stop
Answer = Progress | Done | Failed | Services

LIMIT = 64 * 1024 * 1024
"""Bytes of a line. Thousands of services fit; without a bound a stranger could fill the memory."""

request_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
answer_decoder: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_encoder = msgspec.json.Encoder()


def line(message: Request | Answer) -> bytes:
    """Return a message as it is sent."""
    return _encoder.encode(message) + b"\n"


def send(writer: StreamWriter, message: Answer) -> None:
    """Answer a client, if it is still there."""
    if not writer.is_closing():
        writer.write(line(message))
