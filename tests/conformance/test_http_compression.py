"""`compression`, beside HAProxy."""

from __future__ import annotations

import pytest

from .http_bodies import DEFAULTS, TEXT, Answer, answers, chunked, exchange, reply, request
from .lab import Both, Lab

PLAIN = b"Content-Type: text/plain\r\n"
GZIP = b"Accept-Encoding: gzip\r\n"


def config(*lines: str, back: str = "") -> str:
    said = "\n".join(f"  {line}" for line in lines)
    front = f"frontend f\n  bind 127.0.0.1:<front>\n  default_backend b\n{said}\n"
    return f"{DEFAULTS}{front}backend b\n  {back}\n  server s <a>\n"


def ask_both(both: Both, text: str, said: bytes, *asked: bytes) -> list[tuple[Answer, Answer]]:
    """What HAProxy and Isthmus answer, request by request."""

    def traffic(lab: Lab) -> list[Answer]:
        return [exchange(lab, each) for each in asked]

    expected, got = both.apart(text, traffic, origins={"a": answers(said)})
    return list(zip(expected.value, got.value, strict=True))


ACCEPTED = (
    *(b"gzip", b"GZIP", b"deflate", b"gzip, deflate", b"deflate, gzip", b"gzip;q=0.5, deflate", b"*"),
    *(b"*;q=0", b"gzip;q=0", b"identity", b"identity;q=1, gzip;q=0.5", b"x-gzip", b"gzip;q=0.0001"),
    *(b"gzip ; q=1", b"gzip;q=abc", b"gzip;level=1;q=0", b"br, gzip", b"gzip;q=1.5", b""),
    *(b"deflate;q=0.9,gzip;q=0.9", b"gzip;q=0.2,*;q=0.7", b"*;q=0.2,deflate;q=0.7"),
)


@pytest.mark.parametrize("algorithms", ["gzip deflate", "deflate gzip", "gzip"])
def test_the_coding_is_the_one_that_the_client_prefers(both: Both, algorithms: str) -> None:
    asked = [request(b"Accept-Encoding: " + each + b"\r\n") for each in ACCEPTED]
    pairs = ask_both(both, config(f"compression algo {algorithms}"), reply(PLAIN), *asked)
    for accepted, (expected, got) in zip(ACCEPTED, pairs, strict=True):
        assert got == expected, accepted
        assert got.body == TEXT, accepted


RESPONSES = {
    "plain": reply(PLAIN),
    "chunked": chunked(PLAIN),
    "trailers": chunked(PLAIN, b"X-T: 1\r\n"),
    "until_close": reply(PLAIN, framing=b"Connection: close\r\n"),
    "empty": reply(PLAIN, b""),
    "201": reply(PLAIN, status=b"201 Created"),
    "203": reply(PLAIN, status=b"203 Hm"),
    "204": reply(PLAIN, b"", b"204 No", b""),
    "206": reply(PLAIN, status=b"206 Part"),
    "404": reply(PLAIN, status=b"404 No"),
    "multipart": reply(b"Content-Type: multipart/x\r\n"),
    "no_transform": reply(PLAIN + b"Cache-Control: public, no-transform\r\n"),
    "coded": reply(PLAIN + b"Content-Encoding: br\r\n"),
    "etag": reply(PLAIN + b'ETag: "a"\r\n'),
    "weak_etag": reply(PLAIN + b'ETag: W/"a"\r\n'),
    "bad_etag": reply(PLAIN + b"ETag: a\r\n"),
    "two_etags": reply(PLAIN + b'ETag: "a"\r\nETag: "b"\r\n'),
    "vary": reply(PLAIN + b"Vary: Cookie\r\n"),
    "no_type": reply(),
    "type_in_capitals": reply(b"Content-Type: TEXT/Plain; charset=x\r\n"),
    "longer_type": reply(b"Content-Type: text/plainer\r\n"),
    "other_type": reply(b"Content-Type: image/png\r\n"),
    "large": reply(PLAIN, TEXT * 5000),
}


@pytest.mark.parametrize("types", ["", "compression type text/plain"])
@pytest.mark.parametrize("name", RESPONSES)
def test_the_same_responses_are_compressed(both: Both, name: str, types: str) -> None:
    text = config("compression algo gzip", types)
    for expected, got in ask_both(both, text, RESPONSES[name], request(GZIP)):
        # Where the server's connection ends, the client's is closed too, with a field or without.
        assert got == expected


REQUESTS = {
    "post": request(GZIP + b"Content-Length: 0\r\n", b"POST"),
    "old_version": request(GZIP, version=b"HTTP/1.0"),
    "mozilla_4": request(GZIP + b"User-Agent: Mozilla/4.0\r\n"),
    "msie_6": request(GZIP + b"User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)\r\n"),
    "msie_6_sp2": request(GZIP + b"User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)\r\n"),
    "msie_7": request(GZIP + b"User-Agent: Mozilla/4.0 (compatible; MSIE 7.0)\r\n"),
    "no_accept_encoding": request(),
}


def test_the_same_requests_are_answered_compressed(both: Both) -> None:
    pairs = ask_both(both, config("compression algo gzip"), reply(PLAIN), *REQUESTS.values())
    for name, (expected, got) in zip(REQUESTS, pairs, strict=True):
        assert got == expected, name


def test_a_backend_compresses_too(both: Both) -> None:
    for expected, got in ask_both(both, config(back="compression algo gzip"), reply(PLAIN), request(GZIP)):
        assert got == expected
        assert got.field("content-encoding") == "gzip"


def test_offload_takes_the_question_away_from_servers(both: Both) -> None:
    def traffic(lab: Lab) -> tuple[Answer, bool]:
        answer = exchange(lab, request(GZIP + b"Accept-Encoding: br\r\n"))
        return answer, b"accept-encoding" in bytes(lab.origin().ends[-1].received).lower()

    text = config("compression algo gzip", "compression offload")
    expected, got = both.apart(text, traffic, origins={"a": answers(reply(PLAIN))})
    assert got.value == expected.value
    assert got.value[1] is False


@pytest.mark.parametrize("accepted", [b"gzip;Q=0", b"gzip;q=0, *"])
def test_what_a_client_refuses_by_name_it_does_not_get(beyond: Both, accepted: bytes) -> None:
    asked = request(b"Accept-Encoding: " + accepted + b"\r\n")
    for expected, got in ask_both(beyond, config("compression algo gzip"), reply(PLAIN), asked):
        assert expected.field("content-encoding") == "gzip"
        assert got.field("content-encoding") is None


def test_what_was_compressed_is_counted(both: Both) -> None:
    def traffic(lab: Lab) -> list[list[str]]:
        exchange(lab, request(GZIP))
        lines = lab.command("show stat").splitlines()
        names = lines[0].lstrip("# ").split(",")
        rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:] if line]
        return [[row["svname"], row["comp_in"], row["comp_byp"], row["comp_rsp"]] for row in rows]

    text = config("compression algo gzip")
    expected, got = both.apart(text, traffic, origins={"a": answers(reply(PLAIN))})
    mine = [row for row in got.value if row[0] == "FRONTEND"]
    theirs = [row for row in expected.value if row[0] == "FRONTEND"]
    assert mine == theirs
    assert mine[0][1:] == [str(len(TEXT)), "0", "1"]
