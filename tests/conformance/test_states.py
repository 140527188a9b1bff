"""What fetches tell of our own states, as no HAProxy of ours does: `fs.debug_str`, `cpu_usage_thr`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import PREAMBLE, Client, Reply, Script, until
from .lab import Both, Lab

CONFIG = """
frontend f
  bind 127.0.0.1:<front>
  http-request set-var(txn.a) str(x)
  http-request return hdr x "%[fs.debug_str]" if { path /all }
  http-request return hdr x "%[fs.debug_str(0)]" if { path /zero }
  http-request return hdr x "%[fs.debug_str(17)]" if { path /some }
  http-request return hdr x "%[cpu_usage_thr] %[cpu_usage_grp] %[cpu_usage_proc]" if { path /usage }
  http-request return hdr x "%[dump_all_vars]" if { path /variables }
  http-response set-header x "%[bs.debug_str]"
  default_backend b
backend b
  server s <a>
"""
SIDE = re.compile(
    r"strm\.id=0 strm\.aborted=0 strm\.phase=\w+ mux=h1 mux\.streams=1 mux\.glitches=0 xprt=raw "
    r"in:bytes=\d+,pending=0,flags=\w* out:bytes=\d+,pending=0,flags=\w* fd=\d+ fd\.watch=\S+ fd\.failed=0"
)


@pytest.fixture
def lab(both: Both, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(both.candidate, tmp_path / "isthmus", PREAMBLE + CONFIG, {"a": Script((Reply(),))})
    yield lab
    lab.close()


def ask(lab: Lab, path: str) -> str:
    """What stands in field `x` of the answer."""
    client = Client(lab, "front", "a")
    client.send(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    client.read(1)
    (message,) = client.messages()
    lines = message.head.decode().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("x:"))


def idle(lab: Lab) -> int:
    line = next(line for line in lab.command("show info").splitlines() if line.startswith("Idle_pct:"))
    return int(line.partition(":")[2])


def test_states_of_both_sides_are_told(lab: Lab) -> None:
    assert SIDE.fullmatch(ask(lab, "all"))
    assert SIDE.fullmatch(ask(lab, "zero"))
    assert SIDE.fullmatch(ask(lab, "server"))
    some = ask(lab, "some")
    assert re.fullmatch(r"strm\.id=0 strm\.aborted=0 strm\.phase=\w+ fd=\d+ fd\.watch=\S+ fd\.failed=0", some)


def test_variables_are_told_with_their_scope(lab: Lab) -> None:
    assert ask(lab, "variables") == 'txn.a="x"'


def test_usage_is_that_of_the_last_second(lab: Lab) -> None:
    until(lambda: idle(lab) >= 90)
    pipelined = b"GET /usage HTTP/1.1\r\nHost: a\r\n\r\n" * 500
    shares: set[int] = set()

    def is_seen() -> bool:
        end = lab.connect()
        end.try_send(pipelined)
        while end.received.count(b"HTTP/1.1 200") < 500 and end.left is None:
            end._receive(1 << 20)
        for numbers in re.findall(rb"(?im)^x: (\d+) (\d+) (\d+)\r$", end.received):
            shares.update(map(int, numbers))
        end.finish()
        return max(shares) >= 3

    until(is_seen)
    assert min(shares) >= 0
    assert max(shares) <= 100
    assert idle(lab) <= 99
    until(lambda: idle(lab) >= 90)
