"""What the cases of endings and of timeouts in TCP mode share."""

from __future__ import annotations

DRIVEN = {"a": None}


def config(frontend: str = "", backend: str = "", server: str = "<a>", more: str = "") -> str:
    return f"""
frontend f
  bind 127.0.0.1:<front>
  default_backend b
  {frontend}
backend b
  {backend}
  server a {server} {more}
"""
