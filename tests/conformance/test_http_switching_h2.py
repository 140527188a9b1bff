"""Connections in mode tcp that become HTTP/2, over TLS with ALPN and in clear, beside HAProxy."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .h2_client import Client
from .http_lab import PREAMBLE, Reply, Script, has_received, until
from .lab import Both, Lab, assert_same
from .proxy import is_haproxy
from .test_http2 import PREFACE, SETTINGS, received
from .tls_paper import Paper

LOG = (
    'log-format "%f b=%b s=%s ts=%ts v=%[var(sess.v)] m=%[fc_http_major] a=%[ssl_fc_alpn]'
    ' u=%[capture.req.uri] rc=%rc "'
)
DELAY = "tcp-request inspect-delay 3s"
# What each frontend does with what comes over TLS, or in clear.
FRONTS = {
    "any": (f"{DELAY}\ntcp-request content switch-mode http if HTTP", True),
    "by_alpn": (
        "tcp-request content switch-mode http proto h2 if { ssl_fc_alpn h2 }\n"
        "use_backend t unless { ssl_fc_alpn h2 }",
        True,
    ),
    "as_h2": ("tcp-request content switch-mode http proto h2", True),
    "as_h1": (f"{DELAY}\ntcp-request content switch-mode http proto h1", True),
    "implicit": ("use_backend c if { path /c }", True),
    "with_rules": (
        f"tcp-request content set-var(sess.v) int(5)\n{DELAY}\ntcp-request content switch-mode http if HTTP\n"
        "http-request set-header x-v %[var(sess.v)]\nhttp-request set-header x-version %[req.ver]\n"
        "http-request set-header x-sni %[ssl_fc_sni]\nhttp-response set-header x-major %[fc_http_major]\n"
        "http-request deny deny_status 429 if { path /denied }\nuse_backend c if { path /c }",
        True,
    ),
    "refusing": (
        f"{DELAY}\ntcp-request content switch-mode http if HTTP\ntcp-request content reject",
        True,
    ),
    "clear": (f"{DELAY}\ntcp-request content switch-mode http if HTTP\ntcp-request content reject", False),
    "clear_h2": ("tcp-request content switch-mode http proto h2", False),
    "clear_by_version": (
        f"{DELAY}\ntcp-request content switch-mode http if {{ req.ver 2.0 }}\n"
        "tcp-request content reject if HTTP",
        False,
    ),
}
BACKS = """
backend b
  mode http
  server s <a>
backend c
  mode http
  http-request set-header x-backend c
  server s <a>
backend t
  mode tcp
  server s <a>
"""


def site(certificate: str) -> str:
    """A frontend for each kind, and the backends."""
    fronts = []
    for name, (lines, tls) in FRONTS.items():
        secured = f"ssl crt {certificate} alpn h2,http/1.1" if tls else ""
        rules = "\n".join(f"  {each}" for each in lines.splitlines())
        fronts.append(
            f"frontend {name}\n  mode tcp\n  bind 127.0.0.1:<{name}> {secured}\n  {LOG}\n{rules}\n"
            "  default_backend b\n"
        )
    return "\n".join([*fronts, BACKS])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    paper = Paper(tmp_path_factory.mktemp("paper"))
    paper.authority("self", "/CN=self")
    return paper["self.pem"]


def curl(lab: Lab, front: str, *options: str, path: str = "/") -> list[str]:
    """Heads and bodies that curl got, and how it ended."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl")
    tls = FRONTS[front][1]
    version = () if any("--http1" in each for each in options) else ("--http2",)
    version = version if tls else ("--http2-prior-knowledge",)
    port = lab.ports[front]
    url = f"{'https' if tls else 'http'}://site.test:{port}{path}"
    done = subprocess.run(
        [
            program,
            "-sk",
            "-i",
            "--max-time",
            "10",
            "--connect-to",
            f"::127.0.0.1:{port}",
            *version,
            *options,
            url,
        ],
        capture_output=True,
        check=False,
    )
    text = re.sub(r"(?m)^(date|server): .*\r\n", "", done.stdout.decode("latin-1"))
    text = re.sub(r"content-length: \d+\r\n(?=(?:.+\r\n)*\r\n<html>)", "", text)
    return [re.sub(r"(?s)<html>.*?</html>\n?", "<page>", text), str(done.returncode)]


