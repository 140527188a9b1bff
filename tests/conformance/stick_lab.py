"""A site with stick tables, and many rows of it in one configuration: each has tables of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .lab import Both, Lab, assert_same
from .wire import DEADLINE, End, Origin

ONE, TWO = "127.0.0.1", "127.0.0.2"
PREAMBLE = """
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  log global
  mode http
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  timeout tarpit 10ms
"""
SITE = """
frontend f
  bind 127.0.0.1:<front>
  stick-table type ip size 100 expire 1h store {stored}
{front}
  default_backend b
backend b
  balance roundrobin
{back}
  server a <a>
  server b <b>
backend names
  stick-table type string len 8 size 3 store gpc0,http_req_cnt
backend arrays
  stick-table type ipv6 size 100 expire 1h store gpt(3),gpc(3),gpc_rate(3,1h)
backend numbers
  stick-table type integer size 10 store gpc0
"""


def says(origin: Origin, end: End) -> None:
    """An origin that answers with the status that stands in the path, and its own name."""
    while head := end.read(1):
        while not head.endswith(b"\r\n\r\n"):
            more = end.read(1)
            if not more:
                return
            head += more
        status = head.split(b" ")[1].strip(b"/")[:3]
        if status == b"999":
            return
        body = origin.name.encode()
        given = re.search(rb"(?i)\r\ngive: (.*)\r\n", head)
        field = b"id: " + (given[1] if given else b"-")
        text = b"HTTP/1.1 %s X\r\nContent-Length: %d\r\n%s\r\n\r\n" % (status, len(body), field)
        end.send(text + body)
        if b"\r\nConnection: close\r\n" in head:
            # In TCP mode nobody else would end it.
            end.close()
            return


def request(path: str, fields: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n".encode()


class Place:
    """One row's part of a lab: its frontend and its tables bear the row's number."""

    def __init__(self, lab: Lab, at: int | None = None) -> None:
        self.lab = lab
        self._front = "front" if at is None else f"front{at}"
        self._mark = "" if at is None else f"-{at}"

    def ask(self, path: str, source: str, fields: str = "") -> str:
        """The status and the body that a request on its own connection gets; nothing where it gets none."""
        end = self.lab.connect(self._front, source=source)
        end.try_send(request(path, fields))
        received, _ = end.read_end()
        end.close()
        found = re.match(rb"HTTP/1\.1 (\d+).*?\r\n\r\n(.*)\Z", received, re.DOTALL)
        if not found:
            return "-"
        # Error pages have words of their own.
        return f"{found[1].decode()} {self._plain(found[2].decode()) if found[1] == b'200' else ''}"

    def shown(self, table: str) -> list[str]:
        """A table's lines once nobody tracks an entry, without what differs from run to run."""
        deadline = time.monotonic() + DEADLINE
        while True:
            text = self._plain(self.lab.command(f"show table {table}{self._mark}"))
            if not re.search(r" use=[1-9]", text) or time.monotonic() > deadline:
                return masked(text)
            time.sleep(0.01)

    def _plain(self, text: str) -> str:
        return re.sub(rf"\b({_OWN}){self._mark}\b", r"\1", text) if self._mark else text


def masked(text: str) -> list[str]:
    text = re.sub(r"(?m)^0x[0-9a-f]+: ", "", text)
    # HAProxy orders integers by their bytes in memory.
    return sorted(re.sub(r" exp=[1-9][0-9]*", " exp=N", text).strip().splitlines())


@dataclass(frozen=True)
class Play:
    """A row: a whole site, and what is done with it."""

    name: str
    config: str
    traffic: Callable[[Place], object]


_OWN = "f|b|t|names|arrays|numbers"
# A name of a row's own where it stands as a word: behind a keyword, or as an argument.
_NAMED = re.compile(rf"(?m)(?<=[ (,])({_OWN})(?=[ ,)]|$)")


def play_all(both: Both, rows: Iterable[Play]) -> None:
    """Plays the rows through one pair of proxies, and tells of each in which these differ."""
    table = list(rows)
    sites = (
        _NAMED.sub(rf"\1-{at}", row.config).replace("<front>", f"<front{at}>") for at, row in enumerate(table)
    )

    def traffic(lab: Lab) -> list[object]:
        def one(at: int) -> object:
            try:
                return table[at].traffic(Place(lab, at))
            except AssertionError as error:
                return f"{type(error).__name__}: {error}"

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, range(len(table))))

    origins = {"a": says, "b": says}
    expected, got = both.apart("\n".join(sites), traffic, origins=origins, preamble=PREAMBLE)
    wrong = []
    for row, theirs, ours in zip(table, expected.value, got.value, strict=True):
        try:
            assert not str(theirs).startswith("AssertionError"), theirs
            assert_same(theirs, ours)
        except AssertionError as error:
            wrong.append(f"{row.name}:\n{row.config}\n{error}")
    assert not wrong, f"{len(wrong)} of {len(table)} rows:\n" + "\n\n".join(wrong)


def indented(text: str) -> str:
    return "\n".join(f"  {line.strip()}" for line in text.splitlines())
