"""The life of HTTP connections: timeouts, queues, refusals of unread bodies, slow ends, the graceful stop."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from .http_lab import (
    GET,
    OK,
    PREAMBLE,
    Arrived,
    Client,
    Exchange,
    Reply,
    Script,
    compare,
    http_line,
    until,
)
from .lab import Both, Lab

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
SITE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server s <a>
"""
TIMEOUTS = [
    Exchange("a head that never ends", (GET[:-2],), front="timeout http-request 500ms"),
    Exchange("a client that says nothing", (), front="timeout http-request 500ms"),
    Exchange("a client's silence, no http-request", (GET[:-2],), front="timeout client 500ms"),
    Exchange(
        "a body that never ends",
        (HEAD + b"half", Arrived(b"half")),
        front="timeout client 500ms",
        back="timeout server 1s",
        beyond="timeout client strikes while the client is awaited; HAProxy lets timeout server strike",
        ours=(408,),
    ),
    Exchange("a server that never answers", replies=(Reply(b""),), back="timeout server 500ms"),
    Exchange(
        "a server that stops in its body", replies=(Reply(OK[:-1]),), back="timeout server 500ms", messages=9
    ),
    Exchange("a connection idles for too long", front="timeout http-keep-alive 500ms", messages=9),
    Exchange("a connection idles, http-request", front="timeout http-request 500ms", messages=9),
    Exchange("a connection idles, client", front="timeout client 500ms", messages=9),
    Exchange(
        "the second head never ends",
        (GET + GET[:-2],),
        front="timeout http-request 500ms\ntimeout http-keep-alive 3s",
        messages=9,
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in TIMEOUTS])
def test_a_timeout_strikes_alike(both: Both, row: Exchange) -> None:
    compare(both, row)


def play(both: Both, config: str, traffic: Any, script: Script | None = None, **options: Any) -> Any:
    return both(
        config,
        traffic,
        origins={"a": script or Script([Reply()])},
        preamble=PREAMBLE,
        normal=http_line,
        **options,
    ).value


REFUSALS = {
    "deny": "http-request deny",
    "return": 'http-request return status 200 content-type text/plain string "hello"',
    "redirect": "http-request redirect location /x",
}


@pytest.mark.parametrize("rule", REFUSALS.values(), ids=REFUSALS)
def test_a_client_that_sends_on_reads_the_whole_refusal(both: Both, rule: str) -> None:
    """A reset would destroy the answer before it is read."""

    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(20):
            client.send(b"x" * 50_000)
        client.read(1)
        return [message.normal(True, True, frozenset()).status for message in client.messages()]

    site = SITE.replace("default_backend", f"{rule}\n  default_backend")
    seen = both.apart(site, traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line)
    assert len(seen[1].value) == 1


def test_a_queue_of_one_serves_keep_alive_clients_in_turn(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        clients = [Client(lab) for _ in range(3)]
        for _ in range(3):
            for client in clients:
                client.send(GET)
        for client in clients:
            client.read(3)
            client.last()
        return [[message.whole for message in client.messages()] for client in clients]

    site = SITE.replace("server s <a>", "server s <a> maxconn 1")
    play(both, site, traffic, logged=False)


def test_a_graceful_stop_ends_idle_connections_and_finishes_the_others(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        idle, busy = Client(lab), Client(lab)
        idle.play([GET])
        served = lab.origin().accept()
        served.read(len(GET))
        served.send(OK)
        idle.read(1)
        busy.play([GET])
        until(lambda: sum(len(end.received) for end in lab.origin().ends) > 0)
        lab.proxy.signal(signal.SIGUSR1)
        return idle.end.read_end()[1]

    play_bare(both, traffic)


def play_bare(both: Both, traffic: Any) -> Any:
    return both(SITE, traffic, origins={"a": None}, preamble=PREAMBLE, normal=http_line, logged=False).value


def test_the_answer_during_a_graceful_stop_closes(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.send(GET)
        server = lab.origin().accept()
        while not server.received.endswith(b"\r\n\r\n"):
            server.read(1)
        lab.proxy.signal(signal.SIGUSR1)
        until(lambda: refuses(lab))
        server.send(OK)
        client.read(1)
        ending = client.end.read_end()[1]
        until(lambda: not lab.proxy.is_running())
        return [message.normal(True, True, frozenset()) for message in client.messages()], ending

    play_bare(both, traffic)


def refuses(lab: Lab) -> bool:
    """Whether nobody listens any more."""
    try:
        lab.connect().close()
    except OSError:
        return True
    return False


def resident(pid: int) -> int:
    """The process's resident memory, KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


SIZE = 64 * 1024 * 1024


def test_memory_stays_flat_while_a_client_reads_slowly(both: Both) -> None:
    """The origin's answer is held back, not kept."""

    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.send(GET)
        until(lambda: lab.origin().ends)
        before = resident(lab.proxy.pid)
        got = len(client.end.read(1_000_000))
        grown = resident(lab.proxy.pid) - before
        assert grown < 8 * 1024, f"{grown} KiB more"
        got += len(client.end.read(SIZE - 900_000))
        return got

    big = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + b"x" * SIZE)
    play(both, SITE, traffic, Script([big]), logged=False)


def test_memory_stays_flat_while_an_origin_reads_slowly(both: Both) -> None:
    """The client's body is held back, not kept."""

    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        before = resident(lab.proxy.pid)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE)
        server = lab.origin().accept()
        client.end.sock.settimeout(0.5)
        sent = client.end.try_send(b"x" * SIZE)
        grown = resident(lab.proxy.pid) - before
        assert grown < 8 * 1024, f"{grown} KiB more"
        server.close()
        return sent

    assert play_bare(both, traffic) is False


def test_a_refused_body_is_swallowed_up_to_16_mib_and_no_further(beyond: Both) -> None:
    """RFC 9112, 9.6: the client reads its answer, and cannot hold the proxy for ever."""

    def traffic(lab: Lab) -> tuple[list[int], int]:
        client = Client(lab)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
        client.read(1)
        statuses = [message.normal(True, True, frozenset()).status for message in client.messages()]
        piece, sent = b"x" * (1 << 20), 0
        # Beside what is swallowed the kernels' buffers take some.
        while sent < 64 and client.end.try_send(piece):
            sent += 1
        return statuses, sent

    site = SITE.replace("default_backend", "http-request deny\n  default_backend")
    got = beyond.apart(site, traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line)[
        1
    ]
    assert got.value[0] == [403]
    assert 15 <= got.value[1] < 40


def test_a_refused_client_that_stays_is_left_after_five_seconds(beyond: Both) -> None:
    def traffic(lab: Lab) -> float:
        client = Client(lab)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        client.end.read_end()
        # The proxy has finished; that sending fails says that it is gone.
        until(lambda: not client.end.try_send(b"x"))
        return client.end.age()

    site = SITE.replace("default_backend", "http-request deny\n  default_backend")
    got = beyond.apart(site, traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line)[
        1
    ]
    assert 3 < got.value < 9
