"""Settings of HTTP mode that change what is kept of an exchange, and how fast its pieces pass."""

from __future__ import annotations

import time
from typing import Any

import pytest

from .http_exchanges import get
from .http_lab import PREAMBLE, Client, Exchange, compare, http_line
from .lab import Both, Lab
from .wire import End, Origin

LONG = get(b"/" + b"x" * 100)
COOKIE = get(fields=b"Cookie: abc=" + b"x" * 100 + b"\r\n")


def _tuned(setting: str) -> str:
    return f"global\n  {setting}"


ROWS = [
    *(
        Exchange(f"logurilen {length}", (LONG,), settings=_tuned(f"tune.http.logurilen {length}"))
        for length in (19, 20, 40, 200)
    ),
    *(
        Exchange(
            f"cookielen {length}",
            (COOKIE,),
            settings=_tuned(f"tune.http.cookielen {length}"),
            front="capture cookie abc len 80",
        )
        for length in (19, 63, 64, 90)
    ),
    Exchange("cookielen as it is", (COOKIE,), front="capture cookie abc len 80"),
    Exchange("a shorter capture", (COOKIE,), front="capture cookie abc len 20"),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_logs_keep_so_much(both: Both, row: Exchange) -> None:
    compare(both, row)


ROUNDS = 40
# Nagle's algorithm and a delayed ACK cost 40 ms in each round.
TOO_LONG = ROUNDS * 0.035


def _echo(origin: Origin, end: End) -> None:
    """Answers at once, and sends each chunk back as it comes."""
    end.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    begun = False
    while chunk := end.sock.recv(65536):
        end.received += chunk
        if not begun:
            begun, chunk = True, chunk.partition(b"\r\n\r\n")[2]
        if chunk:
            end.sock.sendall(chunk)


@pytest.mark.parametrize("side", ["front", "back"])
def test_http_no_delay_lets_each_piece_pass_at_once(both: Both, side: str) -> None:
    """An application that talks in chunks within one exchange."""
    option = "option http-no-delay"
    case = Exchange("", front=option) if side == "front" else Exchange("", back=option)

    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        began = time.monotonic()
        heard = 0
        for number in range(ROUNDS):
            client.send(b"2\r\n%02d\r\n" % number)
            while b"\r\n%02d\r\n" % number not in client.end.received:
                client.end._receive(65536)
            heard += 1
        taken = time.monotonic() - began
        assert taken < TOO_LONG, f"{taken:.2f} s for {ROUNDS} rounds"
        client.send(b"0\r\n\r\n")
        client.read(1)
        return heard

    both(case.config(), traffic, origins={"a": _echo}, preamble=PREAMBLE, normal=http_line, logged=False)
