"""Real clients and a real origin through Isthmus: curl, Python's http.client, nginx; and bodies of a GiB."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import PREAMBLE, Client, until
from .lab import Lab
from .listeners import listening_ports
from .ports import Ledger
from .wire import DEADLINE, End, Origin

SITE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server s 127.0.0.1:{port}
"""
GIB = 1 << 30
PIECE = b"x" * (1 << 20)


@contextlib.contextmanager
def isthmus(programs: tuple[str, str], folder: Path, port: str | int, **origins: object) -> Iterator[Lab]:
    """An Isthmus before the origin on `port`."""
    lab = Lab(programs[1], folder / "isthmus", PREAMBLE + SITE.format(port=port), origins)  # type: ignore[arg-type]
    try:
        yield lab
    finally:
        lab.close()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[int]:
    """The port of an nginx that serves files, takes uploads and keeps connections."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("no nginx (Debian package: nginx-light)")
    ledger = Ledger()
    port = ledger.take()
    root = tmp_path / "nginx"
    (root / "www").mkdir(parents=True)
    (root / "www" / "hello").write_bytes(b"hello\n")
    (root / "www" / "big").write_bytes(PIECE * 5)
    for each in (tmp_path, *tmp_path.parents[:2], root, root / "www"):
        with contextlib.suppress(OSError):
            each.chmod(0o755)
    config = root / "nginx.conf"
    config.write_text(
        f"""daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; client_max_body_size 0; client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
  server {{ listen 127.0.0.1:{port}; root {root}/www; location /put {{ return 200 "put\\n"; }} }} }}
"""
    )
    process = subprocess.Popen([program, "-p", str(root), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: port in listening_ports())
        yield port
    finally:
        process.terminate()
        process.wait(DEADLINE)
        ledger.close()


def curl(*arguments: str, data: bytes = b"") -> bytes:
    """What curl wrote; it has to succeed."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl")
    done = subprocess.run(
        [program, "-sS", "--max-time", "20", *arguments], input=data, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


STATUS = ("-o", "/dev/null", "-w", "%{http_code} %{size_download} %{num_connects}\n")
CURLS: dict[str, tuple[tuple[str, ...], bytes, bytes]] = {
    "a download": (("<url>/hello",), b"", b"hello\n"),
    "HTTP/1.0": (("--http1.0", "<url>/hello"), b"", b"hello\n"),
    "HEAD": (("-I", *STATUS, "<url>/hello"), b"", b"200 0 1\n"),
    "keep-alive": (
        (*STATUS, "<url>/hello", *STATUS[:2], "<url>/big", *STATUS[:2], "<url>/no"),
        b"",
        b"200 6 1\n200 5242880 0\n404 ",
    ),
    "a form": (("-d", "a=b", "<url>/put"), b"", b"put\n"),
    "an upload with a length": (("-T", "<file>", "<url>/put"), b"", b"put\n"),
    "an upload in chunks": (("-T", "-", "<url>/put"), PIECE * 3, b"put\n"),
    "100-continue": (("-H", "Expect: 100-continue", "-d", "@<file>", "<url>/put"), b"", b"put\n"),
    "a range": (("-r", "1-3", "<url>/hello"), b"", b"ell"),
    "a download that is slowed down": (
        (*STATUS, "--limit-rate", "20M", "<url>/big"),
        b"",
        b"200 5242880 1\n",
    ),
}


@pytest.mark.parametrize("name", CURLS)
def test_curl_gets_through(programs: tuple[str, str], tmp_path: Path, nginx: int, name: str) -> None:
    arguments, data, expected = CURLS[name]
    (tmp_path / "upload").write_bytes(PIECE * 2)
    with isthmus(programs, tmp_path, nginx) as lab:
        url = f"http://127.0.0.1:{lab.ports['front']}"
        named = [each.replace("<url>", url).replace("<file>", str(tmp_path / "upload")) for each in arguments]
        assert curl(*named, data=data).startswith(expected)


def test_python_keeps_one_connection_for_many_requests(
    programs: tuple[str, str], tmp_path: Path, nginx: int
) -> None:
    with isthmus(programs, tmp_path, nginx) as lab:
        client = http.client.HTTPConnection("127.0.0.1", lab.ports["front"], timeout=DEADLINE)
        client.connect()
        first = client.sock
        for _ in range(50):
            client.request("GET", "/hello")
            assert client.getresponse().read() == b"hello\n"
        client.request("POST", "/put", body=iter([PIECE, PIECE]), encode_chunked=True)
        assert client.getresponse().read() == b"put\n"
        assert client.sock is first
        client.close()


def resident(lab: Lab) -> int:
    """The proxy's resident memory, MiB."""
    status = Path(f"/proc/{lab.proxy.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024


def pour(sock: socket.socket) -> None:
    for _ in range(GIB // len(PIECE)):
        sock.sendall(PIECE)


def drain(sock: socket.socket, count: int) -> int:
    """Reads `count` bytes, or as many as come."""
    space = bytearray(len(PIECE))
    got = 0
    while got < count and (size := sock.recv_into(space, min(len(space), count - got))):
        got += size
    return got


@pytest.mark.slow
def test_a_gib_goes_up_without_growing_memory(programs: tuple[str, str], tmp_path: Path) -> None:
    drained: list[int] = []

    def takes(_origin: Origin, end: End) -> None:
        while not end.received.endswith(b"\r\n\r\n"):
            end.received += end.sock.recv(1)
        drained.append(drain(end.sock, GIB))
        end.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with isthmus(programs, tmp_path, "<a_port>", a=takes) as lab:
        client = Client(lab)
        before, began = resident(lab), time.monotonic()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIB)
        sender = threading.Thread(target=pour, args=(client.end.sock,))
        sender.start()
        highest = before
        while sender.is_alive():
            highest = max(highest, resident(lab))
            sender.join(0.05)
        client.read(1)
        assert drained == [GIB]
        assert highest - before < 8
        print(f"{time.monotonic() - began:.1f} s, {highest - before} MiB more")


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_a_gib_comes_down_without_growing_memory(
    programs: tuple[str, str], tmp_path: Path, framing: str
) -> None:
    fields = {
        "length": b"Content-Length: %d\r\n" % GIB,
        "chunks": b"Transfer-Encoding: chunked\r\n",
        "close": b"",
    }

    def gives(_origin: Origin, end: End) -> None:
        while not end.received.endswith(b"\r\n\r\n"):
            end.received += end.sock.recv(1)
        end.sock.sendall(b"HTTP/1.1 200 OK\r\n" + fields[framing] + b"\r\n")
        if framing == "chunks":
            end.sock.sendall(b"%x\r\n" % GIB)
        pour(end.sock)
        if framing == "chunks":
            end.sock.sendall(b"\r\n0\r\n\r\n")
        if framing == "close":
            end.close()

    with isthmus(programs, tmp_path, "<a_port>", a=gives) as lab:
        client = Client(lab)
        before = resident(lab)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        got = drain(client.end.sock, GIB // 2)
        middle = resident(lab)
        got += drain(client.end.sock, GIB // 2)
        assert got == GIB
        assert max(middle, resident(lab)) - before < 8
