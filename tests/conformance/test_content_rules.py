"""How often content rules are walked, as both proxies do it: a condition that waits has all of them walked
again when more is known, an action that waits is gone on with.

Each row has a frontend and a table of its own, and counts its walks in it: one pair of proxies serves all.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .lab import Both, Lab
from .sink import Line
from .test_inspection import taken
from .wire import DEADLINE

COUNTS = "track-sc0 src\nsc-inc-gpc0(0)\n"
WAITS = "accept if { req.payload(5,1) -m found }"
LENGTH = "set-var(sess.x) req.len\n"
THREE = (b"ab", b"cd", b"ef")
_ASKS = threading.Lock()


@dataclass(frozen=True)
class Row:
    """Content rules, what a client sends to them, and what its log line says in the end."""

    name: str
    rules: str
    logged: str
    pieces: tuple[bytes, ...] = THREE
    back: str = ""
    delay: str = "5s"
    finishes: bool = False

    def config(self, at: int) -> str:
        def lines(rules: str) -> str:
            return "".join(f"  tcp-request content {rule}\n" for rule in rules.splitlines())

        return f"""
frontend f{at}
  bind 127.0.0.1:<f{at}>
  stick-table type ip size 10 store gpc0,conn_cnt
  tcp-request inspect-delay {self.delay}
{lines(self.rules)}
  log-format "{at} x=%[var(sess.x)] walks=%[sc0_get_gpc0] conn=%[sc0_conn_cnt] kept=%hr %ts"
  default_backend b{at}
backend b{at}
  stick-table type string len 8 size 10 store gpc0
  tcp-request inspect-delay {self.delay}
{lines(self.back).replace("src", f"src table f{at}")}
  server a <a>
"""


ROWS = (
    Row("a variable has its last value", COUNTS + LENGTH + WAITS, "x=6 walks=4 conn=1 kept= --"),
    Row("the first piece ends it", COUNTS + LENGTH + WAITS, "x=6 walks=2 conn=1 kept= --", (b"abcdef",)),
    Row(
        "a condition that held holds no more",
        COUNTS + "set-var(sess.x) int(1) if { req.len lt 4 }\n" + WAITS,
        "x=1 walks=5 conn=1 kept= --",
        delay="1500ms",
    ),
    Row(
        "a rule refuses at the second walk",
        COUNTS + LENGTH + "reject if { req.len ge 4 }\n" + WAITS,
        "x=4 walks=3 conn=1 kept= PR",
        (b"ab", b"cd"),
    ),
    Row(
        "a capture is made again",
        COUNTS + "capture req.len len 5\n" + WAITS,
        "x=- walks=4 conn=1 kept={6} --",
    ),
    Row(
        "a capture that waits is gone on with",
        COUNTS + LENGTH + "capture req.payload(5,1) len 5",
        "x=0 walks=1 conn=1 kept={f} --",
    ),
    Row(
        "a capture that waits behind a condition is gone on with",
        COUNTS + LENGTH + "capture req.payload(5,1) len 5 if { req.len lt 2 }\n" + LENGTH,
        "x=6 walks=1 conn=1 kept={f} --",
    ),
    Row(
        "an entry's key is waited for",
        COUNTS + LENGTH + "track-sc1 req.payload(5,1) table <back>",
        "x=0 walks=1 conn=1 kept= --",
    ),
    Row(
        "a capture waits, then a condition",
        "track-sc0 src\nsc-inc-gpc0(0)\ncapture req.payload(1,1) len 5\n" + LENGTH + WAITS,
        "x=6 walks=3 conn=1 kept={b} --",
    ),
    Row("the delay ends", COUNTS + LENGTH + WAITS, "x=2 walks=3 conn=1 kept= --", (b"ab",), delay="1500ms"),
    Row("the client ends", COUNTS + LENGTH + WAITS, "x=2 walks=3 conn=1 kept= --", (b"ab",), finishes=True),
    Row("a backend's rules", "", "x=6 walks=4 conn=1 kept= --", back=COUNTS + LENGTH + WAITS),
    Row(
        "what waits for the end only",
        COUNTS + LENGTH + "accept if WAIT_END",
        "x=6 walks=5 conn=1 kept= --",
        delay="1500ms",
    ),
)


def until(holds: Callable[[], object], row: Row) -> None:
    """Waits until a condition holds."""
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, row.name
        time.sleep(0.0005)


def table(lab: Lab, name: str) -> str:
    """What `show table` says; HAProxy's socket takes few connections at a time."""
    with _ASKS:
        return lab.command(f"show table {name}")


def played(lab: Lab, at: int) -> bytes:
    """Sends a row's pieces, each once the one before was read and the rules were walked."""
    row, end = ROWS[at], lab.connect(f"f{at}")
    until(lambda: re.search(r"gpc0=[1-9]", table(lab, f"f{at}")), row)
    for piece in row.pieces[:-1]:
        end.send(piece)
        until(lambda: taken(lab, end, f"f{at}"), row)
    end.send(row.pieces[-1])
    if row.finishes:
        until(lambda: taken(lab, end, f"f{at}"), row)
        end.finish()
    heard = end.read(2)
    end.finish()
    end.read_end()
    end.close()
    return heard


def shown(line: Line) -> str:
    return line.message


def test_rules_are_walked_again_as_often_as_haproxy_walks_them(both: Both) -> None:
    def traffic(lab: Lab) -> list[str]:
        with ThreadPoolExecutor(len(ROWS)) as pool:
            list(pool.map(lambda at: played(lab, at), range(len(ROWS))))
        return sorted(
            (line.message for line in lab.log.wait(len(ROWS))), key=lambda told: int(told.split()[0])
        )

    config = "".join(row.config(at).replace("<back>", f"b{at}") for at, row in enumerate(ROWS))
    seen = both(config, traffic, normal=shown, ordered=False)
    told = [line.partition(" ")[2] for line in seen.value]
    assert dict(zip((row.name for row in ROWS), told, strict=True)) == {row.name: row.logged for row in ROWS}
