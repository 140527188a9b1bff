"""`compression`, beside HAProxy."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from .http_bodies import DEFAULTS, TEXT, Answer, answers, chunked, differing, exchange, reply, request
from .lab import Both, Lab, observe
from .wire import Behaviour, End, Origin

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
def test_the_same_responses_are_compressed(both: Both, types: str) -> None:
    def play(lab: Lab, _name: str, front: str, _origin: str) -> Answer:
        return exchange(lab, request(GZIP), front)

    # Where the server's connection ends, the client's is closed too, with a field or without.
    assert differing(both, config("compression algo gzip", types), RESPONSES, play) == {}


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


UPLOADS = {
    "plain": (b"Content-Type: text/plain\r\nContent-Length: %d\r\n" % len(TEXT), TEXT, True),
    "chunked": (
        b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n",
        b"64\r\n" + TEXT[:100] + b"\r\n%x\r\n" % (len(TEXT) - 100) + TEXT[100:] + b"\r\n0\r\nX-T: 1\r\n\r\n",
        True,
    ),
    "another type": (b"Content-Type: image/png\r\nContent-Length: %d\r\n" % len(TEXT), TEXT, False),
    "coded": (
        b"Content-Type: text/plain\r\nContent-Encoding: br\r\nContent-Length: %d\r\n" % len(TEXT),
        TEXT,
        False,
    ),
    "short": (b"Content-Type: text/plain\r\nContent-Length: 9\r\n", b"some text", False),
    "empty": (b"Content-Type: text/plain\r\nContent-Length: 0\r\n", b"", False),
}
UPLOADING = (
    "compression direction both",
    "compression algo gzip",
    "compression algo-req gzip",
    "compression type-req text/",
    "compression minsize-req 10",
)


def upload(fields: bytes, body: bytes, method: bytes = b"POST") -> bytes:
    return method + b" / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + b"\r\n" + body


def arrived(lab: Lab) -> bytes:
    """What the origin got, once its connection is over."""
    (end,) = lab.origin().ends
    return bytes(end.received)


def unchunked(data: bytes) -> bytes:
    out = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        if not count:
            return out
        out, data = out + data[:count], data[count + 2 :]


@pytest.mark.parametrize("name", UPLOADS)
def test_requests_are_compressed_by_the_rules_of_responses(beyond: Both, tmp_path: Path, name: str) -> None:
    """HAProxy can do so since 2.8."""
    fields, body, compressed = UPLOADS[name]

    def traffic(lab: Lab) -> tuple[int, bytes]:
        answer = exchange(lab, upload(fields, body))
        return answer.status, arrived(lab)

    seen = observe(
        beyond.candidate,
        tmp_path / "own",
        config(*UPLOADING),
        traffic,
        origins={"a": swallowing(reply(PLAIN))},
        preamble="",
    )
    status, got = seen.value
    head, _, rest = got.partition(b"\r\n\r\n")
    assert status == 200
    assert (b"content-encoding: gzip" in head.lower()) == compressed
    assert not (compressed and b"content-length" in head.lower())
    if compressed:
        assert head.lower().count(b"transfer-encoding: chunked") == 1
        assert gzip.decompress(unchunked(rest)) == TEXT
        assert (b"x-t: 1" in rest.lower()) == (name == "chunked")
    else:
        assert rest == body


def test_a_long_request_is_compressed_as_it_comes(beyond: Both, tmp_path: Path) -> None:
    body = b"".join(b"line %d of many\n" % n for n in range(60_000))

    def traffic(lab: Lab) -> bytes:
        fields = b"Content-Type: text/plain\r\nContent-Length: %d\r\n" % len(body)
        exchange(lab, upload(fields, body))
        return arrived(lab)

    seen = observe(
        beyond.candidate,
        tmp_path / "own",
        config(*UPLOADING),
        traffic,
        origins={"a": swallowing(reply(PLAIN))},
        preamble="",
    )
    _, _, rest = seen.value.partition(b"\r\n\r\n")
    assert gzip.decompress(unchunked(rest)) == body
    assert len(rest) < len(body) // 4


def test_a_request_that_is_sent_again_is_compressed_again(beyond: Both, tmp_path: Path) -> None:
    fields, body, _ = UPLOADS["plain"]
    replies = [reply(PLAIN, status=b"503 Later"), reply(PLAIN)]

    def traffic(lab: Lab) -> tuple[int, list[bytes]]:
        answer = exchange(lab, upload(fields, body, b"PUT"))
        return answer.status, [bytes(end.received) for end in lab.origin().ends]

    seen = observe(
        beyond.candidate,
        tmp_path / "own",
        config(*UPLOADING, back="retry-on 503\n  retries 2"),
        traffic,
        origins={"a": swallowing(*replies)},
        preamble="",
    )
    status, got = seen.value
    bodies = [gzip.decompress(unchunked(each.partition(b"\r\n\r\n")[2])) for each in got]
    assert (status, bodies) == (200, [TEXT, TEXT])


def swallowing(*replies: bytes) -> Behaviour:
    """An origin that answers each connection's one request when all of it is there, and closes."""
    left = list(replies)

    def behave(_origin: Origin, end: End) -> None:
        while not whole(end.received):
            try:
                got = end.sock.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not got:
                break
            end.received += got
        end.try_send(left.pop(0) if len(left) > 1 else left[0])
        end.finish()

    return behave


def whole(received: bytes) -> bool:
    head, mark, rest = bytes(received).partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        return bool(mark) and len(rest) >= int(length[1])
    return rest.endswith(b"\r\n\r\n") and re.search(rb"(^|\r\n)0\r\n", rest) is not None


def test_what_compressed_a_response_can_be_asked(both: Both) -> None:
    text = config(
        "compression algo deflate gzip",
        "http-after-response set-header x-comp %[res.comp,iif(yes,no)]-%[res.comp_algo]",
    )
    pairs = ask_both(both, text, reply(PLAIN), request(GZIP), request())
    for expected, got in pairs:
        assert got.field("x-comp") == expected.field("x-comp")
