"""`http-response wait-for-body` where no server answers: what a cache has, and what a service says."""

from __future__ import annotations

from pathlib import Path

from .http_batch import compare_all, played
from .http_exchanges import get, ok
from .http_lab import Await, Client, Exchange, Normal, Reply
from .lab import Both
from .service_lab import asking, seen, serving

CACHE = "cache c\n  total-max-size 4\n  max-age 30\n"
FRESH = b"Cache-Control: max-age=30\r\n"
TWICE = (get(), Await(1), get())
SEEN = "http-response set-header x-seen %[res.body]%[res.body_len]"


def row(
    name: str, reply: bytes, waits: str = "http-response wait-for-body time 1s", **options: str
) -> Exchange:
    back = f"http-request cache-use c\nhttp-response cache-store c\n{waits}\n{SEEN}"
    return Exchange(name, TWICE, (Reply(reply),), back=back, settings=CACHE, messages=2, **options)  # type: ignore[arg-type]


CACHED = [
    row("a short body", ok(FRESH, b"hello")),
    row(
        "a body of a few bytes that are enough",
        ok(FRESH, b"hello"),
        "http-response wait-for-body time 1s at-least 2",
    ),
]


def test_a_cache_has_its_body_there(both: Both) -> None:
    # Each response is under the same key: one cache would serve them all.
    for each in CACHED:
        compare_all(both, [each], Normal(optional=frozenset({"content-length"})))


def test_a_body_that_rules_looked_at_goes_out_whole(program: str, tmp_path: Path) -> None:
    long = bytes(range(97, 123)) * 4000
    waits = "http-response wait-for-body time 1s"
    back = f"http-request cache-use c\nhttp-response cache-store c\n{waits}"
    rows = [
        Exchange(
            "of a cache", TWICE, (Reply(ok(FRESH, long)),), back=back, settings=CACHE, messages=2, again=True
        ),
        Exchange("of a server", (get(),), (Reply(ok(b"", long)),), back=waits, again=True),
    ]
    for number, each in enumerate(rows):
        (got,) = played(program, tmp_path / str(number), [each])
        assert [message.body == long for message in got.value["client"]] == [True] * (each.messages + 1)
        assert got.value["alive"]


def test_a_service_is_waited_for(program: str, tmp_path: Path) -> None:
    rules = f"http-response wait-for-body time 5s\n  {SEEN}"
    with serving(program, tmp_path, rules) as lab:
        client = Client(lab)
        for number, (path, body) in enumerate(
            (("hello", b"hello"), ("pieces", b"hello"), ("created", b"")), 1
        ):
            client.send(asking(path))
            client.read(number)
            answer = seen(client)[-1]
            assert answer.body == body, path
            assert f"x-seen: {body.decode()}{len(body)}" in answer.fields, path
        # The service speaks on once the client does.
        client.send(asking("mirror", b"Content-Length: 6\r\n", b"POST") + b"abc")
        assert client.end.hears_nothing(0.1)
        client.send(b"def")
        client.read(4)
        assert "x-seen: abcdef6" in seen(client)[-1].fields
        assert seen(client)[-1].body == b"abcdef"


def test_enough_of_a_services_body_is_enough(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path, f"http-response wait-for-body time 5s at-least 3\n  {SEEN}") as lab:
        client = Client(lab)
        client.send(asking("mirror", b"Content-Length: 6\r\n", b"POST") + b"abc")
        while b"x-seen: abc" not in client.end.received:
            assert client.end.read(1)
        client.send(b"def")
        client.read(1)
        assert seen(client)[-1].body == b"abcdef"


def test_a_service_that_is_waited_for_in_vain_gets_504(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path, "http-response wait-for-body time 100ms") as lab:
        client = Client(lab)
        client.send(asking("mirror", b"Content-Length: 6\r\n", b"POST") + b"abc")
        client.read(1)
        assert [each.status for each in seen(client)] == [504]


def test_a_blank_in_a_target_is_written_otherwise(program: str, tmp_path: Path) -> None:
    # HAProxy 2.6 sends it as it is: what is behind it could be read for the version (RFC 9112, 3.2).
    rules = {
        "set-path %[req.hdr(v)]": ("/a%20b%09c%20HTTP/1.0?q=1", "/x?q=1"),
        "set-pathq %[req.hdr(v)]": ("/a%20b%09c%20HTTP/1.0", "/x"),
        "set-query %[req.hdr(v)]": ("/o?/a%20b%09c%20HTTP/1.0", "/o?/x"),
        "set-uri %[req.hdr(v)]": ("/a%20b%09c%20HTTP/1.0", "/x"),
        "replace-path ^/o %[req.hdr(v)]": ("/a%20b%09c%20HTTP/1.0?q=1", "/x?q=1"),
        "replace-uri ^/o %[req.hdr(v)]": ("/a%20b%09c%20HTTP/1.0", "/x"),
    }
    values = (b"/a b\tc HTTP/1.0", b"/x")
    asked = [get(b"/o?q=1", b"V: %b\r\n" % value) for value in values]
    rows = [
        Exchange(rule, (asked[0], Await(1), asked[1]), messages=2, back=f"http-request {rule}")
        for rule in rules
    ]
    for each, got in zip(rows, played(program, tmp_path / "isthmus", rows), strict=True):
        targets = [request.start.split(" ")[1] for end in got.value["origin"] for request in end]
        assert tuple(targets) == rules[each.name], each.name
