"""`cache` sections, `cache-use` and `cache-store`, beside HAProxy."""

from __future__ import annotations

import re

import pytest

from .http_bodies import (
    DEFAULTS,
    TEXT,
    Answer,
    answers,
    chunked,
    differing,
    exchange,
    reply,
    request,
    requests_seen,
)
from .http_lab import http_line
from .lab import Both, Lab

FRESH = b"Cache-Control: max-age=30\r\n"
GET = request()
DATED = (
    FRESH
    + b'ETag: "a"\r\nDate: Sat, 28 Nov 2026 05:00:00 GMT\r\n'
    + b"Last-Modified: Sat, 28 Nov 2026 04:00:00 GMT\r\n"
)


def config(vary: str = "on", size: int = 4, rules: str = "") -> str:
    return f"""
cache c
  total-max-size {size}
  max-age 30
  process-vary {vary}
{DEFAULTS}
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  http-request cache-use c
  http-response cache-store c
  http-response set-header x-behind 1
  {rules}
  server s <a>
"""


def seen(
    lab: Lab, asked: tuple[bytes, ...], name: str = "front", origin: str = "a"
) -> tuple[list[object], int]:
    """Each answer but for the seconds of its Age and the way its length is told; requests at the origin."""
    told: list[object] = []
    for each in asked:
        answer = exchange(lab, each, name)
        hidden = ("age", "content-length", "transfer-encoding")
        fields = [field for field in answer.fields if field[0] not in hidden]
        told.append((answer.status, fields, answer.body, answer.field("age") is not None))
    return told, requests_seen(lab, origin)


def with_field(field: bytes, method: bytes = b"GET") -> bytes:
    return request(field + b"\r\n", method)


CASES: dict[str, tuple[bytes, tuple[bytes, ...]]] = {
    "max_age": (reply(FRESH), (GET, GET)),
    "chunked": (chunked(FRESH), (GET, GET)),
    "empty": (reply(FRESH, b""), (GET, GET)),
    "s_maxage": (reply(b"Cache-Control: s-maxage=9\r\n"), (GET, GET)),
    "expires": (reply(b"Expires: Sat, 28 Nov 2037 05:00:00 GMT\r\n"), (GET, GET)),
    "expired": (reply(b"Expires: Sat, 28 Nov 2020 05:00:00 GMT\r\n"), (GET, GET)),
    "expires_0": (reply(b"Expires: 0\r\n"), (GET, GET)),
    "no_lifetime": (reply(), (GET, GET)),
    "validator": (reply(b'ETag: "a"\r\n'), (GET, GET)),
    "private": (reply(b"Cache-Control: private, max-age=30\r\n"), (GET, GET)),
    "no_cache": (reply(b"Cache-Control: no-cache, max-age=30\r\n"), (GET, GET)),
    "no_store": (reply(b"Cache-Control: no-store, max-age=30\r\n"), (GET, GET)),
    "max_age_0": (reply(b"Cache-Control: max-age=0, s-maxage=5\r\n"), (GET, GET)),
    "status_404": (reply(FRESH, status=b"404 No"), (GET, GET)),
    "too_large": (reply(FRESH, b"x" * 20000), (GET, GET)),
    "no_length": (reply(FRESH + b"Connection: close\r\n", framing=b""), (GET,)),
    "authorization": (reply(FRESH), (GET, with_field(b"Authorization: x"))),
    "authorization_first": (reply(FRESH), (with_field(b"Authorization: x"), GET)),
    "asked_no_cache": (reply(FRESH), (GET, with_field(b"Cache-Control: no-cache"), GET)),
    "asked_no_cache_first": (reply(FRESH), (with_field(b"Cache-Control: no-cache"), GET)),
    "asked_no_store": (reply(FRESH), (with_field(b"Cache-Control: no-store"), GET)),
    "asked_max_age_0": (reply(FRESH), (GET, with_field(b"Cache-Control: max-age=0"))),
    "pragma": (reply(FRESH), (GET, with_field(b"Pragma: no-cache"))),
    "version_1_0": (reply(FRESH), (GET, request(version=b"HTTP/1.0"))),
    "post_between": (reply(FRESH), (GET, with_field(b"Content-Length: 0", b"POST"), GET)),
    "other_path": (reply(FRESH), (GET, request(path=b"/b"), request(path=b"/?a"))),
    "if_none_match": (reply(DATED), (GET, with_field(b'If-None-Match: "b", W/"a"'))),
    "if_none_match_any": (reply(DATED), (GET, with_field(b"If-None-Match: *"))),
    "if_none_match_other": (reply(DATED), (GET, with_field(b'If-None-Match: "b"'))),
    "not_modified": (reply(DATED), (GET, with_field(b"If-Modified-Since: Sat, 28 Nov 2026 04:00:00 GMT"))),
    "modified": (reply(DATED), (GET, with_field(b"If-Modified-Since: Sat, 28 Nov 2026 03:00:00 GMT"))),
    "vary_cookie": (reply(FRESH + b"Vary: Cookie\r\n"), (GET, GET)),
    "vary_any": (reply(FRESH + b"Vary: *\r\n"), (GET, GET)),
    "vary_coding": (
        reply(FRESH + b"Vary: Accept-Encoding\r\n"),
        (with_field(b"Accept-Encoding: gzip"), with_field(b"Accept-Encoding: gzip")),
    ),
}


def test_the_same_is_stored_and_served(both: Both) -> None:
    def play(lab: Lab, name: str, front: str, origin: str) -> object:
        return seen(lab, CASES[name][1], front, origin)

    replies = {name: said for name, (said, _) in CASES.items()}
    assert differing(both, config(), replies, play) == {}


