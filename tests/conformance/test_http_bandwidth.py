"""`filter bwlim-out` and `bwlim-in`: no faster than is said. HAProxy 2.6 does not have them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .http_bodies import DEFAULTS, answers, exchange, reply, request
from .lab import Both, Lab, observe
from .wire import End, Origin

BODY = b"x" * 120_000


def config(kind: str, rule: str) -> str:
    return f"""{DEFAULTS}
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  filter {kind} slow default-limit 100k default-period 1s
  {rule} set-bandwidth-limit slow limit int(40000)
  server s <a>
"""


@pytest.mark.parametrize(("kind", "rule"), [("bwlim-out", "http-response"), ("bwlim-in", "http-request")])
def test_a_limited_body_takes_its_time_and_arrives_whole(
    beyond: Both, kind: str, rule: str, tmp_path: Path
) -> None:
    sends = kind == "bwlim-in"
    length = f"Content-Length: {len(BODY)}\r\n".encode()
    asked = request(length, b"POST") + BODY if sends else request()

    def timed(lab: Lab) -> tuple[int, bool, float]:
        began = time.monotonic()
        answer = exchange(lab, asked)
        arrived = bytes(lab.origin().ends[0].received) if sends else answer.body
        return answer.status, arrived.endswith(BODY), time.monotonic() - began

    def behave(origin: Origin, end: End) -> None:
        if not sends:
            answers(reply(body=BODY))(origin, end)
            return
        while not end.received.endswith(BODY):
            end.received += end.sock.recv(65536)
        end.try_send(reply())

    got = observe(beyond.candidate, tmp_path / "lab", config(kind, rule), timed, origins={"a": behave})
    status, whole, seconds = got.value
    assert (status, whole) == (200, True)
    # 120,000 bytes at 40,000 a second, of which the first 40,000 may pass at once.
    assert 1.5 < seconds < 20
