"""The same lines asked of a real HAProxy and of Isthmus, with the same configuration."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("isthmus.engine._native", reason="the engine is not built")
pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="there is no haproxy to compare with")

CONFIGURATION = """
global
  stats socket {folder}/s level admin
  stats socket {folder}/user level user
  nbthread 1
  maxconn 100
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s1 127.0.0.1:9 check inter 50
  server s2 127.0.0.1:9 backup weight 40
  server s3 127.0.0.1:9 track b/s1 weight 20
backend c
  balance source
  server s1 127.0.0.1:9 weight 40 maxqueue 5 maxconn 7
  server s2 127.0.0.1:9 disabled
listen l
  bind 127.0.0.1:0
  server x1 127.0.0.1:9
"""

LINES = """
show cli level
operator;show cli level
user;show cli level;show env HOME
expert-mode
expert-mode on;expert-mode
expert-mode on;expert-mode off;expert-mode
expert-mode maybe
experimental-mode on;experimental-mode;expert-mode
user;expert-mode on
get var
get var proc.x
get var txn.x
set var proc.x int(3)
experimental-mode on;set var proc.x int(3);get var proc.x
experimental-mode on;set var proc.y expr str(abc),upper;get var proc.y
experimental-mode on;set var proc.z fmt a%[int(3)]b;get var proc.z
experimental-mode on;set var proc.w var(proc.x),add(4);get var proc.w
experimental-mode on;set var proc.b bool(true);get var proc.b
experimental-mode on;set var proc.i ipv4(10.0.0.1);get var proc.i
experimental-mode on;set var proc.i ipv6(2001:db8::1);get var proc.i
user;experimental-mode on;set var proc.x int(4)
operator;get var proc.x
show env NOPE
show backend
get weight b/s2
get weight b/nope
get weight nope/s1
get weight nope
set weight b/s2
set weight b/s2 500
set weight b/s2 -1%
set weight b/s2 50%
get weight b/s2
set weight b/s2 10000%
get weight b/s2
set weight b/s2 100%
get weight b/s2
set weight c/s1 30
set weight c/s1 0
get weight c/s1
set weight c/s1 100%
set server
set server b
set server b/x state ready
set server b/s2 state foo
set server b/s2 health foo
set server b/s3 health up
set server #3/#2 state drain
set server b/s2 state ready
disable server
disable server x/x
disable server b/x
show servers state nope
show servers conn nope
show stat nope 1 -1
set timeout cli 0
set timeout foo 3
quit
show servers state
disable server l/x1
show servers state l
set server l/x1 state drain
show servers state l
set server l/x1 state ready
show servers state l
show sess 0x7
""".strip().splitlines()

STATISTICS = [
    "pxname",
    "svname",
    "qcur",
    "qmax",
    "scur",
    "smax",
    "slim",
    "stot",
    "bin",
    "bout",
    "dreq",
    "dresp",
    "ereq",
    "econ",
    "eresp",
    "wretr",
    "wredis",
    "status",
    "weight",
    "act",
    "bck",
    "chkfail",
    "chkdown",
    "qlimit",
    "pid",
    "iid",
    "sid",
    "throttle",
    "lbtot",
    "tracked",
    "type",
    "rate",
    "rate_lim",
    "rate_max",
    "check_status",
    "check_code",
    "last_chk",
    "check_desc",
    "check_rise",
    "check_fall",
    "check_health",
    "addr",
    "mode",
    "algo",
    "conn_rate",
    "conn_rate_max",
    "conn_tot",
    "dcon",
    "dses",
    "lastsess",
    "qtime",
    "ctime",
    "rtime",
    "ttime",
    "uweight",
    "srv_icur",
    "cookie",
    "agg_server_status",
]

UNKNOWN = {("BACKEND", "chkdown")}
"""What the engine does not report: that a backend lost its last server to an operator."""


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        time.sleep(0.02)


def ask(path: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(line.encode() + b"\n")
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer.decode()


def started(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program; with other ports where another process was faster to take those that were free."""
    source = Path(__file__).parents[3] / "src"
    for _ in range(5):
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", 0))
            port, second = one.getsockname()[1], other.getsockname()[1]
        text = CONFIGURATION.format(folder=folder, port=port)
        # HAProxy 2.6 takes no port 0.
        (folder / "x.cfg").write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{second}"))
        process = subprocess.Popen(
            [*command, "-db", "-f", str(folder / "x.cfg")],
            env={**os.environ, "PYTHONPATH": str(source)},
            stderr=subprocess.DEVNULL,
        )
        until(lambda: process.poll() is not None or (folder / "s").exists())  # noqa: B023
        if process.poll() is None:
            return process
    raise AssertionError(f"{command[0]} does not start")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Both programs, running; yields the folders of their sockets, HAProxy's first."""
    commands = (["haproxy"], [sys.executable, "-m", "isthmus.cli"])
    made: list[Path] = []
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in zip(("haproxy", "isthmus"), commands, strict=True):
            made.append(tmp_path_factory.mktemp(name))
            processes.append(started(command, made[-1]))
        for folder in made:
            until(lambda: ",DOWN," in ask(folder / "s", "show stat b 4 1"))  # noqa: B023
        yield made[0], made[1]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def settled(answer: str) -> str:
    """Return an answer without what has no meaning of its own: seconds, and checks of unchecked servers."""
    lines = []
    for line in answer.splitlines():
        # The namespace stands behind the columns that HAProxy has.
        words = line.removesuffix(" srv_netns").split(" ")
        if len(words) == 26 and words[0].isdecimal() and words.pop() != "-":
            raise AssertionError(line)
        if len(words) == 25 and words[0].isdecimal():
            words[9] = "t"
            if words[10] == "1":
                # What HAProxy shows of the check of a server without one changes with its maintenance.
                words[12:14] = "-", "-"
        lines.append(" ".join(words))
    return "\n".join(lines)


