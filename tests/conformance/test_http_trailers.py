"""`option http-drop-request-trailers` and its twin, which HAProxy has since 3.2."""

from __future__ import annotations

from pathlib import Path

import pytest

from .http_batch import played
from .http_exchanges import chunked, get, ok
from .http_lab import Exchange, Reply

BODY = b"3\r\nabc\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY
COMPRESSED = ANSWER.replace(b"Transfer", b"Content-Type: text/a\r\nTransfer")
REQUEST, RESPONSE = "option http-drop-request-trailers", "option http-drop-response-trailers"
BOTH = ("x-one: 1", "x-two: 2")
GZIP = get(fields=b"Accept-Encoding: gzip\r\n")

# Each: its name, the frontend's lines and the backend's, what is sent and replied, and the trailers that the
# server and the client get.
ROWS = (
    ("as they come", "", "", chunked(BODY), (ANSWER,), BOTH, BOTH),
    ("of requests", "", REQUEST, chunked(BODY), (ANSWER,), (), BOTH),
    ("of responses", RESPONSE, "", chunked(BODY), (ANSWER,), BOTH, ()),
    ("of both", RESPONSE, REQUEST, chunked(BODY), (ANSWER,), (), ()),
    ("of none", f"no {RESPONSE}", f"{REQUEST}\nno {REQUEST}", chunked(BODY), (ANSWER,), BOTH, BOTH),
    ("of a request that waited", "option http-buffer-request", REQUEST, chunked(BODY), (ANSWER,), (), BOTH),
    (
        "of a request that is sent again",
        "option http-buffer-request",
        f"{REQUEST}\nretry-on 500",
        chunked(BODY),
        (ok(status=b"500 X"), ANSWER),
        (),
        BOTH,
    ),
    (
        "of a response that is compressed",
        f"{RESPONSE}\ncompression algo gzip",
        "",
        GZIP,
        (COMPRESSED,),
        (),
        (),
    ),
    ("of a response that waits", RESPONSE, "http-response wait-for-body time 2s", GZIP, (ANSWER,), (), ()),
)


@pytest.fixture(scope="module")
def seen(program: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What each row let us see."""
    rows = [
        Exchange(name, (sent,), tuple(Reply(each) for each in replies), front, back, again=True)
        for name, front, back, sent, replies, *_ in ROWS
    ]
    found = played(program, Path(tmp_path_factory.mktemp("trailers")) / "isthmus", rows)
    return {row.name: each for row, each in zip(rows, found, strict=True)}


@pytest.mark.parametrize(
    ("name", "up", "down"), [(row[0], *row[-2:]) for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_trailers_end_where_an_option_says_so(seen: dict, name: str, up: tuple, down: tuple) -> None:
    got = seen[name].value
    requests = [each for end in got["origin"] for each in end][:-1]
    assert all(each.trailers == up for each in requests)
    assert got["client"][0].trailers == down
    assert got["alive"]
