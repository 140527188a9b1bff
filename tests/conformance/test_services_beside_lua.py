"""A service in Python answers as one in Lua does with HAProxy: to the client, in the log, in the counters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

from .http_batch import numbered, of_row
from .http_lab import GET, PREAMBLE, Await, Client, Step, http_line
from .http_message import Message
from .lab import Both, Lab, Origins, assert_same, differ_in_a_wait_only, observe
from .sink import Line
from .wire import greets

SERVED = Path(__file__).parent / "served"
HEAD = GET.replace(b"GET", b"HEAD")
OLD = b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"
KEPT = b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
POST = b"POST /p/q?r HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
CHUNKED = (
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n"
)
EXPECTS = b"POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
COLUMNS = ("stot", "dreq", "ereq", "econ", "eresp", "req_tot", "hrsp_2xx", "hrsp_5xx", "lbtot", "cli_abrt")


@dataclass(frozen=True)
class Row:
    """A service, what the client sends, where the rule stands, and rules beside it."""

    name: str
    service: str
    sends: tuple[Step, ...] = (GET,)
    messages: int = 1
    where: str = "frontend"
    rules: str = ""

    def config(self, prefix: str) -> str:
        rule = (
            f"  http-request use-service {prefix}.{self.service} unless {{ path /again }}\n  {self.rules}\n"
        )
        front, back = (rule, "") if self.where == "frontend" else ("", rule)
        return f"""
frontend f
  bind 127.0.0.1:<front>
  http-request return status 200 if {{ path /again }}
  default_backend b
{front}
backend b
{back}
  server s <a>
"""


AFTER = "http-after-response set-header x-after 1"
ROWS = (
    Row("a whole body", "hello"),
    Row("a body in pieces", "pieces"),
    Row("a head alone", "created"),
    Row("HEAD of a whole body", "hello", (HEAD,)),
    Row("HEAD of pieces", "pieces", (HEAD,)),
    Row("an old client that keeps its connection", "hello", (KEPT,)),
    Row("requests behind each other", "hello", (GET + GET + HEAD + GET,), 4),
    Row("pieces behind each other", "pieces", (GET + GET,), 2),
    Row("a request body", "echo", (POST,)),
    Row("a request body behind another", "echo", (POST + POST,), 2),
    Row("a request body in chunks", "echo", (CHUNKED + POST,), 2),
    Row("an invited request body", "echo", (EXPECTS, Await(1), b"abcde"), 2),
    Row("a request body that nobody reads", "hello", (POST + GET,), 2),
    Row("a body that comes late and nobody reads", "hello", (POST[:-3], Await(1), POST[-3:] + GET), 2),
    Row("a late answer", "late"),
    Row("in a backend", "hello", where="backend"),
    Row("pieces in a backend", "pieces", (GET + GET,), 2, where="backend"),
    Row("rules of the frontend", "hello", rules=AFTER),
    Row("rules of the backend", "pieces", where="backend", rules=AFTER),
    Row("rules for responses", "hello", rules="http-response set-header x-resp 1"),
    Row("a response that is denied", "hello", rules="http-response deny status 503"),
    Row("a status that a rule sets", "hello", rules="http-after-response set-status 202"),
    Row("a rule behind it that does not count", "hello", rules="http-request deny"),
    Row("a failure", "broken"),
    Row("a failure, and a request behind it", "broken", (GET + GET,), 2, rules=AFTER),
    Row("a failure in a backend", "broken", where="backend"),
)


def play(lab: Lab, row: Row, at: int) -> dict[str, Any]:
    client = Client(lab, f"front{at}", f"a{at}")
    client.play(row.sends)
    client.read(row.messages)
    alive = client.is_alive()
    ending = client.last()
    return {
        "client": [masked(each.normal(True, True, frozenset({"date"}))) for each in client.messages()],
        "alive": alive,
        "ending": ending,
        "counted": counted(lab, f"-{at}"),
    }


def masked(message: Message) -> Message:
    # A table of Lua's has no order.
    return replace(message, fields=tuple(sorted(message.fields)))


def counted(lab: Lab, mark: str) -> dict[str, dict[str, str]]:
    """What is counted of the proxies whose names end in this."""
    head, *rows = lab.command("show stat").strip().removeprefix("# ").splitlines()
    names = head.split(",")
    found = (dict(zip(names, each.split(","), strict=False)) for each in rows)
    return {
        f"{each['pxname'].removesuffix(mark)}/{each['svname']}": {key: each[key] for key in COLUMNS}
        for each in found
        if each["pxname"].endswith(mark)
    }


def line(logged: Line) -> str:
    return re.sub(r"<(lua|python)\.", "<", http_line(logged))


def observed(program: str, prefix: str, load: str, folder: Path, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What each row lets us see, all rows being played with one process."""
    sites = (numbered(row.config(prefix), at) for at, row in enumerate(rows))
    origins: Origins = {f"a{at}": greets for at in range(len(rows))}

    def traffic(lab: Lab) -> list[dict[str, Any]]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(play, repeat(lab), rows, range(len(rows))))

    config = "\n".join([f"global\n  {load}", *sites])
    seen = observe(program, folder, config, traffic, origins, PREAMBLE, line)
    assert seen.status == 0
    each_row = [of_row(seen, at).compared for at in range(len(rows))]
    for compared in each_row:
        # What a service says when it fails is the language's own.
        compared["logs"] = [each for each in compared["logs"] if "on purpose" not in each]
    return each_row


def test_services_answer_as_those_in_lua_do(beyond: Both, tmp_path: Path) -> None:
    left: Sequence[Row] = ROWS
    wrong: list[str] = []
    for attempt in range(3):
        ways = (
            (beyond.reference, "lua", f"lua-load {SERVED}/services.lua", tmp_path / f"lua{attempt}", left),
            (
                beyond.candidate,
                "python",
                f"python-load {SERVED}/services.py",
                tmp_path / f"python{attempt}",
                left,
            ),
        )
        with ThreadPoolExecutor(2) as pool:
            theirs, ours = pool.map(observed, *zip(*ways, strict=True))
        wrong, again = [], []
        for row, expected, got in zip(left, theirs, ours, strict=True):
            if differ_in_a_wait_only(expected, got):
                # A loaded machine may have held one of the two up: what is real shows again.
                again.append(row)
            try:
                assert_same(expected, got)
            except AssertionError as error:
                wrong.append(f"{row.name}:\n{error}")
        assert len(wrong) == len(again), "\n\n".join(wrong)
        left = again
        if not left:
            return
    raise AssertionError("\n\n".join(wrong))