def test_both_answer_the_same_lines_alike(folders: tuple[Path, Path]) -> None:
    theirs, ours = ([(line, settled(ask(each / "s", line))) for line in LINES] for each in folders)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


@pytest.mark.parametrize(
    "line", ["operator", "show env", "show sess", "set weight b/s2 1", "disable server b/s2"]
)
def test_both_refuse_a_user_the_same(folders: tuple[Path, Path], line: str) -> None:
    theirs, ours = (ask(each / "user", line) for each in folders)
    assert ours == theirs == "Permission denied\n\n"


def statistics(folder: Path) -> list[dict[str, str]]:
    """Return the rows of `show stat` at a moment when no check is under way: it shows as a star."""
    rows: list[dict[str, str]] = []

    def seen_at_rest() -> bool:
        header, *lines = ask(folder / "s", "show stat").strip().splitlines()
        names = header.removeprefix("# ").split(",")
        rows[:] = [dict(zip(names, line.split(","), strict=True)) for line in lines]
        return not any(row["check_status"].startswith("*") for row in rows)

    until(seen_at_rest)
    return rows


def test_both_show_the_same_statistics(folders: tuple[Path, Path]) -> None:
    def table(folder: Path) -> list[dict[str, str]]:
        return [{name: row[name] for name in STATISTICS} for row in statistics(folder)]

    different = [
        (f"{theirs['pxname']}/{theirs['svname']} {name}", ours[name], theirs[name])
        for theirs, ours in zip(*map(table, folders), strict=True)
        for name in STATISTICS
        if ours[name] != theirs[name] and (theirs["svname"], name) not in UNKNOWN
    ]
    assert different == []


def test_every_field_of_haproxys_info_is_there_in_its_order(folders: tuple[Path, Path]) -> None:
    theirs, ours = (
        [line.partition(":")[0] for line in ask(each / "s", "show info").splitlines() if line]
        for each in folders
    )
    # Behind them is what HAProxy does not count.
    assert ours == [*theirs, "LimitedSearches"]
