"""`maxsslconn`, `maxsslrate` and their figures; `tune.ssl.maxrecord` and `hard-maxrecord` on the wire."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Both, Lab
from .tls_paper import Paper

FIELDS = ("MaxSslConns", "CurrSslConns", "CumSslConns", "SslRateLimit")
SIZE = 100_000


def config(paper: Paper, settings: str) -> str:
    return f"""
global
  nbthread 1
  stats socket <stats> level admin
  {settings}
defaults
  mode http
  timeout client 9s
  timeout connect 9s
  timeout server 9s
frontend front
  bind 127.0.0.1:<front> ssl crt {paper["site.pem"]}
  http-request return status 200 content-type text/plain string "hello" unless {{ path /out }}
  default_backend out
frontend plain
  bind 127.0.0.1:<plain>
  default_backend out
backend out
  http-reuse never
  server s <a> ssl verify none
"""


@contextlib.contextmanager
def connected(lab: Lab, patience: float = 9) -> Iterator[ssl.SSLSocket]:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", lab.ports["front"]), patience) as wire,
        client.wrap_socket(wire) as secured,
    ):
        yield secured


def asked(secured: ssl.SSLSocket) -> bytes:
    secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return secured.recv(12)


def info(lab: Lab) -> list[str]:
    lines = dict(line.split(": ", 1) for line in lab.command("show info").splitlines() if ": " in line)
    return [lines[name] for name in FIELDS]


def until(lab: Lab, current: str) -> None:
    end = time.monotonic() + 8
    while info(lab)[1] != current:
        assert time.monotonic() < end, info(lab)
        time.sleep(0.02)


def test_connections_of_tls_are_counted_and_wait_above_the_limit(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> list[object]:
        seen: list[object] = [info(lab)]
        with connected(lab) as first, connected(lab) as second:
            seen += [asked(first), asked(second), info(lab)]
            # A third one waits until another goes.
            with pytest.raises(TimeoutError), connected(lab, 0.3):
                pass
            seen.append(info(lab)[1])
        until(lab, "0")
        with connected(lab) as third:
            seen.append(asked(third))
        return seen

    seen = both(config(paper, "maxsslconn 2"), traffic, preamble="", origins={"a": None}, logged=False).value
    assert seen[0] == ["2", "0", "0", "0"]
    assert seen[3] == ["2", "2", "2", "0"]


def test_connections_with_servers_count_too(both: Both, paper: Paper) -> None:
    """They are never refused; what they leave is for clients."""

    def traffic(lab: Lab) -> list[str]:
        client = lab.connect("plain")
        client.send(b"GET /out HTTP/1.1\r\nHost: x\r\n\r\n")
        server = lab.origin().accept()
        server.read(3)
        during = info(lab)
        server.close()
        client.close()
        until(lab, "0")
        return during

    seen = both(config(paper, "maxsslconn 1"), traffic, preamble="", origins={"a": None}, logged=False).value
    assert seen == ["1", "1", "1", "0"]


def test_more_than_so_many_in_a_second_wait(both: Both, paper: Paper) -> None:
    def five(lab: Lab) -> float:
        began = time.monotonic()
        for _ in range(5):
            with connected(lab) as secured:
                assert asked(secured) == b"HTTP/1.1 200"
        return time.monotonic() - began

    def traffic(lab: Lab) -> list[object]:
        # Two in a second leave a second and a half between the first and the fifth, or little less. A
        # busy machine makes it longer, limit or not, so that without one the best of some tries counts.
        seen: list[object] = [info(lab)[3], five(lab) > 0.9]
        seen.append(lab.command("set rate-limit ssl-sessions global 0"))
        return [*seen, info(lab)[3], any(five(lab) < 0.9 for _ in range(9))]

    seen = both(config(paper, "maxsslrate 2"), traffic, preamble="", origins={"a": None}, logged=False).value
    assert (seen[0], seen[1], seen[-2], seen[-1]) == ("2", True, "0", True)


def records(lab: Lab, requests: int) -> list[list[int]]:
    """The lengths of the records of each answer to a few requests of one connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = context.wrap_bio(arriving, leaving)
    raw = b""
    with socket.create_connection(("127.0.0.1", lab.ports["front"]), 9) as wire:

        def until_done(work: object) -> object:
            nonlocal raw
            while True:
                try:
                    done = work()  # type: ignore[operator]
                except ssl.SSLWantReadError:
                    wire.sendall(leaving.read())
                    data = wire.recv(65536)
                    assert data
                    raw += data
                    arriving.write(data)
                else:
                    wire.sendall(leaving.read())
                    return done

        until_done(secured.do_handshake)
        found = []
        for _ in range(requests):
            raw = b""
            secured.write(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            wire.sendall(leaving.read())
            got = b""
            while not got.endswith(b"END"):
                part = until_done(lambda: secured.read(65536))
                assert isinstance(part, bytes)
                got += part
            found.append(lengths(raw))
    return found


def lengths(raw: bytes) -> list[int]:
    found = []
    while raw:
        length = int.from_bytes(raw[3:5], "big")
        if raw[0] == 23:
            found.append(length)
        raw = raw[5 + length :]
    return found


@pytest.mark.parametrize(
    ("settings", "first", "last"),
    [
        ("tune.ssl.hard-maxrecord 1000", 1000, 1000),
        ("tune.ssl.maxrecord 1400", 1400, 16384),
        ("tune.ssl.maxrecord 1400\n  tune.ssl.hard-maxrecord 3000", 1400, 3000),
    ],
)
def test_records_hold_no_more_than_they_may(
    both: Both, paper: Paper, settings: str, first: int, last: int
) -> None:
    """How soon the larger ones begin is each proxy's own; that answers begin with small ones is not."""
    body = Path(paper["body.txt"])
    body.write_text("x" * SIZE + "END")
    text = config(paper, f"{settings}\n  tune.bufsize 131072").replace('string "hello"', f"file {body}")

    def traffic(lab: Lab) -> list[tuple[bool, bool, bool]]:
        # A nonce and a tag stand around the data.
        most = 8 + 16
        seen = records(lab, 2)
        return [
            (answer[0] <= first + most, max(answer) <= last + most, len(answer) > SIZE // 16384)
            for answer in seen
        ]

    seen = both(text, traffic, preamble="", origins={"a": None}, logged=False).value
    assert seen == [(True, True, True)] * 2
