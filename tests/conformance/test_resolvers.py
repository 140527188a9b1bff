"""`do-resolve` beside HAProxy: what the variable holds, what name servers were asked, where traffic goes.

HAProxy 2.6 with a name server at `tcp@` does not end on SIGUSR1: those are tested without it (tests/unit).
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from name_server import Answer, NameServer, fails, late, says, silent, truncated

from .http_lab import OK, PREAMBLE, Reply, Script, until
from .lab import Both, Lab, assert_same, observe
from .proxy import is_haproxy
from .wire import DEADLINE

RETRY = 1000
HERE = says("A 127.0.0.1")
ASK = "http-request do-resolve(txn.ip,r{family}) hdr(host)"
SHOW = 'http-request return status 200 content-type text/plain lf-string "%[var(txn.ip)]"'


@dataclass(frozen=True)
class Row:
    """A frontend, the name that a client asks it for, and how that name is answered."""

    front: str
    host: str
    answer: Answer
    # What our client gets where we mean to do more than HAProxy 2.6; None where both are the same.
    beyond: str | None = None


ROWS = (
    Row("any", "four.test", says("A 192.0.2.1")),
    Row("any", "six.test", says("AAAA 2001:db8::1")),
    Row("any", "both.test", says("A 192.0.2.1", "AAAA 2001:db8::1")),
    Row("v4", "four-v4.test", says("A 192.0.2.1")),
    Row("v4", "both-v4.test", says("A 192.0.2.1", "AAAA 2001:db8::1")),
    Row("v4", "six-v4.test", says("AAAA 2001:db8::1")),
    Row("v6", "both-v6.test", says("A 192.0.2.1", "AAAA 2001:db8::1")),
    Row("any", "alias.test", says("CNAME four.test.", "A 192.0.2.1")),
    Row("v4", "nowhere.test", says("CNAME nx.test.")),
    Row("v4", "empty.test", says()),
    Row("any", "unknown.test", fails("NXDOMAIN")),
    Row("v4", "failing.test", fails("SERVFAIL")),
    Row("v4", "refused.test", fails("REFUSED")),
    Row("v4", "silent.test", silent),
    Row("v4", "late.test", late(RETRY * 1.5 / 1000, "A 192.0.2.3")),
    Row("v4", "UPPER.test", says("A 192.0.2.7")),
    Row("v4", "dotted.test.", says("A 192.0.2.8")),
    Row("v4", "192.0.2.9", fails("NXDOMAIN")),
    Row("v4", "double..dot", says("A 192.0.2.10")),
    Row("two", "quick.test", says("A 192.0.2.11")),
    Row("two", "other.test", fails("SERVFAIL")),
    Row("back", "back.test", says("A 192.0.2.13")),
    Row("content", "content.test", says("A 192.0.2.14")),
    Row("content", "content-failing.test", fails("NXDOMAIN")),
    Row("old", "old-failing.test", fails("NXDOMAIN")),
    Row("unless", "unless.test", says("A 192.0.2.15")),
    Row("twice", "twice.test", says("A 192.0.2.16", "AAAA 2001:db8::16")),
    Row("goes", "goes.test", HERE),
    Row("goes", "goes-nowhere.test", fails("NXDOMAIN")),
    Row("v4", "long.test", truncated("A 192.0.2.17"), beyond="192.0.2.17"),
    Row("hasty", "hasty.test", says("A 192.0.2.18"), beyond="192.0.2.18"),
)
HASTY = "tcp-request content do-resolve(sess.ip,r,ipv4) hdr(host)"


def front(name: str, *rules: str) -> str:
    lines = "".join(f"  {each}\n" for each in rules)
    return f"frontend {name}\n  bind 127.0.0.1:<{name}>\n{lines}"


def config(server: NameServer, other: NameServer) -> str:
    v4 = ASK.format(family=",ipv4")
    return f"""
resolvers r
  nameserver a {server.address}
  timeout retry {RETRY}ms
  resolve_retries 2
resolvers two
  nameserver a {server.address}
  nameserver b {other.address}
  timeout retry {RETRY}ms
