"""How much is compressed: `maxcomprate` beside HAProxy; `maxcompcpuusage`, `maxzlibmem` and what bypasses
compression alone, since HAProxy as Debian builds it keeps no account of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .http_bodies import DEFAULTS, answers, chunked, exchange, reply, request
from .lab import Both, Lab, observe
from .wire import DEADLINE, Behaviour, End, Origin

PLAIN = b"Content-Type: text/plain\r\n"
GZIP = b"Accept-Encoding: gzip\r\n"
BODY = b"some text\n" * 9000


def config(limit: str = "") -> str:
    return f"""
global
  {limit}
{DEFAULTS}
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  compression algo gzip
  server s <a>
"""


def compressed(lab: Lab) -> bool:
    answer = exchange(lab, request(GZIP))
    assert answer.body
    return answer.field("content-encoding") == "gzip"


def counted(lab: Lab) -> list[list[int]]:
    """`comp_in`, `comp_byp` and `comp_rsp` of the frontend and the backend."""
    lines = lab.command("show stat").splitlines()
    names = lines[0].lstrip("# ").split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
    sides = [row for row in rows if row["svname"] in ("FRONTEND", "BACKEND")]
    return [[int(row[name]) for name in ("comp_in", "comp_byp", "comp_rsp")] for row in sides]


def info(lab: Lab, word: str) -> dict[str, int]:
    lines = [line.split(": ") for line in lab.command("show info").splitlines() if word in line]
    return {name: int(value) for name, value in lines}


@pytest.mark.parametrize("limit", ["maxcomprate 10", "set rate-limit http-compression global 10"])
def test_nothing_more_is_compressed_in_a_second_than_may_be(both: Both, limit: str) -> None:
    def traffic(lab: Lab) -> object:
        said = lab.command(limit) if limit.startswith("set") else "\n"
        # The first body takes all that a second may have; a machine that is held up may begin another one.
        first = compressed(lab)
        began = time.monotonic()
        later = [compressed(lab) for _ in range(3)]
        in_time = time.monotonic() - began < 0.5
        rows = [[row[0] - len(BODY), row[2] - 1] for row in counted(lab)]
        shown = info(lab, "Compress")
        told = (shown["CompressBpsRateLim"], shown["CompressBpsIn"] > 0, shown["CompressBpsOut"] > 0)
        return (
            said,
            first,
            *((later, rows, told) if in_time else ([False] * 3, [[0, 0]] * 2, (10240, True, True))),
        )

    text = config("" if limit.startswith("set") else limit)
    seen = both(text, traffic, origins={"a": answers(reply(PLAIN, BODY))}, logged=False)
    assert seen.value == ("\n", True, [False] * 3, [[0, 0]] * 2, (10240, True, True))


@pytest.mark.parametrize("framed", ["length", "chunks"])
def test_what_bypasses_compression_is_counted(beyond: Both, tmp_path: Path, framed: str) -> None:
    """HAProxy's manual says so of comp_byp; HAProxy 2.6 with libslz counts none."""
    said = reply(PLAIN, BODY) if framed == "length" else chunked(PLAIN)

    def traffic(lab: Lab) -> tuple[int, list[list[int]]]:
        plain, done = 0, 0
        while not plain and done < 100:
            answer = exchange(lab, request(GZIP))
            plain += len(answer.body) if answer.field("content-encoding") is None else 0
            done += 1
        return plain, counted(lab)

    # A hundred answers of 240 bytes are more than a kilobyte in any second.
    seen = observe(
        beyond.candidate, tmp_path / "lab", config("maxcomprate 1"), traffic, origins={"a": answers(said)}
    )
    plain, rows = seen.value
    assert plain > 0
    assert [row[1] for row in rows] == [plain] * 2


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline


def test_a_busy_worker_compresses_nothing(beyond: Both, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> None:
        assert compressed(lab)
        until(lambda: not compressed(lab))

    origins: dict[str, Behaviour | None] = {"a": answers(reply(PLAIN, BODY * 20))}
    observe(beyond.candidate, tmp_path / "lab", config("maxcompcpuusage 1"), traffic, origins=origins)


def begins(_origin: Origin, end: End) -> None:
    """Answers, but keeps the end to itself until the client leaves."""
    while b"\r\n\r\n" not in end.received:
        if not end.read(1):
            return
    end.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + PLAIN + b"\r\n5\r\nhello\r\n")
    end.read_end()


def test_no_more_memory_is_used_than_may_be(beyond: Both, tmp_path: Path) -> None:
    def coded(end: End) -> bool:
        head = b""
        while b"\r\n\r\n" not in head:
            byte = end.read(1)
            assert byte, head
            head += byte
        return b"Content-Encoding: gzip" in head or b"content-encoding: gzip" in head

    def opened(lab: Lab) -> End:
        end = lab.connect()
        end.send(request(GZIP))
        return end

    def traffic(lab: Lab) -> tuple[list[bool], dict[str, int]]:
        ends = [opened(lab) for _ in range(4)]
        first = [coded(end) for end in ends]
        used = info(lab, "Zlib")
        for end in ends:
            end.close()
        until(lambda: info(lab, "Zlib")["ZlibMemUsage"] == 0)
        assert coded(opened(lab))
        return first, used

    seen = observe(beyond.candidate, tmp_path / "lab", config("maxzlibmem 1"), traffic, origins={"a": begins})
    first, used = seen.value
    assert sorted(first) == [False, True, True, True]
    assert used["MaxZlibMemUsage"] == 2**20
    assert 0 < used["ZlibMemUsage"] <= 2**20
