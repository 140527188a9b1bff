"""Sockets that a proxy is started with: `fd@` and `sockpair@`."""

from __future__ import annotations

from .lab import Both
from .wire import End


def hello(end: End) -> bytes:
    heard = end.read(2)
    end.finish().read_end()
    end.close()
    return heard


def test_a_listener_that_was_open_before_the_start(both: Both) -> None:
    text = """
frontend f
  bind fd@<front_fd>
  log-format "%ci:%cp %fi:%fp %[so_name]"
  default_backend b
backend b
  server a <a>
"""
    seen = both(text, lambda lab: [hello(lab.connect()) for _ in range(3)])
    assert seen.value == [b"a\n"] * 3
    assert len(seen.logs) == 3


def test_connections_are_passed_over_a_socketpair(both: Both) -> None:
    """The server's connection is made of nothing: the listener is handed one end of it."""
    text = """
frontend outer
  bind 127.0.0.1:<front>
  default_backend pair
backend pair
  server s sockpair@<left> send-proxy-v2
frontend inner
  bind sockpair@<right> accept-proxy
  default_backend b
backend b
  server a <a>
"""
    seen = both(text, lambda lab: [hello(lab.connect(source="127.0.0.9")) for _ in range(3)], ordered=False)
    assert seen.value == [b"a\n"] * 3
    assert sorted(line.f for line in seen.logs) == ["inner"] * 3 + ["outer"] * 3
