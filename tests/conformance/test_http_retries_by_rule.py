"""`set-retries`, which HAProxy has since 3.4: how often a request went out, and what the log says of it."""

from __future__ import annotations

import re
from pathlib import Path

from .http_batch import played
from .http_exchanges import get, ok
from .http_lab import Await, Exchange, Reply, Step

FAILED = Reply(ok(status=b"500 X"))
SITE = """listen l
  bind 127.0.0.1:<front>
  retry-on 500
  retries 1
  {lines}
  server s <a>
"""
AWAY = """frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  timeout connect 50ms
  retries 2
  {lines}
  server s 127.0.0.1:1
"""
ELSEWHERE = """listen l
  bind 127.0.0.1:<front>
  {lines}
  use_backend b
  server s <a>
backend b
  retry-on 500
  retries 1
  server s <a>
"""
# Each: its name, the site, its lines, the requests' own field, and how often each was tried again.
ROWS = (
    ("as configured", SITE, "", (b"",), (1,)),
    ("a number", SITE, "http-request set-retries 3", (b"",), (3,)),
    ("none", SITE, "http-request set-retries 0", (b"",), (0,)),
    ("content rules", SITE, "tcp-request content set-retries 2", (b"",), (2,)),
    ("the last rule", SITE, "http-request set-retries 3\n  http-request set-retries int(2)", (b"",), (2,)),
    # What is no number from 0 to 100 changes nothing, and each request has its own.
    (
        "an expression",
        SITE,
        "http-request set-retries req.hdr(n)",
        (b"3", b"101", b"-1", b"0", b""),
        (3, 1, 1, 0, 1),
    ),
    ("failed connects", AWAY, "http-request set-retries 1", (b"",), (1,)),
    ("failed connects, none", AWAY, "http-request set-retries 0", (b"",), (0,)),
    ("failed connects as configured", AWAY, "", (b"",), (2,)),
    # What a listen says is for its own servers.
    ("in another backend", ELSEWHERE, "http-request set-retries 3", (b"",), (1,)),
)


def exchange(name: str, site: str, lines: str, values: tuple[bytes, ...]) -> Exchange:
    """One request after the other, each with its number in a field."""
    sends: list[Step] = []
    for number, value in enumerate(values, 1):
        sends += (get(fields=b"N: %b\r\n" % value), Await(number))
    return Exchange(name, tuple(sends), (FAILED,), site=site.format(lines=lines), messages=len(values))


def test_a_rule_says_how_often_a_request_is_tried_again(program: str, tmp_path: Path) -> None:
    rows = [exchange(*row[:4]) for row in ROWS]
    for row, seen in zip(ROWS, played(program, tmp_path / "isthmus", rows), strict=True):
        told = tuple(int(re.search(r" rc=\+?(\d+)", line.message)[1]) for line in seen.logs)  # type: ignore[index]
        assert told == row[4], row[0]
        if row[1] is SITE:
            sent = sum(len(each) for each in seen.value["origin"])
            assert sent == sum(row[4]) + len(row[4]), row[0]
