"""Where Isthmus is stricter than HAProxy in HTTP mode: each line of docs/http.md's list has a test here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import proxy
from .http_exchanges import chunked, get, ok, post
from .http_lab import GET, OK, PREAMBLE, Arrived, Await, Exchange, Finish, Reply, Script, http_line, traffic
from .http_message import Message
from .lab import observe

UNSAFE = "option accept-unsafe-violations-in-http-request"
BOTH_FRAMINGS = post(b"3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n")


class Alone:
    """Plays a case through Isthmus alone."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def __call__(self, *sends: Any, **more: Any) -> tuple[list[Message], list[Message], Any]:
        """What the client saw, what the origin saw, and whether the connection served another request."""
        case = Exchange("alone", sends or (GET,), **more)
        seen = observe(
            self._program,
            self._folder / "isthmus",
            case.config(),
            traffic(case),
            {"a": Script(case.replies)},
            PREAMBLE,
            http_line,
        )
        origin = [message for connection in seen.value["origin"] for message in connection]
        return seen.value["client"], origin, seen.value["alive"]


@pytest.fixture
def alone(programs: tuple[str, str], tmp_path: Path) -> Alone:
    if proxy.is_haproxy(programs[1]):
        pytest.skip("the candidate is haproxy itself")
    return Alone(programs[1], tmp_path)


def test_transfer_encoding_in_http_1_0_is_refused_and_closed(alone: Alone) -> None:
    request = chunked(b"3\r\nabc\r\n0\r\n\r\n", b"Connection: keep-alive\r\n", b"POST / HTTP/1.0")
    client, origin, alive = alone(request, again=True)
    assert ([message.status for message in client], origin, alive) == ([400], [], False)


def test_a_length_beside_chunks_is_refused(alone: Alone) -> None:
    client, origin, alive = alone(BOTH_FRAMINGS, again=True)
    assert ([message.status for message in client], origin, alive) == ([400], [], False)


def test_a_length_beside_chunks_may_be_accepted_as_chunks_and_closes(alone: Alone) -> None:
    client, origin, alive = alone(BOTH_FRAMINGS, again=True, front=UNSAFE)
    assert [message.status for message in client] == [200]
    assert origin[0].fields == ("host: a", "transfer-encoding: chunked")
    assert (origin[0].body, len(origin), alive) == (b"abc", 1, False)


def test_a_connection_list_strips_nothing_that_the_proxy_set(alone: Alone) -> None:
    named = b"Connection: close, X-Forwarded-For, X-Set, X-Own\r\nX-Own: 1\r\n"
    _, origin, _ = alone(get(fields=named), front="option forwardfor\nhttp-request set-header X-Set yes")
    assert origin[0].field("x-forwarded-for") == ["127.0.0.1"]
    assert origin[0].field("x-set") == ["yes"]
    assert not origin[0].field("x-own")
    assert not origin[0].field("connection")


FORBIDDEN = (b"Content-Length", b"Transfer-Encoding", b"Host", b"Authorization", b"Cookie", b"Connection")


@pytest.mark.parametrize("name", FORBIDDEN, ids=[name.decode() for name in FORBIDDEN])
def test_trailers_lose_framing_routing_and_authentication(alone: Alone, name: bytes) -> None:
    trailers = b"X-Sum: 1\r\n" + name + b": 1\r\n"
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + trailers + b"\r\n"
    client, origin, _ = alone(chunked(b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n"), replies=(Reply(reply),))
    assert origin[0].trailers == ("x-sum: 1",)
    if name != b"Cookie":
        # In a response it says nothing.
        assert client[0].trailers == ("x-sum: 1",)


def test_h2c_is_not_asked_for(alone: Alone) -> None:
    asks = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    client, origin, _ = alone(get(fields=asks))
    assert (client[0].status, origin[0].fields) == (200, ("host: a",))


def test_what_follows_an_upgrade_that_was_not_taken_is_judged_as_a_request(alone: Alone) -> None:
    asks = get(fields=b"Connection: Upgrade\r\nUpgrade: mine\r\n")
    client, origin, _ = alone(
        asks + get(b"/secret"),
        replies=(Reply(), Reply()),
        messages=2,
        front="http-request deny if { path /secret }",
    )
    assert [message.status for message in client] == [200, 403]
    assert [message.start for message in origin] == ["GET / HTTP/1.1"]


def test_what_follows_a_refused_connect_is_judged_as_a_request(alone: Alone) -> None:
    asks = b"CONNECT a:8443 HTTP/1.1\r\nHost: a:8443\r\n\r\n"
    client, origin, _ = alone(
        asks + get(b"/secret"),
        replies=(Reply(ok(status=b"403 No")), Reply()),
        messages=2,
        front="http-request deny if { path /secret }",
    )
    assert client[0].status == 403
    assert not any("/secret" in message.start for message in origin[1:])


def test_a_server_connection_with_bytes_that_nobody_asked_for_is_not_reused(alone: Alone) -> None:
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
    client, _, _ = alone(GET, Await(1), get(b"/2"), replies=(Reply(OK + stray), Reply()), messages=2)
    assert [message.body for message in client] == [b"ok", b"ok"]


def test_extensions_and_trailers_count_against_a_limit(alone: Alone) -> None:
    many = b"1;" + b"x" * 100 + b"\r\na\r\n"
    client, origin, _ = alone(chunked(many * 2000))
    assert [message.status for message in client] == [400]
    assert not any(message.whole for message in origin)


def test_a_refusal_behind_the_beginning_of_a_body_ends_both_connections(alone: Alone) -> None:
    client, origin, _ = alone(chunked(b"3\r\nabc\r\n"), Arrived(b"abc"), b"no size\r\n")
    assert [message.status for message in client] == [400]
    assert not origin[0].whole


def test_two_requests_never_come_of_one(alone: Alone) -> None:
    inner = b"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n"
    client, origin, _ = alone(post(inner))
    assert [message.status for message in client] == [200]
    assert [(message.start, message.body) for message in origin] == [("POST / HTTP/1.1", inner)]


def test_both_of_two_requests_are_answered_though_a_fin_follows(alone: Alone) -> None:
    """HAProxy answers one or both, as the FIN happens to arrive."""
    client, origin, _ = alone(get(b"/1") + get(b"/2"), Finish(), messages=2)
    assert [message.status for message in client] == [200, 200]
    assert len(origin) == 2
