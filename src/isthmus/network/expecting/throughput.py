"""How many bits per second pass from a namespace to a listener of ours. Measured where they arrive."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from isthmus.network.expecting.connection import connect
from isthmus.network.expecting.echo import FAMILY
from isthmus.network.expecting.listener import FLOOD, Listener
from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.spaces import Space

_WARMING = 0.2
"""Seconds left out: slow start, and the burst that a token bucket lets through at first."""

_MEASURING = 0.6
_SLICE = 0.05
_TRIES = 3
_RESET = struct.pack("ii", 1, 0)
_DATAGRAM = FLOOD + bytes(1200 - len(FLOOD))
_STREAM = bytes(1 << 17)


def best(space: Space, protocol: str, to: tuple[IpAddress, int], listener: Listener, enough: float) -> float:
    """Measure until the rate is enough, at most three times, and return the best.

    A stream that lost packets at its start, or a machine that was busy, says little about the link.
    """
    rate = 0.0
    for _ in range(_TRIES):
        rate = max(rate, measure(space, protocol, *to, listener))
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
        made.settimeout(_SLICE)
        block = _STREAM if protocol == "tcp" else _DATAGRAM
        _send(made, block, time.monotonic() + _WARMING)
        first, started = listener.received, time.monotonic()
        _send(made, block, started + _MEASURING)
        return (listener.received - first) * 8 / (time.monotonic() - started)


def _send(made: socket.socket, block: bytes, until: float) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(TimeoutError, BlockingIOError):
            made.send(block)