def test_without_process_vary_what_varies_is_not_stored(both: Both) -> None:
    said = reply(FRESH + b"Vary: Accept-Encoding\r\n")
    expected, got = both.apart(config("off"), lambda lab: seen(lab, (GET, GET)), origins={"a": answers(said)})
    assert got.value == expected.value
    assert got.value[1] == 2


def test_a_head_request_is_served_without_a_body(both: Both) -> None:
    def traffic(lab: Lab) -> tuple[int, bytes, int]:
        exchange(lab, GET)
        answer = exchange(lab, request(method=b"HEAD"))
        return answer.status, answer.body, requests_seen(lab)

    expected, got = both.apart(config(), traffic, origins={"a": answers(reply(FRESH))})
    assert got.value == expected.value == (200, b"", 1)


def test_the_cache_stands_in_the_servers_place_in_logs(both: Both) -> None:
    told = "b=%b s=%s n=%[srv_name] TR=%TR Tw=%Tw Tc=%Tc Tr=%Tr Ta=%Ta ST=%ST ts=%tsc"
    text = config(rules="http-response set-header named [%[srv_name]]")
    text = text.replace("<front>", f"<front>\n  log-format '{told}'")
    expected, got = both.apart(
        text, lambda lab: seen(lab, (GET, GET)), origins={"a": answers(reply(FRESH))}, normal=http_line
    )
    assert got.value == expected.value
    assert got.compared == expected.compared
    assert [line.s for line in got.logs] == ["s", "<CACHE>"]


def test_what_is_served_from_a_cache_is_compressed_too(both: Both) -> None:
    def traffic(lab: Lab) -> tuple[list[Answer], int]:
        gzip = with_field(b"Accept-Encoding: gzip")
        return [exchange(lab, GET), exchange(lab, gzip)], requests_seen(lab)

    text = config(rules="compression algo gzip")
    expected, got = both.apart(text, traffic, origins={"a": answers(reply(FRESH))})
    for ours in (expected, got):
        plain, coded = ours.value[0]
        assert ours.value[1] == 1
        assert plain.field("content-encoding") is None
        assert coded.field("content-encoding") == "gzip"
        assert plain.body == coded.body == TEXT


BEYOND: dict[str, tuple[bytes, tuple[bytes, ...]]] = {
    # A cookie is one client's; HAProxy serves it to the next one.
    "set_cookie": (reply(FRESH + b"Set-Cookie: a=b\r\n"), (GET, GET)),
    # What was coded for one client is not served to one that named no coding.
    "vary_coding": (
        reply(FRESH + b"Vary: Accept-Encoding\r\nContent-Encoding: x\r\n"),
        (with_field(b"Accept-Encoding: gzip"), GET),
    ),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_may_be_meant_for_one_client_is_not_served_to_another(beyond: Both, name: str) -> None:
    said, asked = BEYOND[name]
    _, got = beyond.apart(config(), lambda lab: seen(lab, asked), origins={"a": answers(said)})
    assert got.value[1] == 2


def test_what_a_rule_asked_for_by_head_is_not_served_for_a_get(beyond: Both) -> None:
    by_head = "http-request set-method HEAD if { hdr(x-head) -m found }"
    said = reply(FRESH + b"Connection: close\r\n")
    asked = (with_field(b"X-Head: 1"), GET)
    _, got = beyond.apart(config(rules=by_head), lambda lab: seen(lab, asked), origins={"a": answers(said)})
    assert [(status, body) for status, _, body, _ in got.value[0]] == [(200, b""), (200, TEXT)]
    assert got.value[1] == 2


def shown(text: str) -> list[str]:
    """What `show cache` says, without addresses, hashes, and how much of its memory an object takes."""
    text = re.sub(r"0x[0-9a-f]{2,}: |0x[0-9a-f]: ", "<cache>: ", text)
    text = re.sub(r"shctx:0x[0-9a-f]+", "shctx:<memory>", text)
    text = re.sub(r"(?m)^0x[0-9a-f]+ hash:\d+", "<object> hash:N", text)
    text = re.sub(r"vary:0x(?!0{16} )[0-9a-f]{16} ", "vary:<fields> ", text)
    text = re.sub(r"size:\d+", "size:N", text)
    return sorted(re.sub(r"expire:(2\d|30)\b", "expire:<fresh>", text).split("\n"))


def test_show_cache_tells_what_is_stored(both: Both) -> None:
    stored = reply(FRESH, b"x" * 2000)
    varied = request(b"Accept-Encoding: gzip\r\n", path=b"/varied")

    def traffic(lab: Lab) -> object:
        empty = lab.command("show cache")
        exchange(lab, request(path=b"/one"))
        exchange(lab, request(path=b"/two"))
        exchange(lab, varied)
        return shown(empty), shown(lab.command("show cache"))

    text = config() + "cache unused\n  total-max-size 1\n"
    text = "global\n  stats socket <stats> level admin\n" + text
    found = both(text, traffic, origins={"a": answers(stored)}, logged=False)
    assert sum(line.startswith("<object>") for line in found.value[1]) == 3


def test_show_cache_tells_variants_apart(beyond: Both) -> None:
    """HAProxy 2.6 shows one of them, though it serves both."""
    stored = reply(FRESH + b"Vary: accept-encoding\r\n", b"x" * 2000)

    def traffic(lab: Lab) -> object:
        for coding in (b"gzip", b"deflate"):
            exchange(lab, request(b"Accept-Encoding: " + coding + b"\r\n"))
        return shown(lab.command("show cache"))

    text = "global\n  stats socket <stats> level admin\n" + config()
    seen = beyond.apart(text, traffic, origins={"a": answers(stored)}, logged=False)
    shown_by = [sum("vary:<fields>" in line for line in each.value) for each in seen]
    assert shown_by == [1, 2]
