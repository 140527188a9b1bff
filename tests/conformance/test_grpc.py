"""gRPC, with Python's grpcio as client and server, through Isthmus: HTTP/2 on both sides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from .http_lab import PREAMBLE
from .lab import Lab
from .tls_paper import Paper
from .wire import DEADLINE

SITE = """
listen l
  bind 127.0.0.1:<front> {bind}
  server s 127.0.0.1:{port} {server}
"""
BOTH_CLEAR = ("proto h2", "proto h2")


def shout(request: bytes, context: Any) -> bytes:
    if request == b"fail":
        context.set_trailing_metadata((("x-why", "because"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")
    sent = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-echo", sent.get("x-word", "none")),))
    context.set_trailing_metadata((("x-sum-bin", bytes([len(request) % 256, 0, 255])),))
    return request.upper()


def count(request: bytes, _context: Any) -> Iterator[bytes]:
    for number in range(int(request)):
        yield b"%d" % number


def total(requests: Iterator[bytes], _context: Any) -> bytes:
    return b"%d" % sum(len(request) for request in requests)


def talk(requests: Iterator[bytes], _context: Any) -> Iterator[bytes]:
    for request in requests:
        yield request.upper()


class Left:
    """Whether a call's client went away."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    def wait(self, _request: bytes, context: Any) -> Iterator[bytes]:
        context.add_callback(self.seen.set)
        yield b"here"
        self.seen.wait(DEADLINE)


@contextmanager
def serving(left: Left) -> Iterator[int]:
    """A server in clear; gives its port."""
    server = grpc.server(ThreadPoolExecutor(16), options=(("grpc.max_receive_message_length", 1 << 25),))
    handlers = {
        "Shout": grpc.unary_unary_rpc_method_handler(shout),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Total": grpc.stream_unary_rpc_method_handler(total),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
        "Wait": grpc.unary_stream_rpc_method_handler(left.wait),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait(DEADLINE)


@contextmanager
def proxied(program: str, folder: Path, port: int, how: tuple[str, str] = BOTH_CLEAR) -> Iterator[int]:
    """Isthmus before the server; gives the port to connect to."""
    bind, server = how
    folder.mkdir(exist_ok=True)
    lab = Lab(program, folder / "isthmus", PREAMBLE + SITE.format(bind=bind, port=port, server=server), {})
    try:
        yield lab.ports["front"]
    finally:
        lab.close()


@pytest.fixture
def left() -> Left:
    return Left()


@pytest.fixture
def channel(programs: tuple[str, str], tmp_path: Path, left: Left) -> Iterator[grpc.Channel]:
    with serving(left) as port, proxied(programs[1], tmp_path, port) as front:
        options = (("grpc.max_receive_message_length", 1 << 25),)
        with grpc.insecure_channel(f"127.0.0.1:{front}", options=options) as made:
            yield made


def test_one_question_has_one_answer_with_both_kinds_of_metadata(channel: grpc.Channel) -> None:
    ask = channel.unary_unary("/t.T/Shout")
    answer, call = ask.with_call(b"hello", metadata=(("x-word", "w"),), timeout=DEADLINE)
    assert answer == b"HELLO"
    assert ("x-echo", "w") in [tuple(each) for each in call.initial_metadata()]
    assert [each.value for each in call.trailing_metadata() if each.key == "x-sum-bin"] == [b"\x05\x00\xff"]


def test_a_large_message_passes_both_ways(channel: grpc.Channel) -> None:
    answer = channel.unary_unary("/t.T/Shout")(b"a" * 5_000_000, timeout=DEADLINE)
    assert answer == b"A" * 5_000_000


def test_one_question_has_many_answers(channel: grpc.Channel) -> None:
    answers = list(channel.unary_stream("/t.T/Count")(b"1000", timeout=DEADLINE))
    assert answers == [b"%d" % number for number in range(1000)]


def test_many_questions_have_one_answer(channel: grpc.Channel) -> None:
    asked = (b"x" * size for size in range(500))
    assert channel.stream_unary("/t.T/Total")(asked, timeout=DEADLINE) == b"%d" % sum(range(500))


def test_question_and_answer_take_turns(channel: grpc.Channel) -> None:
    """Each question is asked when the answer to the one before has come."""
    answered = threading.Semaphore(1)

    def asked() -> Iterator[bytes]:
        for number in range(20):
            assert answered.acquire(timeout=DEADLINE)
            yield b"q%d" % number

    heard = []
    for answer in channel.stream_stream("/t.T/Talk")(asked(), timeout=DEADLINE):
        heard.append(answer)
        answered.release()
    assert heard == [b"Q%d" % number for number in range(20)]


def test_a_failure_comes_with_its_status_and_metadata(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/Shout")(b"fail", timeout=DEADLINE)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "not now"
    assert ("x-why", "because") in [tuple(each) for each in caught.value.trailing_metadata()]


def test_an_unknown_method_is_the_servers_to_refuse(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/Nothing")(b"", timeout=DEADLINE)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_client_that_gives_up_ends_the_call_at_the_server(channel: grpc.Channel, left: Left) -> None:
    call = channel.unary_stream("/t.T/Wait")(b"", timeout=DEADLINE)
    assert next(call) == b"here"
    call.cancel()
    assert left.seen.wait(DEADLINE)


def test_many_calls_share_connections(channel: grpc.Channel) -> None:
    ask = channel.unary_unary("/t.T/Shout")
    calls = [ask.future(b"n%d" % number, timeout=DEADLINE) for number in range(300)]
    assert [call.result() for call in calls] == [b"N%d" % number for number in range(300)]


def test_tls_with_the_client_and_with_the_server(
    programs: tuple[str, str], tmp_path: Path, left: Left
) -> None:
    """Two proxies: the outer one ends the client's TLS and speaks TLS with the inner one."""
    paper = Paper(tmp_path)
    paper.authority("ca", "/CN=Test CA")
    paper.issued("site", "ca", "/CN=site.example", extensions="subjectAltName=DNS:site.example")
    bind = f"ssl crt {paper['site.pem']} alpn h2"
    verified = f"ssl verify required ca-file {paper['ca.crt']} sni str(site.example) alpn h2"
    with (
        serving(left) as port,
        proxied(programs[1], tmp_path / "inner", port, (bind, "proto h2")) as inner,
        proxied(programs[1], tmp_path / "outer", inner, (bind, verified)) as front,
    ):
        trusted = grpc.ssl_channel_credentials(Path(paper["ca.crt"]).read_bytes())
        options = (("grpc.ssl_target_name_override", "site.example"),)
        with grpc.secure_channel(f"127.0.0.1:{front}", trusted, options=options) as channel:
            assert channel.unary_unary("/t.T/Shout")(b"safe", timeout=DEADLINE) == b"SAFE"
            assert len(list(channel.unary_stream("/t.T/Count")(b"50", timeout=DEADLINE))) == 50
