"""The end of a slow start is logged: the server is up, once more."""

from __future__ import annotations

from .lab import Both, Lab, Origins
from .wire import greets

ORIGINS: Origins = {"a": greets, "b": greets}
TEXT = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  balance roundrobin
  server a <a> weight 4
  server slow <b> weight 4 slowstart 1s
  server spare <b> backup slowstart 1s
  server cut <b> slowstart 1s
"""


def test_the_end_of_a_slow_start_is_logged(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        for server in ("slow", "spare", "cut"):
            lab.command(f"disable server b/{server}")
            lab.command(f"enable server b/{server}")
        # What is cut short has no end.
        lab.command("disable server b/cut")
        lab.log.wait(9)
        return sorted(line.message for line in lab.log.lines() if " is UP. " in line.message)

    seen = both(TEXT, traffic, origins=ORIGINS, ordered=False)
    assert len(seen.value) == 2
