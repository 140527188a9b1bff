"""`filter bwlim-out ... key`: the connections of one key share a limit, and another key has its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .http_bodies import DEFAULTS, answers, exchange, reply, request
from .lab import Both, Lab, observe

BODY = b"x" * 50_000
CONFIG = f"""{DEFAULTS}
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  stick-table type string len 16 size 100 expire 1m store bytes_out_rate(1s)
  filter bwlim-out shared limit 100k key req.hdr(X-Key)
  http-request set-bandwidth-limit shared if {{ req.hdr(X-Key) -m found }}
  server s <a>
"""


def together(lab: Lab, keys: tuple[str, ...]) -> float:
    """How long as many clients take, each with a key of these, who begin at once."""

    def one(key: str) -> bytes:
        return exchange(lab, request(f"X-Key: {key}\r\n".encode())).body

    began = time.monotonic()
    with ThreadPoolExecutor(len(keys)) as pool:
        assert list(pool.map(one, keys)) == [BODY] * len(keys)
    return time.monotonic() - began


def test_connections_of_one_key_share_a_limit_and_others_do_not(beyond: Both, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> tuple[float, float]:
        return together(lab, ("a", "b", "c")), together(lab, ("d", "d", "d"))

    seen = observe(
        beyond.candidate, tmp_path / "lab", CONFIG, traffic, origins={"a": answers(reply(body=BODY))}
    )
    apart, shared = seen.value
    # 150,000 bytes under three limits of 100 kB a second pass at once; under one they take a while.
    assert shared > apart + 0.4, (apart, shared)
