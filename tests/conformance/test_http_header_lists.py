"""`add-headers-bin`, `set-headers-bin` and `del-headers-bin`, which HAProxy has since 3.4."""

from __future__ import annotations

import pytest

from .http_batch import played
from .http_exchanges import get, ok
from .http_lab import Exchange, Reply

FIELDS = b"A: 1\r\nX-B: 2\r\nx-b: 3\r\n"


def listed(*words: str) -> str:
    """An expression that gives texts behind their lengths, and the end of the list."""
    data = b"".join(bytes([len(word)]) + word.encode("latin-1") for word in words) + b"\0\0"
    return f"bin({data.hex()})"


LONG = "l" * 300
# A length of 300 (0x12c) in two bytes: 0xf0 with the low four bits, then (300 - 240) >> 4.
LONG_LIST = f"bin(016cfc03{LONG.encode().hex()}0000)"

# Each: its name, the rules of the request, and what of its fields the server gets.
REQUESTS = (
    ("added", f"add-headers-bin {listed('X-B', '4', 'c', '5')}", "a: 1|x-b: 2|x-b: 3|x-b: 4|c: 5"),
    ("set", f"set-headers-bin {listed('X-B', '4', 'c', '5')}", "a: 1|x-b: 4|c: 5"),
    ("set twice, as two rules",
     f"set-headers-bin {listed('x-b', '4', 'c', '5', 'X-B', '6')}",
     "a: 1|c: 5|x-b: 6"),
    ("deleted", f"del-headers-bin {listed('X-B', 'c')}", "a: 1"),
    ("deleted by their beginning", f"del-headers-bin {listed('X-')} -m beg", "a: 1"),
    ("deleted by their end", f"del-headers-bin {listed('-B')} -m end", "a: 1"),
    ("deleted by a part", f"del-headers-bin {listed('-')} -m sub", "a: 1"),
    ("an empty name ends a list", f"del-headers-bin {listed('', 'a')} -m beg", "a: 1|x-b: 2|x-b: 3"),
    ("only what begins so is added",
     f"add-headers-bin {listed('Y-a', '1', 'b', '2')} prefix y-",
     "a: 1|x-b: 2|x-b: 3|y-a: 1"),
    ("only what begins so is set",
     f"set-headers-bin {listed('X-B', '4', 'a', '5')} prefix X-",
     "a: 1|x-b: 4"),
    ("no value", "add-headers-bin var(txn.none)", "a: 1|x-b: 2|x-b: 3"),
    ("an empty list", "set-headers-bin bin(0000)", "a: 1|x-b: 2|x-b: 3"),
    ("a list that no end marks", "set-headers-bin bin(01610139)", "x-b: 2|x-b: 3|a: 9"),
    ("a long value", f"set-headers-bin {LONG_LIST}", f"a: 1|x-b: 2|x-b: 3|l: {LONG}"),
    (
        "as they were",
        "set-var(txn.old) req.hdrs_bin\nhttp-request del-header a\nhttp-request set-header x-b 9\n"
        "http-request set-headers-bin var(txn.old) prefix a",
        "x-b: 9|a: 1",
    ),
    # Control characters are written as in every value of a rule.
    ("a line break",
     f"set-headers-bin {listed('a', 'b' + chr(13) + chr(10) + 'c: d')}",
     "x-b: 2|x-b: 3|a: b%0D%0Ac: d"),
    ("a line break in what is deleted", f"del-headers-bin {listed('a' + chr(10))}", "a: 1|x-b: 2|x-b: 3"),
    # The fields of framing stay the proxy's own.
    ("framing",
     f"add-headers-bin {listed('Content-Length', '9', 'Transfer-Encoding', 'chunked')}",
     "a: 1|x-b: 2|x-b: 3"),
    ("a broken list leniently",
     "strict-mode off\nhttp-request add-headers-bin bin(05)",
     "a: 1|x-b: 2|x-b: 3"),
)  # fmt: skip
# A list that is malformed, of the request or the response, changes nothing: 500.
BROKEN = {
    "the end in a length": "bin(f0)",
    "the end in a name": "bin(0561)",
    "the end behind a name": "bin(0161)",
    "the end in a value": "bin(01610562)",
    "a value without a name": "bin(000161)",
    "a length that nothing has": "bin(ffffffffffffffffffff7f)",
    "a pseudo field": listed(":path", "/x"),
    "a blank in a name": listed("a b", "c"),
    "a line break in a name": listed("a: b\r\nc", "d"),
    "more than tune.http.maxhdr": f"bin({'01610162' * 101})",
}
# A Host that an absolute target cannot hold: they would tell of different places (RFC 9112, 3.2.2).
HOSTS = (f"set-headers-bin {listed('c', '5', 'host', 'a b')}", 'set-header host "a b"')
KEYWORDS = ("http-request", "http-response", "http-after-response")


