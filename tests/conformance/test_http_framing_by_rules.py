"""Rules that touch what says where a message ends: it is the proxy's own, whatever they make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .http_batch import compare_all
from .http_exchanges import CHUNKED, HEAD, chunked, ok, post
from .http_lab import GET, OK, PREAMBLE, Exchange, Normal, Reply, Script, http_line, traffic
from .lab import Both, Seen, observe

HIDDEN = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
PIECES = chunked(b"3\r\nabc\r\n0\r\n\r\n")
NO_CONTENT = Reply(b"HTTP/1.1 204 No Content\r\n\r\n")
UNCHANGED = Reply(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n')

# How the body's end is told is not compared: by its length or by chunks.
FRAMING = Normal(optional=frozenset({"content-length", "transfer-encoding"}))


def _requests() -> list[Exchange]:
    lines = {
        "every framing field taken out": "http-request del-header content- -m beg",
        "by a regular expression": "http-request del-header ^c -m reg",
        "its length taken out": "http-request del-header content-length",
    }
    rows = [
        Exchange(f"{name}, {kind}", (first + GET,), front=line, messages=2)
        for name, line in lines.items()
        for kind, first in {"a hidden request": post(HIDDEN), "no body": GET}.items()
    ]
    rows += [
        Exchange("a chunked body whose coding is taken out", (PIECES + GET,), messages=2,
                 front="http-request del-header transfer-encoding"),
        Exchange("the server's connection closed", (GET,), again=True,
                 front="http-request set-header connection close"),
    ]  # fmt: skip
    return rows


def _responses() -> list[Exchange]:
    rules = ("http-response", "http-after-response")
    lines = {
        "204": "set-status 204",
        "304": "set-status 304",
        "length taken out": "del-header content-length",
        "coding taken out": "del-header transfer-encoding",
    }
    origins = {"a length": Reply(OK), "chunks": Reply(CHUNKED)}
    rows = [
        Exchange(f"{rule}: {name}, {kind}", (GET,), (reply, Reply()), again=True,
                 back=f"{rule} {line} if {{ status 200 }}")
        for rule in rules
        for name, line in lines.items()
        for kind, reply in origins.items()
    ]  # fmt: skip
    rows += [
        Exchange(
            f"{rule}: {kind} becomes 200", (GET,), (reply, Reply()), back=f"{rule} set-status 200", again=True
        )
        for rule in rules
        for kind, reply in {"204": NO_CONTENT, "304": UNCHANGED}.items()
    ]
    rows += [
        Exchange(
            f"{rule}: the client's connection closed", back=f"{rule} set-header connection close", again=True
        )
        for rule in rules
    ]
    rows += [
        Exchange("an answer of the proxy's becomes 204", again=True,
                 back="http-request return status 200 content-type a/b string x\n"
                 "http-after-response set-status 204"),
        Exchange("a client's HEAD, asked as GET", (HEAD,), again=True, back="http-request set-method GET"),
        Exchange("an answer of the proxy's with a length of its own", again=True,
                 back="http-request return status 200 content-type a/b string body hdr content-length 9"),
        Exchange("an answer of the proxy's that closes", again=True,
                 back="http-request return status 200 content-type a/b string body hdr connection close"),
        Exchange("204 to HEAD", (HEAD,), (Reply(ok(b"", b"")), Reply()),
                 back="http-response set-status 204", again=True),
    ]  # fmt: skip
    return rows


def _alone(programs: tuple[str, str], folder: Path, case: Exchange) -> Seen:
    origins = {"a": Script(case.replies)}
    config = case.config()
    return observe(programs[1], folder / "isthmus", config, traffic(case), origins, PREAMBLE, http_line)


def test_rules_do_not_change_where_requests_end(both: Both) -> None:
    compare_all(both, _requests(), FRAMING)


# HAProxy answers 500 where a rule changes a length, and closes where one promises chunks.
LIES = {
    "a shorter length": ("http-request replace-header content-length .* 0", post(HIDDEN)),
    "no length": ("http-request set-header content-length 0", post(HIDDEN)),
    "a length beside chunks": ("http-request set-header content-length 0", PIECES),
    "a second length": ("http-request add-header content-length 0", post(HIDDEN)),
    "chunks": ("http-request set-header transfer-encoding chunked", post(b"0\r\n\r\n" + HIDDEN)),
    "chunks beside a length": ("http-request add-header Transfer-Encoding chunked", post(b"0\r\n\r\n")),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_rule_that_lies_about_the_end_is_not_heeded(
    programs: tuple[str, str], tmp_path: Path, lie: str
) -> None:
    line, first = LIES[lie]
    case = Exchange(lie, (first + GET,), front=line, messages=2)
    seen = observe(
        programs[1],
        tmp_path / "isthmus",
        case.config(),
        traffic(case),
        {"a": Script(case.replies)},
        PREAMBLE,
        http_line,
    )
    sent = [message for connection in seen.value["origin"] for message in connection]
    body = b"abc" if first is PIECES else first.partition(b"\r\n\r\n")[2]
    assert [(message.start.split()[0], message.body) for message in sent] == [("POST", body), ("GET", b"")]
    assert [message.status for message in seen.value["client"]] == [200, 200]


def test_rules_do_not_change_where_responses_end(both: Both) -> None:
    compare_all(both, _responses(), FRAMING)


@pytest.mark.parametrize("rule", ["", "http-response pause 10ms"], ids=["at once", "behind a pause"])
def test_a_get_that_the_server_is_asked_as_head_is_answered_whole(
    programs: tuple[str, str], tmp_path: Path, rule: str
) -> None:
    """HAProxy's client would wait for the 20 bytes."""
    reply = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
    asks = "http-request set-method HEAD if { path / }"
    case = Exchange("head", (GET,), (reply,), front=asks, back=rule, again=True)
    seen = _alone(programs, tmp_path, case)
    first, asked = seen.value["client"][0], seen.value["origin"][0][0]
    assert (first.fields, first.body, asked.start) == (("content-length: 0",), b"", "HEAD / HTTP/1.1")
    assert len(seen.value["origin"]) == 1, "the server's connection serves on"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("ending", ["", "Connection: close\r\n"])
def test_a_file_that_says_no_length_is_a_whole_answer(
    both: Both, tmp_path: Path, version: str, ending: str
) -> None:
    path = tmp_path / "503.http"
    path.write_bytes(f"HTTP/{version} 503 Gone\r\n{ending}Content-Type: text/plain\r\n\r\nE503".encode())
    site = "frontend f\n  bind 127.0.0.1:<front>\n  {}\n  default_backend b\nbackend b\n{}"
    returns = f"  http-request return status 503 errorfile {path}\n"
    normal = Normal(optional=frozenset({"content-length", "connection"}))
    compare_all(
        both,
        [
            Exchange("errorfile", site=site.format(f"errorfile 503 {path}", "")),
            Exchange("return", site=site.format("", returns)),
        ],
        normal,
    )
