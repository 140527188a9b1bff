"""Settings that no HAProxy of ours has, at work: sockets, workers, clients' ports, whose a status is."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path

import pytest

from . import kernel
from .http_lab import PREAMBLE as HTTP
from .lab import Lab, observe
from .wire import End, Origin

TUNED = """
global
  nbthread 4
  thread-hard-limit 3
  cpu-map 1/1 0
  cpu-map auto:1/2-3 0-1
  tune.renice.runtime 5
  tune.listener.default-shards by-process
  tune.notsent-lowat.client 20000
  tune.notsent-lowat.server 30000
  tune.cli.max-payload-size 100
frontend f
  guid front
  bind 127.0.0.1:<front> cc reno guid-prefix sockets
  bind 127.0.0.1:<other> shards by-thread
  default_backend b
backend b
  guid back
  server a <a> cc reno guid first
"""


def workers(lab: Lab) -> dict[str, tuple[set[int], int]]:
    """The processors and the priority of each worker, by its name."""
    found: dict[str, tuple[set[int], int]] = {}
    for task in Path(f"/proc/{lab.proxy.pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("worker "):
            number = int(task.name)
            found[name] = os.sched_getaffinity(number), os.getpriority(os.PRIO_PROCESS, number)
    return found


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor")
def test_sockets_and_workers_are_as_section_global_says(program: str, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> None:
        assert workers(lab) == {"worker 0": ({0}, 5), "worker 1": ({0}, 5), "worker 2": ({1}, 5)}
        own, other = (lab.ports[name] for name in ("front", "other"))
        assert kernel.listeners(lab.proxy.pid, own, "unsent", "congestion") == [
            {"unsent": 20000, "congestion": "reno"}
        ]
        assert len(kernel.listeners(lab.proxy.pid, other)) == 3
        client = lab.connect().send(b"x")
        assert client.read(2) == b"a\n"
        assert kernel.accepted(lab.proxy.pid, own, "unsent", "congestion") == [
            {"unsent": 20000, "congestion": "reno"}
        ]
        assert kernel.connected(lab.proxy.pid, lab.origin().port, "unsent", "congestion") == [
            {"unsent": 30000, "congestion": "reno"}
        ]
        shown = re.findall(
            r"([FBSL])\.\d+\.(\d+)\.\d+\.guid\.1:CNS:str:(\S+)", lab.command("show stat -1 15 -1 typed")
        )
        assert shown == [
            ("F", "0", "front"),
            ("L", "1", "sockets-0"),
            ("S", "1", "first"),
            ("B", "0", "back"),
        ]
        assert "longer than" in lab.command("add map none <<\n" + "x" * 99 + "\nyy\n")

    observe(program, tmp_path / "isthmus", TUNED, traffic)


FAULTS = """
global
  harden.reject-privileged-ports.tcp on
  http-err-codes 400-499 -404 +501
  http-fail-codes 503 +499-501
frontend f
  bind 127.0.0.1:<front>
  stick-table type ip size 10 expire 60s store http_err_cnt,http_fail_cnt
  tcp-request connection track-sc0 src
  default_backend b
backend b
  server a <a>
"""


ANSWER = b"HTTP/1.1 %s x\r\nContent-Length: 0\r\n\r\n"


def _answers(_origin: Origin, end: End) -> None:
    """Answers each request with the status that its path names."""
    while request := end.sock.recv(65536):
        status = request.split()[1].lstrip(b"/")
        end.sock.sendall(ANSWER % status)


def _privileged(port: int) -> bytes:
    """What comes of a connection from a port below 1024."""
    for own in range(1023, 600, -1):
        with socket.socket() as client:
            client.settimeout(10)
            try:
                client.bind(("127.0.0.1", own))
            except OSError:
                continue
            client.connect(("127.0.0.1", port))
            try:
                client.sendall(b"GET /200 HTTP/1.1\r\nHost: a\r\n\r\n")
                return client.recv(100)
            except ConnectionError:
                return b""
    pytest.skip("no port below 1024 is free")


def test_statuses_are_whose_fault_global_says(program: str, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> None:
        client = lab.connect()
        for status in (200, 400, 404, 499, 500, 501, 502, 503):
            client.send(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % status)
            answer = client.read(len(ANSWER % b"200"))
            assert answer.startswith(b"HTTP/1.1 %d " % status)
        shown = lab.command("show table f")
        assert re.findall(r"http_(?:err|fail)_cnt=(\d+)", shown) == ["3", "4"], shown
        if os.geteuid() == 0:
            assert _privileged(lab.ports["front"]) == b""

    observe(program, tmp_path / "isthmus", FAULTS, traffic, {"a": _answers}, HTTP)


WAITING = """
global
  max-spread-checks 50
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server soon <a> check inter 600s init-state down
  server late <a> check inter 600s rise 3 init-state fully-down
  server like <a> track b/late
  server once <a> check inter 600s
"""


def test_servers_wait_for_their_checks_as_init_state_says(program: str, tmp_path: Path) -> None:
    def statuses(lab: Lab) -> list[str]:
        shown = re.findall(r"S\.\d+\.\d+\.\d+\.status\.1:\w+:str:(.*)", lab.command("show stat typed"))
        return [status.strip() for status in shown]

    def wait_for(lab: Lab, *expected: str) -> None:
        until = time.monotonic() + 10
        while (seen := statuses(lab)) != list(expected):
            assert time.monotonic() < until, seen
            time.sleep(0.02)

    def traffic(lab: Lab) -> None:
        wait_for(lab, "UP", "DOWN 1/3", "DOWN", "UP")
        for server in ("late", "once"):
            for state in ("maint", "ready"):
                lab.command(f"set server b/{server} state {state}")
        assert statuses(lab) == ["UP", "DOWN", "DOWN", "UP"]
        lab.command("set server b/late health up")
        assert statuses(lab) == ["UP"] * 4

    observe(program, tmp_path / "isthmus", WAITING, traffic)
