"""How many bits per second pass from a namespace to a listener of ours. Measured where they arrive."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Protocol

from isthmus.network.expecting.connection import connect
from isthmus.network.expecting.echo import FAMILY
from isthmus.network.expecting.listener import FLOOD, Listener
from isthmus.network.expecting.pairing import paired
from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.spaces import Space


class Sink(Protocol):
    """Where the stream ends."""

    received: int


_WARMING = 0.2
"""Seconds left out: slow start, and the burst that a token bucket lets through at first."""

_MEASURING = 0.6
_SLICE = 0.05
_TRIES = 3
_RESET = struct.pack("ii", 1, 0)
_DATAGRAM = FLOOD + bytes(1200 - len(FLOOD))
_STREAM = bytes(1 << 17)


def best(measure: Callable[[], float], enough: float) -> float:
    """Measure until the rate is enough, at most three times, and return the best.

    A stream that lost packets at its start, or a machine that was busy, says little about the link.
    """
    rate = 0.0
    for _ in range(_TRIES):
        rate = max(rate, measure())
        if rate >= enough:
            break
    return rate


def measure(space: Space, protocol: str, address: IpAddress, port: int, listener: Listener) -> float:
    """Send for under a second; return the payload's bits per second. OSError where nothing gets through."""
    if protocol == "tcp":
        made = connect(space, address, port, 2.0)
        # Cut off, not drained: what waits in the buffers of a slow link is of no interest.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    else:
        made = space.call(socket.socket, FAMILY[address.version], socket.SOCK_DGRAM)
        made.connect((str(address), port))
    with made:
        return _rate(made, _STREAM if protocol == "tcp" else _DATAGRAM, listener)


def measure_past(spaces: tuple[Space, Space], own: IpAddress, to: tuple[IpAddress, int]) -> float:
    """Do the same on a port that a service has, past it. OSError where nothing gets through."""
    with paired(*spaces, own, to) as stream:
        rate = _rate(stream.near, _STREAM, stream)
    if not rate:
        raise TimeoutError
    return rate


def _rate(made: socket.socket, block: bytes, sink: Sink) -> float:
    made.settimeout(_SLICE)
    _send(made, block, time.monotonic() + _WARMING)
    first, started = sink.received, time.monotonic()
    _send(made, block, started + _MEASURING)
    return (sink.received - first) * 8 / (time.monotonic() - started)


def _send(made: socket.socket, block: bytes, until: float) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError, BlockingIOError):
            made.send(block)
