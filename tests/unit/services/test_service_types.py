"""What a service is written with: requests, fields, bodies and responses."""

from __future__ import annotations

import asyncio
import time

import pytest

from isthmus.services import Address, AsyncBody, Body, Fields, Request, Response


def test_fields_are_found_by_name_without_regard_to_case_and_keep_their_order() -> None:
    fields = Fields([("Host", "a"), ("X-A", "1"), ("x-a", "2")])
    assert list(fields) == [("host", "a"), ("x-a", "1"), ("x-a", "2")]
    assert (fields["x-A"], fields.all("x-a"), fields.get("none", "-")) == ("1", ["1", "2"], "-")
    assert "HOST" in fields
    assert "none" not in fields
    with pytest.raises(KeyError):
        fields["none"]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", {}),
        ("/a%20b?x=1&x=2&y=", "/a b", {"x": "2", "y": ""}),
        ("/%ff", "/\ufffd", {}),
        ("/%c3%a9?q=%C3%A9+1", "/é", {"q": "é 1"}),
        ("/\xc3\xa9", "/é", {}),
        ("http://a.test/b?c=d", "/b", {"c": "d"}),
        ("http://a.test", "/", {}),
        ("/x?u=http://a", "/x", {"u": "http://a"}),
        ("*", "*", {}),
    ],
)
def test_a_target_has_a_path_and_a_query(target: str, path: str, query: dict[str, str]) -> None:
    request = Request(method="GET", target=target)
    assert (request.path, request.query) == (path, query)


def test_an_address_is_written_as_in_a_url() -> None:
    assert (str(Address("192.0.2.1", 80)), str(Address("::1", 80))) == ("192.0.2.1:80", "[::1]:80")


def test_a_request_has_until_its_deadline() -> None:
    assert Request(method="GET", target="/").remaining == float("inf")
    late = Request(method="GET", target="/", deadline=time.monotonic() - 1, gone=lambda: True)
    assert late.remaining < 0
    assert late.cancelled


def test_a_body_is_read_in_pieces_or_as_a_whole() -> None:
    def body() -> Body:
        pieces = [b"ab", b"cde"]
        return Body(lambda _most: pieces.pop(0) if pieces else b"")

    assert list(body()) == [b"ab", b"cde"]
    assert body().read() == b"abcde"
    assert (body().read(0), body().read(2)) == (b"", b"ab")


def test_an_async_body_is_read_the_same_way() -> None:
    async def read() -> tuple[list[bytes], bytes]:
        def body() -> AsyncBody:
            pieces = [b"ab", b"cde"]

            async def take(_most: int) -> bytes:
                return pieces.pop(0) if pieces else b""

            return AsyncBody(take)

        assert await body().read(2) == b"ab"
        return [piece async for piece in body()], await body().read()

    assert asyncio.run(read()) == ([b"ab", b"cde"], b"abcde")


@pytest.mark.parametrize(
    ("response", "fields"),
    [
        (Response(), [("content-length", "0")]),
        (Response(body=b"abc"), [("content-length", "3")]),
        (
            Response(body="é"),
            [("content-length", "2"), ("content-type", "text/plain; charset=utf-8")],
        ),
        (
            Response(fields={"Content-Type": "a/b"}, body="x"),
            [("Content-Type", "a/b"), ("content-length", "1")],
        ),
        (Response(fields=[("a", "1"), ("a", "2")], body=[b"x"]), [("a", "1"), ("a", "2")]),
        (Response(204), []),
        (Response(304), []),
        (Response(fields={"content-length": "5"}, body=(b"a",)), [("content-length", "5")]),
    ],
)
def test_a_response_says_what_follows_from_its_body(
    response: Response, fields: list[tuple[str, str]]
) -> None:
    assert response.head_fields() == fields


def test_some_responses_have_no_body() -> None:
    cases = [(200, "GET"), (200, "HEAD"), (204, "GET"), (304, "GET")]
    assert [Response(status).has_body(method) for status, method in cases] == [True, False, False, False]
