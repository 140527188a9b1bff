"""Bytes under TLS: at the edge, encrypted anew towards the server, and passed through by SNI."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import GET, PREAMBLE, Reply, Script, until
from .lab import Both, Lab
from .test_http_clients import PIECE, nginx
from .tls_paper import Paper
from .wire import DEADLINE

__all__ = ["nginx"]

SITE = """
frontend edge
  bind 127.0.0.1:<edge> ssl crt {paper}
  http-request silent-drop if {{ path /dropped }}
  use_backend taken if {{ path /taken }}
  default_backend plain
backend taken
  server s <a>
backend plain
  server s 127.0.0.1:{port}
frontend dropping
  mode tcp
  option tcplog
  bind 127.0.0.1:<dropping> ssl crt {paper}
  tcp-request content silent-drop
  default_backend passed
frontend again
  bind 127.0.0.1:<again> ssl crt {paper}
  default_backend sealed
backend sealed
  http-reuse always
  server s 127.0.0.1:<edge> ssl verify none sni hdr(host),host_only
frontend through
  mode tcp
  option tcplog
  bind 127.0.0.1:<through>
  tcp-request inspect-delay 3s
  tcp-request content accept if {{ req.ssl_hello_type 1 }}
  use_backend passed if {{ req.ssl_sni -i passed.example }}
backend passed
  mode tcp
  server s 127.0.0.1:<edge>
"""


@contextlib.contextmanager
def proxied(program: str, folder: Path, paper: Paper, port: str | int, **origins: object) -> Iterator[Lab]:
    config = PREAMBLE + SITE.format(paper=paper["site.pem"], port=port)
    lab = Lab(program, folder / "isthmus", config, origins)  # type: ignore[arg-type]
    try:
        yield lab
    finally:
        lab.close()


def curl(lab: Lab, name: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl")
    port = lab.ports[name]
    connect = f"passed.example:{port}:127.0.0.1:{port}"
    return subprocess.run(
        [program, "-sSk", "--max-time", "20", "--connect-to", connect, *options],
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["edge", "again", "through"])
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_large_bodies_arrive_both_ways(
    programs: tuple[str, str], tmp_path: Path, paper: Paper, nginx: int, name: str, version: str, tls: str
) -> None:
    (tmp_path / "upload").write_bytes(PIECE * 2)
    with proxied(programs[1], tmp_path, paper, nginx, a=Script((Reply(),))) as lab:
        url = f"https://passed.example:{lab.ports[name]}"
        common = (version, f"--tlsv{tls}", "--tls-max", tls)
        down = curl(lab, name, *common, "--limit-rate", "30M", f"{url}/big", "-w", "%{http_version}")
        assert down.returncode == 0, down.stderr.decode()
        expected = b"2" if version == "--http2" else b"1.1"
        assert down.stdout == PIECE * 5 + expected
        up = curl(lab, name, *common, "-T", str(tmp_path / "upload"), f"{url}/taken")
        assert (up.returncode, up.stdout) == (0, b"ok")
        assert len(PIECE * 2) < len(lab.origin().ends[0].received)


def test_a_connection_to_a_server_serves_many_requests(
    programs: tuple[str, str], tmp_path: Path, paper: Paper, nginx: int
) -> None:
    with proxied(programs[1], tmp_path, paper, nginx, a=None) as lab:
        for _ in range(5):
            url = f"https://passed.example:{lab.ports['again']}/hello"
            assert curl(lab, "again", url).stdout == b"hello\n"
        rows = [line.split(",") for line in lab.command("show stat").splitlines()]
        place = rows[0].index("stot")
        edge = next(row for row in rows if row[0] == "edge" and row[1] == "FRONTEND")
        assert edge[place] == "1"


def test_a_body_that_is_cut_does_not_look_whole(
    programs: tuple[str, str], tmp_path: Path, paper: Paper
) -> None:
    reply = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=True)
    with proxied(programs[1], tmp_path, paper, "<a_port>", a=Script((reply,))) as lab:
        done = curl(lab, "edge", "--http1.1", f"https://passed.example:{lab.ports['edge']}/")
        assert done.returncode != 0


def test_a_silent_drop_leaves_a_client_of_tls_waiting(
    programs: tuple[str, str], tmp_path: Path, paper: Paper
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with proxied(programs[1], tmp_path, paper, "<a_port>", a=Script((Reply(),))) as lab:
        place = ("127.0.0.1", lab.ports["edge"])
        with socket.create_connection(place, DEADLINE) as plain, context.wrap_socket(plain) as client:
            client.sendall(GET)
            while not client.recv(4096).endswith(b"ok"):
                pass
            client.sendall(b"GET /dropped HTTP/1.1\r\nHost: a\r\n\r\n")
            # Longer than the kernel waits before it sends again what is not acknowledged.
            client.settimeout(0.6)
            with pytest.raises(TimeoutError):
                client.recv(1)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("line", [("edge", b"GET /dropped HTTP/1.1\r\nHost: a\r\n\r\n"), ("dropping", b"")])
def test_a_silent_drop_waits_for_the_acknowledgement_of_the_handshake(
    programs: tuple[str, str], tmp_path: Path, paper: Paper, version: ssl.TLSVersion, line: tuple[str, bytes]
) -> None:
    """It would meet no socket any more, and be answered with a reset, as with HAProxy."""
    name, asks = line
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with proxied(programs[1], tmp_path, paper, "<a_port>", a=Script((Reply(),))) as lab:
        clients = [context.wrap_socket(lab.connect(name).sock) for _ in range(4)]
        for client in clients:
            client.settimeout(0.6)
            client.sendall(asks)
        for client in clients:
            with client, pytest.raises(TimeoutError):
                client.recv(1)


def test_a_connection_that_ends_says_so_within_tls(
    programs: tuple[str, str], tmp_path: Path, paper: Paper
) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with proxied(programs[1], tmp_path, paper, "<a_port>", a=Script((Reply(),))) as lab:
        raw = lab.connect("edge").sock
        with context.wrap_socket(raw, server_hostname="x", suppress_ragged_eofs=False) as client:
            client.settimeout(DEADLINE)
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            heard = b""
            # Without the closing alert this raises an error.
            while piece := client.recv(65536):
                heard += piece
        assert heard.endswith(b"ok")
        until(lambda: "edge" in lab.command("show stat"))


def test_a_client_of_an_old_version_is_told_so(both: Both, paper: Paper) -> None:
    # ClientHellos of TLS 1.0 and 1.1 with a suite of that time.
    def hello(version: int) -> bytes:
        body = bytes((3, version)) + bytes(32) + b"\0" + b"\0\2\xc0\x13" + b"\1\0"
        message = b"\1" + len(body).to_bytes(3) + body
        return b"\x16\3\1" + len(message).to_bytes(2) + message

    def play(lab: Lab) -> object:
        answers = []
        for version in (1, 2):
            client = lab.connect("front")
            client.send(hello(version))
            # The alert's own version aside, which OpenSSL takes from the client.
            answers.append(client.read(7)[-2:])
        return answers

    config = f"""
frontend f
  bind 127.0.0.1:<front> ssl crt {paper["site.pem"]}
  tcp-request connection accept
"""
    seen = both(config, play, logged=False)
    assert seen.value == [b"\x02\x46", b"\x02\x46"]
