"""What rules and logs are told of streams and their connections: `fs.*`, `bs.*`, glitches."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from h2.errors import ErrorCodes
from h2.events import Event, RequestReceived

from .h2_client import Client
from .http2_server import Peer, Server, serving
from .http_lab import GET, PREAMBLE, Reply, Script, until
from .http_lab import Client as OldClient
from .lab import Lab

LOG = (
    'log-format "path=%[capture.req.uri] fs=%[fs.id],%[fs.aborted],%[fs.rst_code] bs=%[bs.id],%[bs.aborted],'
    '%[bs.rst_code] major=%[fc_http_major],%[bc_http_major] glitches=%[fc_glitches],%[bc_glitches] ts=%ts"'
)
FRONT = "%[fs.id],%[fc_nb_streams],%[fc_settings_streams_limit],%[fc_glitches]"
BACK = "%[bs.id],%[bc_nb_streams],%[bc_settings_streams_limit],%[bc_glitches]"
SITE = """
global
  tune.h2.fe.glitches-threshold 6
  tune.h2.fe.max-concurrent-streams 50
  tune.h2.be.glitches-threshold 5
  tune.h2.be.max-concurrent-streams 40
frontend f
  bind 127.0.0.1:<front>
  {log}
  tcp-request connection track-sc0 src table t
  http-request return status 200 hdr x-table %[sc0_glitch_cnt],%[src_glitch_cnt(t)] if {{ path /table }}
  http-request return status 200 hdr x-facts {front},%[fs.aborted],%[fs.rst_code] if {{ path /facts }}
  http-response set-header x-server {back},%[bs.aborted],%[bc_http_major]
  http-after-response set-header x-reset %[bs.rst_code],%[bs.aborted] if {{ status 502 }}
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:{port} proto h2
backend t
  stick-table type ip size 10 store glitch_cnt,glitch_rate(10s)
listen old
  bind 127.0.0.1:<old>
  {log}
  http-response set-header x-facts {front},{back},%[bc_http_major],%[fs.aborted],%[bs.aborted]
  server s 127.0.0.1:<a_port>
"""
ACK = b"\0\0\0\4\1\0\0\0\0"


def answers(peer: Peer, event: Event) -> None:
    """By the path of the request: a reset, an answer behind glitches, nothing, or an answer."""
    match event:
        case RequestReceived(stream_id=int(stream), headers=headers):
            path = dict(headers)[":path"]
            if path == "/reset":
                peer.h2.reset_stream(stream, ErrorCodes.ENHANCE_YOUR_CALM)
            elif path != "/silent":
                peer.flush()
                peer.sock.sendall(ACK * 3 if path == "/glitches" else b"")
                peer.answer(stream)


@contextmanager
def between(program: str, folder: Path) -> Iterator[tuple[Lab, Server]]:
    with serving(answers) as server:
        config = PREAMBLE + SITE.format(log=LOG, front=FRONT, back=BACK, port=server.port)
        lab = Lab(program, folder / "lab", config, {"a": Script((Reply(),))})
        try:
            yield lab, server
        finally:
            lab.close()


@contextmanager
def client(lab: Lab) -> Iterator[Client]:
    with Client(socket.create_connection(("127.0.0.1", lab.ports["front"]))) as connected:
        yield connected


def asked(of: Client, path: str, *, end: bool = True) -> int:
    fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a")]
    return of.request(fields, end=end)


def told(of: Client, path: str, name: str) -> str:
    return of.head(asked(of, path))[name]


def line(lab: Lab, path: str) -> str:
    """What the log says of a request."""
    until(lambda: any(f"path={path} " in each.message for each in lab.log.everything()))
    return next(each.message for each in lab.log.everything() if f"path={path} " in each.message)


def test_a_stream_and_its_connection_are_told_of(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path) as (lab, server), client(lab) as of:
        assert told(of, "/facts", "x-facts") == "1,1,50,0,0,"
        held = asked(of, "/held", end=False)
        until(lambda: any(peer.requests for peer in server.peers))
        assert told(of, "/facts", "x-facts") == "5,2,50,0,0,"
        of.give_up(held)
        assert told(of, "/one", "x-server") == "3,1,40,0,0,2"
        assert told(of, "/two", "x-server") == "5,1,40,0,0,2"
        assert line(lab, "/two") == "path=/two fs=9,0,- bs=5,0,- major=2,2 glitches=0,0 ts=--"


def test_connections_of_http_1_have_one_stream_and_no_glitches(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path) as (lab, _):
        old = OldClient(lab, "old")
        old.send(GET)
        old.read(1)
        (message,) = (each.normal(True, True, frozenset()) for each in old.messages())
        assert "x-facts: 0,1,1,0,0,1,1,0,1,0,0" in message.fields
        assert line(lab, "/") == "path=/ fs=0,0,- bs=0,0,- major=1,1 glitches=0,0 ts=--"


def test_who_gave_a_stream_up_is_told_with_its_code(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path) as (lab, server), client(lab) as of:
        assert told(of, "/reset", "x-reset") == "11,1"
        assert line(lab, "/reset").startswith("path=/reset fs=1,0,- bs=1,1,11 ")
        stream = asked(of, "/silent")
        until(lambda: any(len(peer.requests) == 2 for peer in server.peers))
        of.give_up(stream)
        assert line(lab, "/silent").startswith("path=/silent fs=3,1,8 bs=3,0,- ")
        assert told(of, "/facts", "x-facts").startswith("5,")


def test_glitches_are_counted_for_rules_logs_and_tables(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path) as (lab, _):
        with client(lab) as of:
            assert told(of, "/table", "x-table") == "0,0"
            of.raw(ACK * 3)
            assert told(of, "/facts", "x-facts").split(",")[3] == "3"
            assert told(of, "/table", "x-table") == "3,3"
            assert "glitch_cnt=3 glitch_rate(10000)=3" in lab.command("show table t")
            assert told(of, "/glitches", "x-server").split(",")[3] == "3"
            assert " glitches=3,3 " in line(lab, "/glitches")
        # Another connection has its own, the table has all.
        with client(lab) as of:
            of.raw(ACK)
            assert told(of, "/facts", "x-facts").split(",")[3] == "1"
            assert told(of, "/table", "x-table") == "4,4"


def test_too_many_glitches_end_a_connection_on_either_side(program: str, tmp_path: Path) -> None:
    with between(program, tmp_path) as (lab, server):
        with client(lab) as of:
            assert told(of, "/glitches", "x-server").split(",")[3] == "3"
            # Over a connection that had served, the request is sent once more over another.
            assert told(of, "/glitches", "x-server").split(",")[3] == "3"
            assert len(server.peers) == 2
            until(lambda: server.peers[0].ended.is_set())
            of.raw(ACK * 6)
            of.until_gone()
            assert of.gone == ErrorCodes.ENHANCE_YOUR_CALM
        assert "glitch_cnt=6" in lab.command("show table t")