@contextmanager
def client(lab: Lab, front: str) -> Iterator[Client]:
    sock: socket.socket = socket.create_connection(("127.0.0.1", lab.ports[front]))
    if FRONTS[front][1]:
        sock = secured(sock, ["h2"])
    with Client(sock) as connected:
        yield connected


def secured(sock: socket.socket, protocols: list[str]) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(protocols)
    return context.wrap_socket(sock, server_hostname="site.test")


def streams(lab: Lab, front: str) -> object:
    """Three streams side by side, with bodies, and one behind them."""
    with client(lab, front) as of:
        begun = [asked(of, path, "POST", end=False) for path in ("/one", "/c", "/two")]
        for stream in reversed(begun):
            of.send(stream, b"x" * 1000)
        for stream in begun:
            of.finish(stream)
        seen = [(of.head(stream)[":status"], of.body(stream)) for stream in begun]
        last = asked(of, "/last")
        return [*seen, (of.head(last)[":status"], of.body(last))]


def given_up(lab: Lab, front: str) -> object:
    """A stream that its client gives up, and one behind it."""
    with client(lab, front) as of:
        first = asked(of, f"/{front}-given-up", "POST", end=False)
        of.send(first, b"x")
        until(lambda: has_received(lab.origin(), b"-given-up".join((front.encode(), b" "))))
        of.give_up(first)
        last = asked(of, "/last")
        return of.head(last)[":status"], of.body(last)


def asked(of: Client, path: str, method: str = "GET", *, end: bool = True) -> int:
    return of.request(
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "site.test")], end=end
    )