backend answering
  {ASK.format(family="")}
  {SHOW}
backend going
  http-request do-resolve(txn.ip,r,ipv4) hdr(host)
  http-request set-dst var(txn.ip)
  http-request set-dst-port int(<a_port>)
  http-request return status 418 unless {{ var(txn.ip) -m found }}
  server s 0.0.0.0:0
""" + "".join(
        [
            front("any", ASK.format(family=""), SHOW),
            front("v4", v4, SHOW),
            front("v6", ASK.format(family=",ipv6"), SHOW),
            front("two", "http-request do-resolve(txn.ip,two,ipv4) hdr(host)", SHOW),
            front("back", "default_backend answering"),
            front("content", "tcp-request inspect-delay 5s", HASTY, SHOW.replace("txn", "sess")),
            front("hasty", HASTY, SHOW.replace("txn", "sess")),
            front("old", "http-request set-var(txn.ip) str(old)", v4, SHOW),
            front("unless", v4 + " unless { hdr(host) -m end .test }", SHOW),
            front("twice", v4, "http-request do-resolve(txn.ip,r,ipv6) hdr(host)", SHOW),
            front("goes", "default_backend going"),
        ]
    )


def ask(lab: Lab, row: Row) -> str:
    end = lab.connect(row.front)
    end.send(f"GET / HTTP/1.1\r\nHost: {row.host}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = end.read_end()[0].decode().partition("\r\n\r\n")
    end.close()
    status = head.split()[1]
    return body if status == "200" else status


@pytest.fixture
def other() -> Iterator[NameServer]:
    made = NameServer({"quick.test": silent, "other.test": late(0.05, "A 192.0.2.19")})
    yield made
    made.close()


@pytest.fixture
def servers() -> Iterator[dict[str, NameServer]]:
    """A name server for each proxy."""
    made: dict[str, NameServer] = {}
    yield made
    for each in made.values():
        each.close()


def test_the_variable_holds_what_haproxy_finds(
    both: Both, tmp_path: Path, other: NameServer, servers: dict[str, NameServer]
) -> None:
    def play(lab: Lab) -> dict[str, str]:
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda row: ask(lab, row), ROWS)
            return dict(zip((row.host for row in ROWS), found, strict=True))

    def run(program: str) -> Any:
        name = Path(program).name
        servers[name] = server = NameServer({row.host.lower().rstrip("."): row.answer for row in ROWS})
        seen = observe(
            program,
            tmp_path / name,
            config(server, other),
            play,
            origins={"a": Script((Reply(OK),))},
            preamble=PREAMBLE,
            logged=False,
        )
        return {
            row.host: (seen.value[row.host], server.kinds(row.host.rstrip(".")))
            for row in ROWS
            if is_haproxy(both.candidate) or not row.beyond
        }, {row.host: seen.value[row.host] for row in ROWS if row.beyond}

    expected, less = run(both.reference)
    got, more = run(both.candidate)
    assert expected["four.test"] == ("192.0.2.1", ["AAAA", "A"])
    assert expected["goes.test"][0] == "ok"
    assert_same(expected, got)
    if not is_haproxy(both.candidate):
        assert more == {row.host: row.beyond for row in ROWS if row.beyond}
        assert not [host for host, value in less.items() if value == more[host]], "HAProxy does so too"


TCP = """
resolvers r
  nameserver a {server}
  timeout retry {retry}ms
defaults
  mode tcp
  timeout connect 3s
  timeout client 6s
  timeout server 6s
frontend at_once
  bind 127.0.0.1:<at_once>
  tcp-request inspect-delay 5s
  tcp-request content do-resolve(sess.ip,r,ipv4) str(origin.test)
  tcp-request content set-dst var(sess.ip)
  default_backend b
frontend behind_bytes
  bind 127.0.0.1:<behind_bytes>
  tcp-request inspect-delay 5s
  tcp-request content do-resolve(sess.ip,r,ipv4) req.payload(0,11)
  tcp-request content reject unless {{ var(sess.ip) -m found }}
  tcp-request content set-dst var(sess.ip)
  default_backend b
frontend in_backend
  bind 127.0.0.1:<in_backend>
  default_backend asks
