"""Floods of HTTP/2 frames at a running Isthmus: connections end, memory stays, origins see little of it."""

from __future__ import annotations

import select
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hpack import Encoder

from .http_lab import PREAMBLE, Reply, Script, until
from .http_message import split_requests
from .lab import Lab
from .wire import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
ENHANCE_YOUR_CALM = 11
SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  http-request deny if { path /denied }
  default_backend b
backend b
  server s <a>
"""
# Most that a client may send before it must have been stopped, and most that the process may grow by.
MOST = 200_000
GROWTH = 8 << 20


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + struct.pack("!I", stream) + payload


def head(path: str = "/", *fields: tuple[str, str], method: str = "GET") -> bytes:
    asked = ((":method", method), (":scheme", "http"), (":authority", "a"), (":path", path), *fields)
    return Encoder().encode(asked)


def requests(path: str, end: bool = True) -> Iterator[tuple[int, bytes]]:
    """Streams and the frames that open them, each with a block that needs no table."""
    block = head(path)
    flags = END_HEADERS | (END_STREAM if end else 0)
    for stream in range(1, 2 * MOST, 2):
        yield stream, frame(HEADERS, stream, block, flags)


def rapid_reset() -> Iterator[bytes]:
    """CVE-2023-44487"""
    for stream, opening in requests("/"):
        yield opening + frame(RST, stream, struct.pack("!I", 8))


def made_to_reset() -> Iterator[bytes]:
    """CVE-2025-8671: the server is made to reset its streams, by windows of no size."""
    for stream, opening in requests("/", end=False):
        yield opening + frame(WINDOW, stream, struct.pack("!I", 0))


def settings() -> Iterator[bytes]:
    return (frame(SETTINGS, 0) for _ in range(MOST))


def pings() -> Iterator[bytes]:
    return (frame(PING, 0, bytes(8)) for _ in range(MOST))


def priorities() -> Iterator[bytes]:
    return (frame(PRIORITY, 1, bytes(5)) for _ in range(MOST))


def unknown() -> Iterator[bytes]:
    return (frame(0xFA, 0, b"x") for _ in range(MOST))


def empty_data() -> Iterator[bytes]:
    yield frame(HEADERS, 1, head("/", method="POST"), END_HEADERS)
    yield from (frame(DATA, 1) for _ in range(MOST))


def windows() -> Iterator[bytes]:
    yield frame(HEADERS, 1, head("/", method="POST"), END_HEADERS)
    yield from (frame(WINDOW, 1, struct.pack("!I", 1)) for _ in range(MOST))


def continuations() -> Iterator[bytes]:
    """CVE-2024-27316"""
    yield frame(HEADERS, 1, head())
    yield from (frame(CONTINUATION, 1) for _ in range(MOST))


def long_block() -> Iterator[bytes]:
    """A block that grows without end."""
    yield frame(HEADERS, 1, head())
    piece = b"".join(b"\x00\x04abcd\x7f\x80\x01" + b"v" * 255 for _ in range(60))
    yield from (frame(CONTINUATION, 1, piece) for _ in range(MOST))


def bomb() -> Iterator[bytes]:
    """One large field in the table, named again and again: each byte becomes four thousand."""
    block = head() + b"\x40\x01a\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 4000
    for stream in range(1, 2 * MOST, 2):
        yield frame(HEADERS, stream, block, END_HEADERS | END_STREAM)


def crumbs() -> Iterator[bytes]:
    """Fields of no length, as many as there is room for."""
    block = head() + b"\x00\x01a\x00" * 3900
    for stream in range(1, 2 * MOST, 2):
        yield frame(HEADERS, stream, block, END_HEADERS | END_STREAM)


def denied() -> Iterator[bytes]:
    """Requests whose answers nobody reads."""
    return (opening for _, opening in requests("/denied"))


FLOODS = (
    rapid_reset,
    made_to_reset,
    settings,
    pings,
    priorities,
    unknown,
    empty_data,
    windows,
    continuations,
    long_block,
    bomb,
    crumbs,
)


@pytest.fixture(scope="module")
def lab(programs: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("floods") / "isthmus"
    made = Lab(programs[1], folder, PREAMBLE + SITE, {"a": Script((Reply(),))})
    yield made
    made.close()


def memory(lab: Lab) -> int:
    """Bytes of the process that are in memory."""
    text = Path(f"/proc/{lab.proxy.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) * 1024


def flood(port: int, frames: Iterator[bytes], reads: bool = True) -> tuple[bytes, int, bool]:
    """What came back, how many bytes were sent, and whether the connection was ended."""
    heard, sent = b"", 0
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(PREFACE + frame(SETTINGS, 0))
        client.settimeout(0.5)
        batch = b""
        try:
            for each in frames:
                batch += each
                if len(batch) < 16384:
                    continue
                client.sendall(batch)
                sent += len(batch)
                batch = b""
                if reads and select.select([client], [], [], 0)[0]:
                    heard += client.recv(1 << 20)
            client.sendall(batch)
        except TimeoutError:
            return heard, sent, False
        except OSError:
            pass
        client.settimeout(DEADLINE)
        with suppress(OSError):
            while piece := client.recv(1 << 20):
                heard += piece
    return heard, sent, True


def codes(heard: bytes) -> list[int]:
    """Why the server said that it left."""
    found = []
    while len(heard) >= 9:
        length = int.from_bytes(heard[:3], "big")
        if heard[3] == GOAWAY:
            found.append(int.from_bytes(heard[13:17], "big"))
        heard = heard[9 + length :]
    return found


def asked(lab: Lab) -> int:
    return sum(len(split_requests(end.received)) for end in lab.origin().ends)


@pytest.mark.parametrize("frames", FLOODS)
def test_a_flood_ends_its_connection_and_costs_little(lab: Lab, frames: object) -> None:
    assert callable(frames)
    before, seen = memory(lab), asked(lab)
    heard, sent, ended = flood(lab.ports["front"], frames())
    assert ended
    assert sent < 20_000_000
    # A reset that discards what was still to be read may take GOAWAY with it.
    assert set(codes(heard)) <= {ENHANCE_YOUR_CALM, 1, 9}
    assert memory(lab) - before < GROWTH
    # Streams that were whole are asked for until the flood is known for one.
    assert asked(lab) - seen <= 600
    still_serves(lab)


def test_a_client_that_reads_nothing_is_read_no_more(lab: Lab) -> None:
    before = memory(lab)
    _, sent, _ = flood(lab.ports["front"], denied(), reads=False)
    assert sent < 4_000_000
    assert memory(lab) - before < GROWTH
    still_serves(lab)


def still_serves(lab: Lab) -> None:
    """Others are served, and nothing is at work any more."""
    url = f"http://127.0.0.1:{lab.ports['front']}/"
    words = ["curl", "-sS", "--http2-prior-knowledge", "--max-time", "10", url]
    assert subprocess.run(words, capture_output=True, check=True).stdout == b"ok"
    until(lambda: "CurrConns: 0" in lab.command("show info"))
