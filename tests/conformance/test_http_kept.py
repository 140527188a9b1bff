"""Options that say how long connections and their servers are kept: to clients that idle while the process
stops, to a client's last server, and to peers that say nothing."""

from __future__ import annotations

import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .http_batch import numbered
from .http_exchanges import get, post
from .http_lab import GET, OK, PREAMBLE, Await, Client, Reply, Script, http_line, statistic, until
from .lab import Both, Lab
from .test_http_connections import refuses
from .wire import DEADLINE, End

IDLE = """
frontend f
  bind 127.0.0.1:<front>
  {option}
  default_backend b
backend b
  server s <a>
"""


@pytest.mark.parametrize("option", ["", "option idle-close-on-response"])
def test_an_idle_client_may_be_let_be_until_its_next_response(both: Both, option: str) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.play([GET, Await(1)])
        lab.proxy.signal(signal.SIGUSR1)
        until(lambda: refuses(lab))
        if option:
            client.play([get(b"/last"), Await(2)])
        ending = client.end.read_end()[1]
        until(lambda: not lab.proxy.is_running())
        return [message.normal(True, True, frozenset()) for message in client.messages()], ending

    both(
        IDLE.format(option=option),
        traffic,
        origins={"a": Script([Reply()])},
        preamble=PREAMBLE,
        normal=http_line,
        logged=False,
    )


QUEUE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  http-reuse never
  balance roundrobin
  option prefer-last-server
  {lines}
  server a <a> maxconn 1
  server b <b> maxconn 1
"""


def _asked(end: End, path: bytes) -> End:
    while path not in end.received or not end.received.endswith(b"\r\n\r\n"):
        assert end.read(1), end.received
    return end


# What is configured, and how many wait for the server before the client comes back to it.
@pytest.mark.parametrize(("limit", "ahead"), [("", 0), ("-1", 1), ("0", 0), ("1", 0), ("1", 1)])
def test_a_crowded_server_is_preferred_no_longer(both: Both, limit: str, ahead: int) -> None:
    def traffic(lab: Lab) -> Any:
        clients = [Client(lab) for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(get(b"/%d" % number))
            served = _asked(lab.origin("ab"[number % 2]).accept(), b"/%d" % number)
            # The last one holds the server that the first and the third were led to.
            if number < 4:
                served.send(OK)
                client.read(1)
        for client in (clients[2], clients[0])[1 - ahead :]:
            client.send(get(b"/more"))
            waiting = ahead if client is clients[2] else ahead + 1
            until(lambda count=waiting: waits(lab) == count or went_on(lab))
        ended = "elsewhere" if went_on(lab) else "waits"
        served.send(OK)
        clients[4].read(1)
        return ended

    both(
        QUEUE.format(lines=f"max-keep-alive-queue {limit}" if limit else ""),
        traffic,
        origins={"a": None, "b": None},
        preamble=PREAMBLE,
        normal=http_line,
        logged=False,
    )


def waits(lab: Lab) -> int:
    """How many wait for server a."""
    return int(statistic(lab, "b", "a", "qcur"))


def went_on(lab: Lab) -> bool:
    """Whether a request went to server b instead."""
    for end in lab.origin("b").ends:
        end.sock.setblocking(False)
        with contextlib.suppress(OSError):
            end.received += end.sock.recv(65536)
        end.sock.settimeout(DEADLINE)
    return any(b"/more" in end.received for end in lab.origin("b").ends)


TALK = """
frontend f
  mode {mode}
  bind 127.0.0.1:<front>
  timeout client {client}
  log-format %ci
  {front}
  default_backend b
backend b
  mode {mode}
  timeout server {server}
  {back}
  server s <a>
"""
INDEPENDENT = "option independent-streams"
# Each: who talks, the mode, and the options of both sides. The other is silent for longer than its timeout.
TALKS = [
    (who, mode, front, back)
    for who, mode in (("client", "tcp"), ("server", "tcp"), ("client", "http"))
    for front, back in (("", ""), (INDEPENDENT, ""), ("", INDEPENDENT), (INDEPENDENT, INDEPENDENT))
]
HEAD = post(b"x" * 100)[:-100]


def talk(lab: Lab, at: int, who: str, mode: str) -> str:
    """Whether a connection goes on over which one side alone talks."""
    client = lab.connect(f"front{at}")
    client.send(HEAD if mode == "http" else b"x")
    server = lab.origin(f"a{at}").accept()
    server.read(1)
    talks, hears = (client, server) if who == "client" else (server, client)
    for _ in range(12):
        if not talks.try_send(b"y") or not hears.read(1) or not talks.hears_nothing(0.05):
            return "ended"
    return "goes on"


def test_what_is_sent_may_be_no_sign_of_life(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        with ThreadPoolExecutor(len(TALKS)) as pool:
            each = [pool.submit(talk, lab, at, who, mode) for at, (who, mode, *_) in enumerate(TALKS)]
            return [one.result() for one in each]

    def config(who: str, mode: str, front: str, back: str) -> str:
        client, server = ("5s", "300ms") if who == "client" else ("300ms", "5s")
        return TALK.format(mode=mode, front=front, back=back, client=client, server=server)

    both(
        "".join(numbered(config(*row), at) for at, row in enumerate(TALKS)),
        traffic,
        origins={f"a{at}": None for at in range(len(TALKS))},
        preamble=PREAMBLE,
        normal=http_line,
        logged=False,
    )
