"""Which server a request is led to by what is in it: the same choices as HAProxy's, over many requests."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from .http_exchanges import chunked, get, post
from .http_lab import PREAMBLE, Client, Reply, Script
from .lab import Both, Lab

_DICE = random.Random(3)


def _word(letters: str = "abcdef", longest: int = 4) -> str:
    return "".join(_DICE.choice(letters) for _ in range(_DICE.randint(1, longest)))


def _target() -> str:
    path = "".join("/" + _word() for _ in range(_DICE.randint(0, 4))) or "/"
    queries = ("", "?id={}", "?u={}&id={}", "?id={};x", "?", "?ID={}", "?id=", "?id", "?xid={}&id={}")
    return path + _DICE.choice(queries).replace("{}", str(_DICE.randint(1, 99)))


TARGETS = [_target() for _ in range(80)]
_LABELS = (("www", "a", "b"), ("ex", "foo", "bar", "zed"), ("com", "org"))
HOSTS = [".".join(_DICE.choice(labels) for labels in _LABELS) for _ in range(40)]
ODD_HOSTS = [
    "a",
    "a.b",
    "",
    ".",
    ".com",
    "a.",
    "1.2.3.4",
    "[::1]:80",
    "a.b.c:8080",
    "www.a-b.co.uk",
    "A.B.C",
    "a..b",
]


def _gets(targets: list[str]) -> list[bytes]:
    return [get(target.encode()) for target in targets]


def _fields(values: list[str]) -> list[bytes]:
    return [get(fields=f"X-H: {value}\r\n".encode()) for value in values]


def _several() -> list[bytes]:
    lines = (
        b"X-H: a, b\r\n",
        b"X-H: a\r\nX-H: c\r\n",
        b"x-h:  a \r\n",
        b"X-H:\r\n",
        b"Y: a\r\n",
        b'X-H: "a,b"\r\n',
        b"X-H: , b\r\n",
        b"X-H:\r\nX-H: a\r\n",
    )
    return [get(fields=line) for line in lines for _ in range(3)]


FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def _forms() -> Iterator[bytes]:
    for at in range(40):
        body = b"a=b&id=%d&c=d" % (at * 37 % 101)
        yield post(body)
        yield post(body, FORM)
        yield post(body, line=b"POST /?id=%d HTTP/1.1" % at)
        yield chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        yield post(b"x=1")
        yield post(body, line=b"PUT / HTTP/1.1")
        yield get(b"/?id=%d" % at)


URIS = _gets(TARGETS)
ABSOLUTE = [
    get(b"http://%s%s" % (HOSTS[at % 40].encode(), TARGETS[at].encode()), host=HOSTS[at % 40].encode())
    for at in range(40)
]
ODD = [b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", *_gets(["//", "/a//b", "/%61", "/a?/b/c", "/a/", "/ab"])]
PLAIN = _fields(HOSTS)

BALANCES: dict[str, list[bytes]] = {
    "balance uri": URIS + ABSOLUTE + ODD,
    "balance uri depth 1": URIS + ABSOLUTE + ODD,
    "balance uri depth 2": URIS + ODD,
    "balance uri len 1": URIS,
    "balance uri len 5": URIS + ABSOLUTE + ODD,
    "balance uri len 8 depth 2": URIS + ODD,
    "balance uri whole": URIS + ABSOLUTE + ODD,
    "balance uri whole depth 3": URIS,
    "balance uri whole len 9": URIS + ABSOLUTE,
    "balance uri path-only": URIS + ABSOLUTE + ODD,
    "balance uri path-only whole": URIS + ABSOLUTE + ODD,
    "balance url_param id": URIS,
    "balance url_param u": URIS,
    "balance url_param id check_post": list(_forms()),
    "balance url_param id check_post 3": list(_forms()),
    "balance url_param a": _gets(["/?a=1&a=2", "/?b=1&a=3", "/?a", "/?a=", "/?ba=1", "/?a=1;b=2"]),
    "balance hdr(x-h)": PLAIN + _several() + _fields(ODD_HOSTS),
    "balance hdr(X-H)": PLAIN,
    "balance hdr(host)": [get(host=host.encode()) for host in HOSTS],
    "balance hdr(x-h) use_domain_only": PLAIN
    + _fields([f"{host}:80" for host in HOSTS])
    + _several()
    + _fields(ODD_HOSTS),
    "balance hdr(y)": PLAIN,
    "balance hash path,lower": URIS,
    "balance hash req.hdr(x-h)": PLAIN + _several(),
    "balance hash url_param(id)": URIS,
    "balance hash int(7)": URIS[:10],
    "balance hash src": URIS[:10],
    "balance source": URIS[:10],
}
for _kind in ("map-based", "consistent"):
    for _function in ("sdbm", "djb2", "wt6", "crc32"):
        for _end in ("", " avalanche"):
            BALANCES[f"balance uri\n  hash-type {_kind} {_function}{_end}"] = URIS[:40]
    BALANCES[f"balance hdr(x-h)\n  hash-type {_kind}"] = PLAIN
    BALANCES[f"balance url_param id\n  hash-type {_kind} sdbm avalanche"] = URIS[:40]
BALANCES["balance uri\n  hash-type consistent\n  hash-balance-factor 150"] = URIS


def _site(at: int, balance: str) -> str:
    servers = "".join(f"  server s{each} <a> weight {10 + each}\n" for each in range(5))
    return (
        f"listen l{at}\n  bind 127.0.0.1:<front{at}>\n  {balance}\n"
        f"  http-after-response set-header x-s %s\n{servers}"
    )


def _choices(lab: Lab, at: int, requests: list[bytes]) -> list[bytes]:
    client = Client(lab, f"front{at}")
    client.send(b"".join(requests))
    client.read(len(requests))
    client.last()
    return [message.value(b"x-s") or b"?" for message in client.messages()]


@pytest.mark.parametrize("kind", ["uri", "url_param", "hdr", "hash", "source"])
def test_each_request_goes_to_the_server_that_haproxy_chooses(both: Both, kind: str) -> None:
    table = {line: requests for line, requests in BALANCES.items() if line.split()[1].startswith(kind)}

    def traffic(lab: Lab) -> dict[str, list[bytes]]:
        return {line: _choices(lab, at, requests) for at, (line, requests) in enumerate(table.items())}

    config = "".join(_site(at, line) for at, line in enumerate(table))
    script = Script([Reply()])
    seen = both(config, traffic, origins={"a": script}, preamble=PREAMBLE, logged=False)
    assert b"?" not in {choice for choices in seen.value.values() for choice in choices}
