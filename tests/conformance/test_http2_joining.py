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
from .tls_paper import Paper

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
NEGOTIATED = """
listen l
  bind 127.0.0.1:<front>
  http-reuse always
  server s 127.0.0.1:<way> ssl verify none alpn h2,http/1.1 pool-purge-delay 100ms
listen way
  mode tcp
  no log
  log-format "%ci"
  bind 127.0.0.1:<way>
  server h2 127.0.0.1:<modern>
  server h1 127.0.0.1:<old> backup
listen modern
  bind 127.0.0.1:<modern> ssl crt {paper} alpn h2,http/1.1
  no log
  http-request return status 200
listen old
  bind 127.0.0.1:<old> ssl crt {paper} alpn http/1.1
  no log
  http-request return status 200
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


def at_once(lab: Lab, listener: str, count: int) -> set[int | None]:
    """Lets so many clients ask before any is answered; the statuses that they see."""
    clients = [OldClient(lab, listener) for _ in range(count)]
    for each in clients:
        each.send(GET)
    for each in clients:
        each.play([Await(1)])
    messages = [message for each in clients for message in each.messages()]
    assert len(messages) == count
    return {message.normal(True, True, frozenset()).status for message in messages}


def test_clients_of_http_1_that_come_at_once_share_one_connection(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return at_once(lab, "old", TOGETHER), statistic(lab, "inner", "FRONTEND", "conn_tot")

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


@contextmanager
def negotiated(program: str, folder: Path, paper: Paper) -> Iterator[Lab]:
    """A server that chose HTTP/2 for a connection that is over."""
    site = NEGOTIATED.format(paper=paper["site.pem"])
    lab = Lab(program, folder / "lab", PREAMBLE + site, {})
    try:
        assert at_once(lab, "front", 1) == {200}
        assert statistic(lab, "modern", "FRONTEND", "conn_tot") == "1"
        until(lambda: statistic(lab, "way", "FRONTEND", "scur") == "0")
        yield lab
    finally:
        lab.close()


def test_who_comes_at_once_shares_what_alpn_made_one_of_http_2_before(
    program: str, tmp_path: Path, paper: Paper
) -> None:
    with negotiated(program, tmp_path, paper) as lab:
        assert at_once(lab, "front", TOGETHER) == {200}
        assert statistic(lab, "modern", "FRONTEND", "conn_tot") == "2"


def test_who_waited_for_http_2_in_vain_makes_a_connection_of_its_own(
    program: str, tmp_path: Path, paper: Paper
) -> None:
    with negotiated(program, tmp_path, paper) as lab:
        lab.command("disable server way/h2")
        for _ in range(2):
            assert at_once(lab, "front", TOGETHER) == {200}
        assert statistic(lab, "modern", "FRONTEND", "conn_tot") == "1"
        lab.command("enable server way/h2")
        until(lambda: statistic(lab, "way", "FRONTEND", "scur") == "0")
        assert at_once(lab, "front", 1) == {200}
        assert statistic(lab, "modern", "FRONTEND", "conn_tot") == "2"
