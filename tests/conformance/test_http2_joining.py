"""Requests that come while the first connection to a server of HTTP/2 is being made wait for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .h2_client import Client
from .http_lab import GET, PREAMBLE, Await, state_of, statistic, until
from .http_lab import Client as OldClient
from .lab import Both, Lab

SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  bind 127.0.0.1:<old>
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:<inner> proto h2
frontend inner
  bind 127.0.0.1:<inner> proto h2
  no log
  timeout client 1s
  http-request return status 200
"""
AWAY = """
listen l
  bind 127.0.0.1:<front> proto h2
  http-reuse always
  retries 0
  timeout connect 400ms
  server s {address} proto h2
"""
TOGETHER = 30


@contextmanager
def client(lab: Lab) -> Iterator[Client]:
    with Client(socket.create_connection(("127.0.0.1", lab.ports["front"]))) as connected:
        yield connected


def asked(of: Client, count: int) -> list[int]:
    """So many streams, begun before any is answered."""
    fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
    return [of.request(fields) for _ in range(count)]


def statuses(of: Client, streams: list[int]) -> set[str]:
    return {of.head(stream)[":status"] for stream in streams}


@contextmanager
def away(program: str, folder: Path, address: str) -> Iterator[Lab]:
    lab = Lab(program, folder / "lab", PREAMBLE + AWAY.format(address=address), {})
    try:
        yield lab
    finally:
        lab.close()


def test_streams_that_come_at_once_share_one_connection(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        with client(lab) as of:
            seen = statuses(of, asked(of, TOGETHER))
        return seen, statistic(lab, "inner", "FRONTEND", "conn_tot")

    seen = both(SITE, traffic, origins={}, preamble=PREAMBLE, normal=lambda _line: "")
    assert seen.value == ({"200"}, "1")


def test_clients_of_http_1_that_come_at_once_share_one_connection(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        clients = [OldClient(lab, "old") for _ in range(TOGETHER)]
        for each in clients:
            each.send(GET)
        for each in clients:
            each.play([Await(1)])
        messages = [message for each in clients for message in each.messages()]
        seen = {message.normal(True, True, frozenset()).status for message in messages}
        return seen, statistic(lab, "inner", "FRONTEND", "conn_tot")

    seen = both(SITE, traffic, origins={}, preamble=PREAMBLE, normal=lambda _line: "")
    assert seen.value == ({200}, "1")


def test_no_more_wait_than_a_connection_may_take(program: str, tmp_path: Path) -> None:
    settings = "global\n  tune.h2.be.max-concurrent-streams 10\n"
    lab = Lab(program, tmp_path / "lab", PREAMBLE + settings + SITE, {})
    try:
        with client(lab) as of:
            assert statuses(of, asked(of, TOGETHER)) == {"200"}
        assert 1 <= int(statistic(lab, "inner", "FRONTEND", "conn_tot")) <= TOGETHER / 10 + 1
    finally:
        lab.close()


@pytest.mark.parametrize("address", ["<closed>", "<stuck>"])
def test_who_waits_for_a_connection_that_fails_fails_in_its_own_time(
    program: str, tmp_path: Path, address: str
) -> None:
    with away(program, tmp_path, address) as lab, client(lab) as of:
        began = time.monotonic()
        streams = asked(of, TOGETHER)
        assert statuses(of, streams) == {"503"}
        # One `timeout connect` for all of them, not one after the other.
        assert time.monotonic() - began < TOGETHER * 0.4 / 3
        until(lambda: len(lab.log.everything()) == TOGETHER)
        assert {state_of(line) for line in lab.log.everything()} <= {"SC", "sC"}


def test_who_gives_up_the_connection_in_the_making_leaves_it_to_the_next(
    program: str, tmp_path: Path
) -> None:
    with away(program, tmp_path, "<stuck>") as lab, client(lab) as of:
        first, *others = asked(of, 4)
        of.give_up(first)
        assert statuses(of, others) == {"503"}
        assert statuses(of, asked(of, 1)) == {"503"}