backend b
  server s 0.0.0.0:<a_port>
backend asks
  tcp-request inspect-delay 5s
  tcp-request content do-resolve(sess.ip,r,ipv4) str(origin.test)
  tcp-request content set-dst var(sess.ip)
  server s 0.0.0.0:<a_port>
"""


def test_connections_of_mode_tcp_go_where_the_answer_says(both: Both) -> None:
    server = NameServer({"origin.test": late(0.05, "A 127.0.0.1")})

    def play(lab: Lab) -> list[bytes]:
        hello = b"origin.test!"
        return [lab.ask(hello, name=name) for name in ("at_once", "behind_bytes", "in_backend")] + [
            lab.ask(b"nobody.test!", name="behind_bytes")
        ]

    try:
        expected, got = both.apart(TCP.format(server=server.address, retry=RETRY), play, logged=False)
    finally:
        server.close()
    # HAProxy may give up behind bytes that came before its name server answered.
    assert [expected.value[at] for at in (0, 2, 3)] == [got.value[at] for at in (0, 2, 3)]
    assert all(got.value[:3])
    assert not got.value[3]


def test_streams_of_http2_wait_each_for_its_own_answer(both: Both) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("no curl (Debian package: curl)")
    server = NameServer({"slow.test": late(0.2, "A 192.0.2.1"), "quick.test": says("A 192.0.2.2")})
    text = f"""
resolvers r
  nameserver a {server.address}
frontend f
  bind 127.0.0.1:<front> proto h2
  http-request do-resolve(txn.ip,r,ipv4) path,field(2,/)
  {SHOW}
"""

    def play(lab: Lab) -> list[str]:
        urls = [f"http://127.0.0.1:{lab.ports['front']}/{name}.test" for name in ("slow", "quick", "no")]
        flags = [
            "--http2-prior-knowledge",
            "--parallel",
            "--parallel-immediate",
            "-w",
            "|",
            "--max-time",
            "9",
        ]
        done = subprocess.run([curl, "-sS", *flags, *urls], capture_output=True, text=True, check=True)
        return sorted(done.stdout.split("|"))

    try:
        seen = both(text, play, preamble=PREAMBLE, logged=False)
    finally:
        server.close()
    assert seen.value == ["", "", "192.0.2.1", "192.0.2.2"]


def test_many_clients_are_answered_by_one_question_and_its_answer_is_kept(beyond: Both) -> None:
    server = NameServer({"slow.test": late(0.2, "A 192.0.2.1")})
    row = Row("v4", "slow.test", silent)

    def play(lab: Lab) -> list[str]:
        with ThreadPoolExecutor(20) as pool:
            return [*pool.map(lambda _: ask(lab, row), range(20)), ask(lab, row)]

    _, got = beyond.apart(config(server, server), play, preamble=PREAMBLE, logged=False)
    server.close()
    assert set(got.value) == {"192.0.2.1"}
    # HAProxy asks once more for the last client: it forgets an answer with the last who waited for it.
    assert len(server.asked) == 3


def test_a_client_that_resets_its_connection_ends_the_wait(beyond: Both, tmp_path: Path) -> None:
    server = NameServer({"silent.test": silent})
    text = f"""
resolvers r
  nameserver a {server.address}
  timeout retry 60s
frontend f
  bind 127.0.0.1:<front>
  http-request do-resolve(txn.ip,r,ipv4) hdr(host)
  {SHOW}
"""

    def play(lab: Lab) -> None:
        client = socket.create_connection(("127.0.0.1", lab.ports["front"]), DEADLINE)
        client.sendall(b"GET / HTTP/1.1\r\nHost: silent.test\r\n\r\n")
        until(lambda: server.asked)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        began = time.monotonic()
        until(lambda: any(" ST=0 " in line.raw or "ST=-1" in line.raw for line in lab.log.everything()))
        assert time.monotonic() - began < DEADLINE

    seen = observe(beyond.candidate, tmp_path / "ours", text, play, preamble=PREAMBLE)
    server.close()
    assert "ts=CR" in seen.logs[0].raw