def in_pieces(lab: Lab, front: str) -> object:
    """A preface that comes byte by byte."""
    sock: socket.socket = socket.create_connection(("127.0.0.1", lab.ports[front]))
    if FRONTS[front][1]:
        sock = secured(sock, ["h2"])
    sock.settimeout(10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in PREFACE + SETTINGS:
        sock.sendall(bytes([byte]))
    # SETTINGS of the other side come first.
    kind = b""
    while len(kind) < 4:
        kind += sock.recv(4 - len(kind))
    sock.close()
    return kind[3]


def raw(lab: Lab, front: str, data: bytes, protocols: list[str]) -> object:
    """What is answered to these bytes: the beginning of it."""
    sock: socket.socket = socket.create_connection(("127.0.0.1", lab.ports[front]))
    if FRONTS[front][1]:
        sock = secured(sock, protocols)
    sock.settimeout(10)
    sock.sendall(data)
    heard = b""
    try:
        while piece := sock.recv(65536):
            heard += piece
    except ConnectionResetError:
        pass
    sock.close()
    return heard[:12]


@dataclass(frozen=True)
class Case:
    """What a client does at a frontend, and how many lines are logged of it."""

    name: str
    front: str
    plays: Callable[[Lab, str], object]
    lines: int = 1
    # What the clients see, where we mean to differ.
    theirs: str = ""
    ours: str = ""


def fetched(*options: str, path: str = "/") -> Callable[[Lab, str], object]:
    return lambda lab, front: curl(lab, front, *options, path=path)


def uploaded(lab: Lab, front: str) -> object:
    file = lab.folder / "upload"
    file.write_bytes(b"u" * 100_000)
    return curl(lab, front, "-T", str(file))


GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# Our SETTINGS do not wait for the client's preface; GOAWAY behind them may be left out (RFC 9113, 3.4).
TOLD = (1, repr(b""), repr(b"\0\0\x18\4\0\0\0\0\0\0\3\0"))
CASES = (
    Case("a rule that switches what is HTTP", "any", fetched()),
    Case("the same, of HTTP/1", "any", fetched("--http1.1")),
    Case("the same, without ALPN", "any", fetched("--http1.1", "--no-alpn")),
    Case("an upload", "any", uploaded),
    Case("streams", "any", streams, 4),
    Case("a stream given up", "any", given_up, 2),
    Case("by what ALPN agreed on", "by_alpn", fetched()),
    Case("by what ALPN did not agree on", "by_alpn", fetched("--http1.1")),
    Case("streams by ALPN", "by_alpn", streams, 4),
    Case("always HTTP/2", "as_h2", fetched()),
    Case("always HTTP/2, and it is HTTP/1", "as_h2", lambda lab, f: raw(lab, f, GET, ["http/1.1"]), *TOLD),
    Case("always HTTP/1", "as_h1", fetched("--http1.1")),
    Case("always HTTP/1, and it is HTTP/2", "as_h1", lambda lab, f: raw(lab, f, PREFACE + SETTINGS, ["h2"])),
    Case("a backend in mode http", "implicit", fetched()),
    Case("another backend in mode http", "implicit", fetched(path="/c")),
    Case("streams to backends in mode http", "implicit", streams, 4),
    Case("rules", "with_rules", fetched()),
    Case("rules that choose", "with_rules", fetched(path="/c")),
    Case("rules that refuse", "with_rules", fetched(path="/denied")),
    Case("rules of each stream", "with_rules", streams, 4),
    Case("HTTP/2 where all else is refused", "refusing", fetched()),
    Case("all else", "refusing", lambda lab, f: raw(lab, f, b"\0\1\2\3" * 8, [])),
    Case("HTTP/2 in clear", "clear", fetched()),
    Case("streams in clear", "clear", streams, 4),
    Case("a stream given up in clear", "clear", given_up, 2),
    Case("always HTTP/2 in clear", "clear_h2", fetched()),
    Case("streams, always HTTP/2 in clear", "clear_h2", streams, 4),
    Case("always HTTP/2 in clear, and it is HTTP/1", "clear_h2", lambda lab, f: raw(lab, f, GET, []), *TOLD),
    Case("by the version", "clear_by_version", fetched()),
    Case("by another version", "clear_by_version", lambda lab, f: raw(lab, f, GET, [])),
)


def test_both_proxies_let_connections_become_http2_alike(both: Both, certificate: str) -> None:
    def traffic(lab: Lab) -> Any:
        seen = {}
        for case in CASES:
            before = len(lab.log.everything())
            played = lab.mask(repr(case.plays(lab, case.front)))
            until(lambda wanted=before + case.lines: len(lab.log.everything()) >= wanted)
            seen[case.name] = played
        return seen, sorted(lab.mask(repr(each)) for each in received(lab))

    expected, got = both.apart(
        site(certificate),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda line: line.message,
        ordered=False,
    )
    (theirs, reached), (ours, reached_ours) = expected.value, got.value
    if not is_haproxy(both.candidate):
        for case in (each for each in CASES if each.ours):
            assert (theirs.pop(case.name), ours.pop(case.name)) == (case.theirs, case.ours), case.name
    assert_same(theirs, ours)
    assert_same(reached, reached_ours)
    assert_same(expected.compared["logs"], got.compared["logs"])
    # What was answered, and over which version, is no accident of both.
    assert sum(" m=2 " in line for line in got.compared["logs"]) > 25
    assert all("200" in seen for name, seen in ours.items() if name.startswith("streams"))


@pytest.mark.parametrize("front", ["any", "as_h2", "clear", "clear_h2"])
def test_a_preface_may_come_in_pieces(program: str, certificate: str, tmp_path: Path, front: str) -> None:
    # HAProxy refuses it now and then: it depends on where the reads end.
    lab = Lab(program, tmp_path / "lab", PREAMBLE + site(certificate), {"a": Script((Reply(),))})
    try:
        assert in_pieces(lab, front) == SETTINGS[3]
    finally:
        lab.close()
