"""Bodies to and from services: what is long flows, and neither memory nor others pay for it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .http_lab import Client, until
from .service_lab import ask, asking, bodies, column, seen, serving, words

GIBIBYTE = 1 << 30


# What a gibibyte may add to the process, KiB: windows, buffers, and Python's own noise.
MOST_GROWTH = 48 * 1024


def memory(pid: int) -> int:
    """The process's memory now, KiB."""
    found = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], int]]:
    """How far a process's memory rose above what it was."""
    before, highest, over = memory(pid), [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            highest[0] = max(highest[0], memory(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: highest[0] - before
    finally:
        over.set()
        thread.join()


def test_fifty_slow_services_stall_nobody_on_one_worker(program: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(program, tmp_path, settings="  tune.python.threads 8") as lab:
        slow = [Client(lab) for _ in range(50)]
        for at, client in enumerate(slow):
            client.send(asking(f"{'async-waits' if at % 2 else 'waits'}?for={gate}"))
        until(lambda: column(lab, "req_tot") == 50)
        quick = Client(lab)
        took = []
        for number in range(1, 501):
            began = time.monotonic()
            quick.send(asking("plain"))
            quick.read(number)
            took.append(time.monotonic() - began)
        assert not any(each.end.received for each in slow)
        gate.touch()
        for client in slow:
            client.read(1)
            assert bodies(client) == [b"waited"]
    # On an idle machine it is a millisecond; a stalled worker would need as long as the slow ones wait.
    assert sorted(took)[int(len(took) * 0.99)] < 0.25


@pytest.mark.parametrize("name", ["flood", "async-flood"])
def test_a_gibibyte_from_a_service_does_not_grow_the_process(program: str, name: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        assert ask(lab, f"{name}?n=1")[0] == 200
        client = lab.connect()
        with watched(lab.proxy.pid) as growth:
            client.send(asking(f"{name}?n=1024", b"Connection: close\r\n"))
            got, tail = 0, b""
            while piece := client.sock.recv(1 << 20):
                got += len(piece)
                tail = (tail + piece)[-7:]
        assert got > GIBIBYTE
        assert tail == b"\r\n0\r\n\r\n"
        assert growth() < MOST_GROWTH


def test_a_client_that_takes_nothing_holds_the_service_and_no_memory(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        assert ask(lab, "flood?n=1")[0] == 200
        client = lab.connect()
        note = tmp_path / "note"
        with watched(lab.proxy.pid) as growth:
            client.send(asking(f"flood?n=256&note={note}"))
            seen_before = [0]

            def stands() -> bool:
                """Whether nothing more was made while another exchange went by."""
                before, seen_before[0] = seen_before[0], len(words(note))
                return ask(lab, "hello")[0] == 200 and before == seen_before[0] > 0

            until(stands)
            # What the kernel holds of a connection, and our windows: a few mebibytes.
            assert seen_before[0] < 64
            assert growth() < MOST_GROWTH


@pytest.mark.parametrize("name", ["count", "async-count"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_of_a_gibibyte_does_not_grow_the_process(
    program: str, name: str, chunked: bool, tmp_path: Path
) -> None:
    piece = b"x" * (1 << 20)
    count = 1024 if name == "async-count" else 256
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        with watched(lab.proxy.pid) as growth:
            length = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: %d\r\n"
            framing = length if chunked else length % (len(piece) * count)
            client.end.send(asking(name, framing, b"POST"))
            sent = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
            for _ in range(count):
                client.end.sock.sendall(sent)
            if chunked:
                client.end.send(b"0\r\n\r\n")
            client.sent = asking(name)
            client.read(1)
        (message,) = seen(client)
        assert (message.status, message.body) == (200, str(len(piece) * count).encode())
        assert growth() < MOST_GROWTH


@pytest.mark.parametrize("name", ["mirror", "async-mirror"])
def test_a_body_flows_both_ways_at_once(program: str, name: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking(name, b"Transfer-Encoding: chunked\r\n", b"POST"))
        for word in (b"one", b"two"):
            client.send(b"%x\r\n%b\r\n" % (len(word), word))
            until(lambda word=word: client.end._receive(65536) and word in client.end.received)
        client.send(b"0\r\n\r\n")
        client.read(1)
        assert bodies(client) == [b"onetwo"]
        assert client.is_alive()
