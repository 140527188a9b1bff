"""`tune.pool-low-fd-ratio` and `tune.pool-high-fd-ratio` beside HAProxy: how many idle connections stay."""

from __future__ import annotations

import threading
import time

import pytest

from .http_bodies import DEFAULTS
from .lab import Both, Lab
from .wire import DEADLINE, End, Origin

ROUNDS = (4, 2, 4, 1)


def config(lines: str) -> str:
    return f"""
global
  nbthread 1
{lines}
{DEFAULTS}
listen f
  bind 127.0.0.1:<front>
  http-reuse always
  server s <a>
"""


class Waits:
    """An origin that answers once as many requests are there as were announced."""

    def __init__(self) -> None:
        self.barriers: dict[Origin, threading.Barrier] = {}

    def __call__(self, origin: Origin, end: End) -> None:
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = end.read(1)
                if not byte:
                    end.close()
                    return
                head += byte
            self.barriers[origin].wait(DEADLINE)
            end.try_send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def settled(lab: Lab, wanted: int) -> int:
    """How many connections the origin has, once they are as many, or once they have had the time for it."""
    deadline = time.monotonic() + DEADLINE
    while True:
        left = sum(1 for end in lab.origin().ends if end.sock.fileno() >= 0)
        if left == wanted or time.monotonic() > deadline:
            return left
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("lines", "made", "left"),
    [
        ("", (4, 4, 4, 4), (4, 4, 4, 4)),
        ("  tune.pool-low-fd-ratio 0", (4, 5, 8, 8), (1, 1, 1, 1)),
        ("  tune.pool-high-fd-ratio 0", (4, 6, 10, 11), (0, 0, 0, 0)),
    ],
    ids=["roomy", "low", "high"],
)
def test_as_many_idle_connections_stay_as_can_be_afforded(
    both: Both, lines: str, made: tuple[int, ...], left: tuple[int, ...]
) -> None:
    waits = Waits()

    def traffic(lab: Lab) -> list[tuple[int, int]]:
        origin = lab.origin()
        told = []
        for count, expected in zip(ROUNDS, left, strict=True):
            waits.barriers[origin] = threading.Barrier(count)
            ends = [lab.connect() for _ in range(count)]
            for end in ends:
                end.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            for end in ends:
                assert end.read_end()[0].endswith(b"ok")
            stay = settled(lab, expected)
            told.append((len(origin.ends), stay))
        return told

    expected, got = both.apart(config(lines), traffic, origins={"a": waits}, logged=False)
    assert got.value == list(zip(made, left, strict=True))
    # How many HAProxy made on the way depends on which of them it had closed by then.
    assert expected.value[-1][1] == left[-1]
