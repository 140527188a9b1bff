"""Several workers that take each other's connections, while the server closes them at any moment or says what
nobody asked for, and servers come and go: no answer is another request's."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from .http_lab import PREAMBLE, until
from .lab import Lab
from .tls_paper import Paper
from .wire import End, Origin

SITE = """
global
  nbthread 4
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  balance random
  http-reuse always
  server s {server}
  server t {server} pool-low-conn 2
"""
TLS = """
listen way
  mode tcp
  no log
  log-format "%ci"
  bind 127.0.0.1:<way> ssl crt {paper}
  server a <a>
"""
STRAY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
CLIENTS = 8
REQUESTS = 150
ROUNDS = 8


def restless(_origin: Origin, end: End) -> None:
    """Answers with the path that it was asked for, and ends the connection in every way that there is."""
    chance = random.Random(end.peer[1])
    end.sock.settimeout(chance.uniform(0.01, 0.3))
    # Silence that was too long ends it, too.
    with suppress(OSError):
        while path := asked(end):
            way = chance.choices(("answer", "stray", "close", "reset", "silent"), (80, 5, 5, 5, 5))[0]
            if way != "silent":
                answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path)
                end.sock.sendall(answer + (STRAY if way == "stray" else b""))
            if way == "reset":
                end.reset()
            if way not in ("answer", "stray"):
                break
    end.close()


def asked(end: End) -> bytes:
    """The path of the next request; nothing once the proxy has left."""
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = end.sock.recv(65536)
        if not chunk:
            return b""
        head += chunk
    return head.split(b" ")[1]


def answered(end: End) -> bytes:
    """The next answer; nothing where the proxy left instead."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        chunk = end.sock.recv(65536)
        if not chunk:
            return b""
        answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n")[0])
    return answer + end.read(length - len(body))


def ask(lab: Lab, number: int) -> Counter[bytes]:
    """A client's requests, over connections of several each; how many came to what."""
    seen: Counter[bytes] = Counter()
    chance = random.Random(number)
    end = lab.connect()
    for at in range(REQUESTS):
        if chance.random() < 0.2:
            end.close()
            end = lab.connect()
        path = f"/{number}/{at}"
        answer = b""
        with suppress(ConnectionError):
            end.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answer = answered(end)
        status = answer[9:12]
        assert status != b"200" or answer.endswith(b"\r\n\r\n" + path.encode()), (path, answer)
        seen[status] += 1
        if not answer:
            end.close()
            end = lab.connect()
    end.close()
    return seen


def come_and_go(lab: Lab, over: threading.Event) -> None:
    """Adds a server and deletes it again: a new plan each time, to which idle connections go over."""
    port = lab.origin("a").port
    for _ in range(ROUNDS):
        assert "registered" in lab.command(f"add server b/x 127.0.0.1:{port}")
        lab.command("enable server b/x")
        over.wait(0.1)
        lab.command("disable server b/x")
        until(lambda: "deleted" in lab.command("del server b/x"))


@pytest.mark.parametrize("tls", [False, True])
def test_no_answer_is_another_requests(program: str, tmp_path: Path, paper: Paper, tls: bool) -> None:
    site = SITE.format(server="127.0.0.1:<way> ssl verify none" if tls else "<a>")
    if tls:
        site += TLS.format(paper=paper["site.pem"])
    lab = Lab(program, tmp_path / "lab", PREAMBLE.replace("log global", "no log") + site, {"a": restless})
    try:
        with ThreadPoolExecutor(CLIENTS + 1) as pool:
            over = threading.Event()
            coming = pool.submit(come_and_go, lab, over)
            asking = [pool.submit(ask, lab, number) for number in range(CLIENTS)]
            seen = sum((each.result() for each in asking), Counter())
            over.set()
            coming.result()
        assert seen.total() == CLIENTS * REQUESTS
        assert set(seen) <= {b"200", b"502", b"503", b""}
        assert seen[b"200"] > CLIENTS * REQUESTS / 2, seen
        until(lambda: all_is_counted(lab))
    finally:
        lab.close()


def all_is_counted(lab: Lab) -> bool:
    """Whether nothing is used and nothing idles: the origin ends what is silent."""
    head, *lines = lab.command("show servers conn b").splitlines()
    names = head.split()[1:]
    rows = [dict(zip(names, line.split(), strict=False)) for line in lines if line.strip()]
    used, idle = (sum(int(row[name]) for row in rows) for name in ("used_cur", "idle_cur"))
    return len(rows) == 2 and used == 0 and idle == 0