@pytest.fixture(scope="module")
def seen(program: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What each row let us see."""
    rows = [
        Exchange(name, (get(fields=FIELDS),), back=f"http-request {rule}", again=True)
        for name, rule, _ in REQUESTS
    ]
    rows += [
        Exchange(f"{keyword}: {name}", (get(fields=FIELDS),), back=f"{keyword} {verb}-headers-bin {value}")
        for name, value in BROKEN.items()
        for keyword in KEYWORDS
        for verb in ("add", "set")
    ]
    reply = Reply(ok(fields=b"A: 1\r\nX-B: 2\r\n"))
    rows += [
        Exchange(keyword, replies=(reply,), again=True,
                 back=f"{keyword} add-headers-bin {listed('c', '3', 'content-length', '1')}\n"
                 f"{keyword} set-headers-bin {listed('a', '2', 'd', '4')} prefix A\n"
                 f"{keyword} del-headers-bin {listed('x')} -m beg")
        for keyword in KEYWORDS[1:]
    ]  # fmt: skip
    rows += [
        Exchange(
            rule,
            (get(b"http://a/x", fields=FIELDS),),
            back=f"http-request strict-mode off\nhttp-request {rule}",
        )
        for rule in HOSTS
    ]
    found = played(program, tmp_path_factory.mktemp("lists") / "isthmus", rows)
    return {row.name: each for row, each in zip(rows, found, strict=True)}


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name, _, fields in REQUESTS], ids=[name for name, *_ in REQUESTS]
)
def test_a_request_goes_on_with_the_fields_of_the_list(seen: dict, name: str, fields: str) -> None:
    first, again = (each for end in seen[name].value["origin"] for each in end)
    assert "|".join(first.fields[1:]) == fields
    assert again.start == "GET /again HTTP/1.1"
    assert seen[name].value["alive"]


@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("name", BROKEN)
def test_a_malformed_list_is_refused_whole(seen: dict, keyword: str, name: str) -> None:
    got = seen[f"{keyword}: {name}"].value
    assert [each.status for each in got["client"]] == [500]
    assert bool(got["origin"]) == (keyword != "http-request")
    assert not any(each.startswith("a:") for message in got["client"] for each in message.fields)


@pytest.mark.parametrize("keyword", KEYWORDS[1:])
def test_a_response_goes_on_with_the_fields_of_the_list(seen: dict, keyword: str) -> None:
    got = seen[keyword].value
    assert got["client"][0].fields == ("content-length: 2", "c: 3", "a: 2")
    assert got["client"][0].body == b"ok"
    assert got["alive"]


@pytest.mark.parametrize("rule", HOSTS)
def test_a_host_that_the_target_cannot_hold_changes_nothing(seen: dict, rule: str) -> None:
    ((got,),) = seen[rule].value["origin"]
    assert "|".join(got.fields) == "host: a|a: 1|x-b: 2|x-b: 3"
