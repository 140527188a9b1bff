"""table: exchanges of HTTP/1: how messages are framed and read."""

from __future__ import annotations

from .http_exchanges import CHUNKED, GET_10, HEAD, OK_CLOSE, chunked, get, ok, post
from .http_lab import OK, Arrived, Await, Exchange, Reply, Slow, meant


def _chunks() -> list[Exchange]:
    requests = {
        "one chunk": b"3\r\nabc\r\n0\r\n\r\n",
        "two chunks": b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "an extension": b"3;x=y\r\nabc\r\n0\r\n\r\n",
        "a quoted extension": b'3;x="y;z"\r\nabc\r\n0\r\n\r\n',
        "an extension of the last chunk": b"3\r\nabc\r\n0;x\r\n\r\n",
        "hex digits in both cases": b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "leading zeros": b"0003\r\nabc\r\n000\r\n\r\n",
        "trailers": b"3\r\nabc\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n",
        "no data": b"0\r\n\r\n",
    }
    rows = [
        Exchange(f"chunked request: {name}", (chunked(body),), again=True) for name, body in requests.items()
    ]
    rows += [
        Exchange(f"chunked request byte by byte: {name}", (Slow(chunked(body)),), again=True)
        for name, body in requests.items()
    ]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    rows += [
        Exchange(f"chunked response: {name}", replies=(Reply(head + body), Reply()), again=True)
        for name, body in requests.items()
    ]
    bad = {
        "no size": b"\r\nabc\r\n0\r\n\r\n",
        "a bad size": b"x\r\nabc\r\n0\r\n\r\n",
        "too much data": b"3\r\nabcd\r\n0\r\n\r\n",
        "a huge size": b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    }
    rows += [Exchange(f"malformed chunks: {name}", (chunked(body),)) for name, body in bad.items()]
    rows += [
        Exchange(
            "malformed chunks behind good ones",
            (chunked(b"3\r\nabc\r\n"), Arrived(b"abc"), b"x\r\n"),
        ),
        Exchange(
            "malformed chunks from the server",
            replies=(Reply(head + b"3\r\nabc\r\nx\r\n", close=True),),
            messages=1,
        ),
        Exchange("the server's chunks end early", replies=(Reply(head + b"3\r\nabc\r\n", close=True),)),
        Exchange("the server's body ends early", replies=(Reply(ok(body=b"0123456789")[:-3], close=True),)),
        Exchange(
            "a chunked response to a 1.0 client", (GET_10,), (Reply(head + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"),)
        ),
        Exchange(
            "chunked from a 1.0 server",
            replies=(
                Reply(
                    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", close=True
                ),
            ),
        ),
    ]
    return rows


def _interim() -> list[Exchange]:
    expect = b"Expect: 100-continue\r\n"
    head, body = post(b"abc", expect)[:-3], b"abc"
    go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
    return [
        Exchange(
            "100-continue from the server",
            (head, Await(1), body),
            (Reply(interim=go_on), Reply()),
            messages=2,
            again=True,
        ),
        Exchange(
            "100-continue, and the server closes behind its answer",
            (head, Await(1), body),
            (Reply(OK_CLOSE, interim=go_on, close=True),),
            messages=2,
        ),
        Exchange(
            "100-continue, the body at once",
            (head + body,),
            (Reply(interim=go_on),),
            messages=2,
        ),
        Exchange(
            "100 and the answer at once",
            (post(b"abc", expect),),
            (Reply(go_on + OK),),
            messages=2,
            again=False,
        ),
        Exchange("100 that nobody asked for", replies=(Reply(go_on + OK),), messages=2),
        Exchange("103 passes", replies=(Reply(hints + OK),), messages=2),
        Exchange("two 103 pass", replies=(Reply(hints + hints + OK),), messages=3),
        Exchange("102 passes", replies=(Reply(b"HTTP/1.1 102 Processing\r\n\r\n" + OK),), messages=2),
        Exchange("103 to a 1.0 client", (GET_10,), (Reply(hints + OK),)),
        Exchange("100 to a 1.0 client", (GET_10,), (Reply(go_on + OK),)),
        Exchange(
            "103 byte by byte", replies=(Reply(pieces=tuple(bytes([b]) for b in hints + OK)),), messages=2
        ),
        Exchange("a refusal instead of 100", (head, Await(1)), (Reply(ok(status=b"417 No"), early=True),)),
        Exchange(
            "the server closes behind 100", (post(b"abc", expect),), (Reply(go_on, close=True),), messages=2
        ),
    ]


def _bodiless() -> list[Exchange]:
    return [
        Exchange(
            "HEAD", (HEAD,), (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Reply()), again=True
        ),
        Exchange("HEAD, chunked", (HEAD,), (Reply(CHUNKED[:47]), Reply()), again=True),
        Exchange(
            "HEAD without framing", (HEAD,), (Reply(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n"), Reply()), again=True
        ),
        Exchange("204", replies=(Reply(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"), Reply()), again=True),
        Exchange(
            "204 with a length",
            replies=(Reply(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), Reply()),
            again=True,
        ),
        Exchange(
            "304", replies=(Reply(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"), Reply()), again=True
        ),
        Exchange(
            "304 with a length",
            replies=(Reply(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), Reply()),
            again=True,
        ),
        Exchange("205", replies=(Reply(ok(body=b"", status=b"205 Reset Content")), Reply()), again=True),
        Exchange("an empty 200", replies=(Reply(ok(body=b"")), Reply()), again=True),
        Exchange("an empty body until close", replies=(Reply(b"HTTP/1.1 200 OK\r\n\r\n", close=True),)),
        Exchange(
            "a response without a reason", replies=(Reply(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),)
        ),
        Exchange("a status of its own", replies=(Reply(ok(status=b"799 Mine")),)),
        Exchange(
            "HEAD to an answer", (HEAD,), front='http-request return content-type a/b string "x"', again=True
        ),
        Exchange(
            "HEAD, 1.0",
            (b"HEAD / HTTP/1.0\r\n\r\n",),
            (Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),),
        ),
    ]


def _targets() -> list[Exchange]:
    lines = {
        "absolute form": b"GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute form with a port": b"GET http://a:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "absolute form with another host": b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute form without a path": b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute form without Host": b"GET http://a/x HTTP/1.1\r\n\r\n",
        "absolute form, default port": b"GET http://a:80/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "absolute form of https": b"GET https://a:443/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "no Host": b"GET / HTTP/1.1\r\n\r\n",
        "an empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "two equal Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "two Hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "a Host with a port": b"GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n",
        "a Host of IPv6": b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "a query": b"GET /x?y=z&a HTTP/1.1\r\nHost: a\r\n\r\n",
        "a method of its own": b"BREW /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "names in every case": b"GET / HTTP/1.1\r\nHOST: a\r\nX-Some-Thing: Y\r\n\r\n",
        "spaces around values": b"GET / HTTP/1.1\r\nHost:   a  \r\nX:\t y \t\r\n\r\n",
        "an empty value": b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n",
        "the same name twice": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n",
        "HTTP/1.0 with Host": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        "a fragment": b"GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n",
        "a space in the path": b"GET /x y HTTP/1.1\r\nHost: a\r\n\r\n",
        "high bytes in the path": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
        "high bytes in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n",
        "TRACE": b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
        "no version": b"GET /\r\n\r\n",
    }
    return [Exchange(f"target: {name}", (data,)) for name, data in lines.items()]


def _limits() -> list[Exchange]:
    return [
        Exchange("a head that fits", (get(fields=b"X: " + b"y" * 12000 + b"\r\n"),)),
        Exchange("a head that is too long", (get(fields=b"X: " + b"y" * 17000 + b"\r\n"),)),
        Exchange("a target that is too long", (get(b"/" + b"y" * 17000),)),
        Exchange("a hundred fields", (get(fields=b"X: y\r\n" * 99),)),
        Exchange("a hundred and one fields", (get(fields=b"X: y\r\n" * 101),)),
        Exchange(
            "ten fields of eight", (get(fields=b"X: y\r\n" * 9),), settings="global\n  tune.http.maxhdr 8"
        ),
        Exchange("a response head that is too long", replies=(Reply(ok(b"X: " + b"y" * 17000 + b"\r\n")),)),
        Exchange("a response of a hundred and two fields", replies=(Reply(ok(b"X: y\r\n" * 101)),)),
        Exchange(
            "a small tune.bufsize",
            (get(fields=b"X: " + b"y" * 5000 + b"\r\n"),),
            settings="global\n  tune.bufsize 4096",
        ),
        Exchange(
            "a big tune.bufsize",
            (get(fields=b"X: " + b"y" * 20000 + b"\r\n"),),
            settings="global\n  tune.bufsize 32768",
        ),
        Exchange("a POST without a length", (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",), again=True),
        Exchange("trailers that are too long", (chunked(b"0\r\nX: " + b"y" * 20000 + b"\r\n\r\n"),)),
    ]


# Where we mean to differ: the case, why, and the statuses that our client sees.
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    "a chunked response to a 1.0 client": ("a 1.0 client knows no chunks", (200,)),
    "chunked from a 1.0 server": ("Transfer-Encoding in HTTP/1.0 is faulty framing", (502,)),
    "103 to a 1.0 client": ("RFC 9110 15.2: no 1xx to a 1.0 client", (200,)),
    "100 to a 1.0 client": ("RFC 9110 15.2: no 1xx to a 1.0 client", (200,)),
    "target: no Host": ("RFC 9112 3.2: 400", (400,)),
    "target: absolute form without Host": ("RFC 9112 3.2: 400", (400,)),
    "target: two equal Hosts": ("RFC 9112 3.2: 400", (400,)),
    "target: absolute form with a port": ("a target goes on as it came", (200,)),
    "target: absolute form, default port": ("a target goes on as it came", (200,)),
    "target: absolute form of https": ("a target goes on as it came", (200,)),
    "a hundred and one fields": ("431, as newer versions say", (431,)),
    "ten fields of eight": ("431, as newer versions say", (431,)),
    "a head that is too long": ("431, as newer versions say", (431,)),
    "a small tune.bufsize": ("431, as newer versions say", (431,)),
    "a target that is too long": ("414, as newer versions say", (414,)),
    "trailers that are too long": ("the request goes out before its trailers are there", (400,)),
}
GROUPS = meant(
    {
        "chunks": _chunks(),
        "interim": _interim(),
        "bodiless": _bodiless(),
        "targets": _targets(),
        "limits": _limits(),
    },
    _BEYOND,
)
