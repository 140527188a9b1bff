"""table: exchanges of HTTP/1 that both proxies have to play alike."""

from __future__ import annotations

from dataclasses import replace

from .http_lab import GET, OK, Arrived, Await, Exchange, Finish, Reply, Slow, Step

HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_10 = b"GET / HTTP/1.0\r\n\r\n"
GET_10_KEEP = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
GET_CLOSE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OK_10 = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_10_KEEP = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"
OK_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nok"


def post(body: bytes, fields: bytes = b"", line: bytes = b"POST / HTTP/1.1") -> bytes:
    """A POST with a length."""
    return line + b"\r\nHost: a\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, fields: bytes = b"", line: bytes = b"POST / HTTP/1.1") -> bytes:
    """A POST in chunks, which stand in `body` as they are sent."""
    return line + b"\r\nHost: a\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n" + body


def get(path: bytes = b"/", fields: bytes = b"", host: bytes = b"a", version: bytes = b"1.1") -> bytes:
    """A GET."""
    return b"GET " + path + b" HTTP/" + version + b"\r\nHost: " + host + b"\r\n" + fields + b"\r\n"


def ok(fields: bytes = b"", body: bytes = b"ok", status: bytes = b"200 OK", version: bytes = b"1.1") -> bytes:
    """A response with a length."""
    return b"HTTP/%s %s\r\nContent-Length: %d\r\n%s\r\n%s" % (version, status, len(body), fields, body)


def _keep_alive() -> list[Exchange]:
    modes = {"": "default", "option httpclose": "httpclose", "option http-server-close": "server-close"}
    requests = {
        "1.1": GET,
        "1.1 close": GET_CLOSE,
        "1.0": GET_10,
        "1.0 keep-alive": GET_10_KEEP,
        "1.1 keep-alive": get(fields=b"Connection: keep-alive\r\n"),
    }
    rows = [
        Exchange(f"{request} client, {mode or 'default'}", (data,), back=option, again=True)
        for option, mode in modes.items()
        for request, data in requests.items()
    ]
    replies = {
        "1.0": Reply(OK_10, close=True),
        "1.0 keep-alive": Reply(OK_10_KEEP),
        "1.1 close": Reply(OK_CLOSE, close=True),
        "until close": Reply(UNTIL_CLOSE, close=True),
        "1.0 until close": Reply(b"HTTP/1.0 200 OK\r\n\r\nok", close=True),
        "chunked": Reply(CHUNKED),
    }
    rows += [
        Exchange(f"{request} client, {reply} server", (data,), (answer, Reply()), again=True)
        for reply, answer in replies.items()
        for request, data in requests.items()
        if request != "1.1 keep-alive"
    ]
    rows += [
        Exchange("httpclose in the frontend alone", front="option httpclose", again=True),
        Exchange("server-close in the frontend alone", front="option http-server-close", again=True),
        Exchange("keep-alive undoes httpclose", settings="", back="option http-keep-alive", again=True),
        Exchange(
            "a client's keep-alive header says nothing to the server",
            (get(fields=b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),),
            again=True,
        ),
        Exchange(
            "a server's keep-alive header",
            replies=(Reply(ok(b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n")), Reply()),
            again=True,
        ),
        Exchange(
            "proxy-connection is none of HTTP's", (get(fields=b"Proxy-Connection: close\r\n"),), again=True
        ),
        Exchange("pretend keep-alive", back="option httpclose\noption http-pretend-keepalive", again=True),
        Exchange(
            "close and keep-alive together", (get(fields=b"Connection: close, keep-alive\r\n"),), again=True
        ),
        Exchange(
            "two Connection lines",
            (get(fields=b"Connection: x\r\nConnection: close\r\nX: 1\r\n"),),
            again=True,
        ),
    ]
    return rows


def _pipelining() -> list[Exchange]:
    many = b"".join(get(b"/%d" % at) for at in range(50))
    two = get(b"/1") + get(b"/2")
    steps: list[tuple[str, tuple[Step, ...], int]] = [
        ("two requests in one segment", (two,), 2),
        ("fifty requests in one segment", (many,), 50),
        ("fifty requests one byte at a time", (Slow(many),), 50),
        (
            "a request, and the start of another",
            (get(b"/1") + b"GET /2", Await(1), b" HTTP/1.1\r\nHost: a\r\n\r\n"),
            2,
        ),
        ("POST and GET in one segment", (post(b"abc") + GET,), 2),
        ("chunked POST and GET in one segment", (chunked(b"3\r\nabc\r\n0\r\n\r\n") + GET,), 2),
        ("two POSTs one byte at a time", (Slow(post(b"abc") + post(b"defg")),), 2),
        ("chunked POSTs one byte at a time", (Slow(chunked(b"3\r\nabc\r\n0\r\n\r\n") * 2),), 2),
        ("GET with a body, and GET", (post(b"abc", line=b"GET / HTTP/1.1") + GET,), 2),
        ("HEAD and GET in one segment", (HEAD + GET,), 2),
        ("the last of two closes", (GET + GET_CLOSE,), 2),
        ("the first of two closes", (GET_CLOSE + GET,), 1),
        ("the second of two is malformed", (GET + b"GET / HTTP/x\r\n\r\n",), 2),
        ("empty lines between two", (GET + b"\r\n" + GET,), 2),
        ("a trailer and the next request", (chunked(b"0\r\nX: y\r\n\r\n") + GET,), 2),
    ]
    return [Exchange(name, sends, messages=count) for name, sends, count in steps]


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


def _tunnels() -> list[Exchange]:
    connect = b"CONNECT a:8443 HTTP/1.1\r\nHost: a:8443\r\n\r\n"
    upgrade = get(
        fields=b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    own = get(fields=b"Connection: Upgrade\r\nUpgrade: mine\r\n")
    own_switch = switch.replace(b"websocket", b"mine")
    opened = b"HTTP/1.1 200 Connected\r\n\r\n"
    return [
        Exchange("CONNECT", (connect, Await(1), b"hello"), (Reply(opened, close=False),), messages=0),
        Exchange("CONNECT, bytes behind the answer", (connect,), (Reply(opened + b"banner", close=True),)),
        Exchange(
            "CONNECT, bytes behind the request",
            (connect + b"hello", Arrived(b"hello")),
            (Reply(opened),),
            messages=0,
        ),
        Exchange("CONNECT refused", (connect,), (Reply(ok(status=b"403 No")), Reply()), again=False),
        Exchange(
            "Upgrade",
            (own, Arrived(b"upgrade"), b"hello", Arrived(b"hello")),
            (Reply(own_switch),),
            messages=0,
        ),
        Exchange("Upgrade, bytes behind the answer", (own,), (Reply(own_switch + b"banner", close=True),)),
        Exchange("Upgrade not taken", (own,), (Reply(), Reply()), again=False),
        Exchange(
            "Upgrade: h2c goes no further",
            (get(fields=b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"),),
        ),
        Exchange("Upgrade without Connection", (get(fields=b"Upgrade: mine\r\n"),)),
        Exchange("101 that nobody asked for", replies=(Reply(own_switch, close=True),)),
        Exchange(
            "Upgrade of a 1.0 client",
            (get(fields=b"Connection: Upgrade\r\nUpgrade: mine\r\n", version=b"1.0"),),
        ),
        Exchange(
            "WebSocket without a key",
            (get(fields=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),),
            (Reply(switch, close=True),),
        ),
        Exchange("WebSocket without an accept", (upgrade,), (Reply(switch, close=True),)),
        Exchange(
            "WebSocket",
            (upgrade,),
            (
                Reply(
                    switch[:-2] + b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nx", close=True
                ),
            ),
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


def _servers() -> list[Exchange]:
    return [
        Exchange("the server says nothing", replies=(Reply(b"", close=True),), back="retries 0"),
        Exchange("the server resets", replies=(Reply(b"", reset=True),), back="retries 0"),
        Exchange("the server talks no HTTP", replies=(Reply(b"SSH-2.0-x\r\n\r\n", close=True),)),
        Exchange("a malformed response", replies=(Reply(b"HTTP/1.1 200 OK\r\nX y\r\n\r\n", close=True),)),
        Exchange(
            "two different lengths",
            replies=(
                Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", close=True),
            ),
        ),
        Exchange(
            "two equal lengths",
            replies=(Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),),
        ),
        Exchange("half a head", replies=(Reply(b"HTTP/1.1 200 OK\r\nX", close=True),)),
        Exchange(
            "a response byte by byte",
            replies=(Reply(pieces=tuple(bytes([b]) for b in OK)), Reply()),
            again=True,
        ),
        Exchange(
            "an early answer while the body is sent",
            (post(b"x" * 10)[:-5], Await(1)),
            (Reply(ok(status=b"413 No"), early=True, close=True),),
        ),
        Exchange(
            "bytes that nobody asked for",
            replies=(Reply(OK + b"HTTP/1.1 200 OK\r\n\r\n"), Reply()),
            again=True,
        ),
        Exchange("a server that refuses", server="disabled", statuses=(503,)),
        Exchange("the reply behind a FIN of the client", (GET, Finish())),
        Exchange("the reply to a POST behind a FIN", (post(b"abc"), Finish())),
        Exchange("a FIN in the midst of the body", (post(b"0123456789")[:-5], Arrived(b"01234"), Finish())),
        Exchange("a FIN in the midst of the head", (GET[:20], Finish())),
        Exchange("a FIN at once", (Finish(),), messages=0),
    ]


def _answers() -> list[Exchange]:
    rules = {
        "deny": "http-request deny",
        "deny with 429": "http-request deny deny_status 429",
        "deny with 404": "http-request deny deny_status 404",
        "return": 'http-request return status 200 content-type text/plain string "hello"',
        "return with fields": "http-request return status 201 content-type a/b lf-string %[path] hdr X-A b",
        "redirect": "http-request redirect location /x",
        "redirect prefix": "http-request redirect prefix http://b code 301",
        "redirect scheme": "http-request redirect scheme https code 307",
        "auth": "http-request auth realm R",
        "monitor-uri": "monitor-uri /",
        "monitor fail": "monitor-uri /\nmonitor fail if TRUE",
        "http-error": 'http-request deny\nhttp-error status 403 content-type text/plain string "no"',
        "errorloc": "http-request deny\nerrorloc 403 http://b/no",
        "errorloc303": "http-request deny\nerrorloc303 403 http://b/no",
        "reject": "http-request reject",
        "content reject": "tcp-request content reject",
        "content accept": "tcp-request content accept",
        "silent rule": "http-request set-var(txn.x) str(y)\nhttp-request set-header X %[var(txn.x)]",
        "redirect with a cookie": "http-request redirect location /x set-cookie a=b",
        "tarpit": "timeout tarpit 300ms\nhttp-request tarpit deny_status 429",
    }
    rows = [Exchange(f"{name}", front=rule, again=True) for name, rule in rules.items()]
    rows += [
        Exchange(f"{name}, the body there", (post(b"x" * 1000),), front=rules[name], again=True)
        for name in ("deny", "return", "redirect", "auth")
    ]
    rows += [
        Exchange(f"{name}, the body to come", (post(b"x" * 1000)[:-500],), front=rules[name])
        for name in ("deny", "return", "redirect", "auth")
    ]
    rows += [
        Exchange(f"{name}, chunks there", (chunked(b"3\r\nabc\r\n0\r\n\r\n"),), front=rules[name], again=True)
        for name in ("deny", "return")
    ]
    rows += [
        Exchange(f"{name} of a 1.0 client", (GET_10,), front=rules[name], again=True)
        for name in ("deny", "return", "redirect")
    ]
    rows += [
        Exchange("deny of a response", back="http-response deny"),
        Exchange(
            "return for a response",
            back='http-response return status 200 content-type text/plain string "x"',
        ),
        Exchange(
            "errorfile for a response",
            replies=(Reply(b"", close=True),),
            back="retries 0\nerrorloc 502 http://b/",
        ),
        Exchange("after-response", front="http-after-response set-header X y\nhttp-request deny", again=True),
    ]
    return rows


def _proxies() -> list[Exchange]:
    front = "frontend f\n  bind 127.0.0.1:<front>\n"
    choices = front + (
        "  use_backend two if { hdr(host) -i two }\n  use_backend three if { path_beg /three/ }\n"
        "  default_backend one\n"
        "backend one\n  http-request set-header X-Backend one\n  server s <a>\n"
        "backend two\n  http-request set-header X-Backend two\n  server s <a>\n"
        "backend three\n  http-request set-header X-Backend three\n  server s <a>\n"
    )
    named = (
        front
        + "  use_backend %[hdr(host)]\n  default_backend one\n"
        + choices.split("default_backend one\n")[1]
    )
    listen = "listen l\n  bind 127.0.0.1:<front>\n"
    return [
        Exchange("the default backend", (get(),), site=choices, again=True),
        Exchange("a backend by host", (get(host=b"TWO"),), site=choices, again=True),
        Exchange("a backend by path", (get(b"/three/x"),), site=choices, again=True),
        Exchange(
            "three backends over one connection",
            (get() + get(host=b"two") + get(b"/three/"),),
            site=choices,
            messages=3,
        ),
        Exchange("a backend named by the request", (get(host=b"three"),), site=named),
        Exchange("a backend that is not there", (get(host=b"four"),), site=named),
        Exchange("listen", (GET,), site=listen + "  server s <a>", again=True),
        Exchange(
            "listen, its rules once", (GET,), site=listen + "  http-request add-header X y\n  server s <a>"
        ),
        Exchange("listen without servers", (GET,), site=listen, again=True, statuses=(503, 503)),
        Exchange("a frontend without a backend", (GET,), site=front, again=True, statuses=(503, 503)),
        Exchange(
            "a backend without servers", (GET,), site=front + "  default_backend b\nbackend b", again=True
        ),
        Exchange(
            "a server that refuses connections",
            (GET,),
            site=listen + "  retries 0\n  server s <closed>",
            again=True,
        ),
        Exchange(
            "a redispatch",
            (GET,),
            site=listen
            + "  retries 1\n  option redispatch 1\n  balance first\n  server x <closed>\n  server s <a>",
        ),
        Exchange("errorfile", (GET,), site=listen + "  errorloc302 503 /sorry", again=True),
        Exchange(
            "http-error for what no server takes",
            (GET,),
            site=listen + '  http-error status 503 content-type a/b string "sorry" hdr X y',
            again=True,
        ),
        Exchange(
            "http-error for a malformed request",
            (b"GET\r\n\r\n",),
            site=listen + '  http-error status 400 content-type a/b string "no"\n  server s <a>',
        ),
        Exchange("forwardfor", (get(fields=b"X-Forwarded-For: 1.2.3.4\r\n"),), back="option forwardfor"),
        Exchange(
            "forwardfor if-none",
            (get(fields=b"X-Forwarded-For: 1.2.3.4\r\n"),),
            back="option forwardfor if-none",
        ),
        Exchange(
            "http-ignore-probes",
            (),
            front="option http-ignore-probes\ntimeout http-request 300ms",
            messages=0,
        ),
        Exchange("dontlognull", (), front="option dontlognull", messages=0),
        Exchange("an empty request line", (b"\r\n\r\n" + GET,)),
        Exchange(
            "two small bodies in one segment, chunked", (chunked(b"1\r\na\r\n0\r\n\r\n") * 2,), messages=2
        ),
        Exchange("a big body up", (post(b"x" * 300_000),), again=True),
        Exchange("a big body down", replies=(Reply(ok(body=b"x" * 300_000)), Reply()), again=True),
        Exchange(
            "a big chunk up", (chunked(b"%x\r\n" % 300_000 + b"x" * 300_000 + b"\r\n0\r\n\r\n"),), again=True
        ),
        Exchange("a big body until close", replies=(Reply(UNTIL_CLOSE + b"x" * 300_000, close=True),)),
        Exchange(
            "a big body until close to a 1.0 client",
            (GET_10,),
            (Reply(UNTIL_CLOSE + b"x" * 300_000, close=True),),
        ),
    ]


GROUPS: dict[str, list[Exchange]] = {
    "keep_alive": _keep_alive(),
    "pipelining": _pipelining(),
    "chunks": _chunks(),
    "interim": _interim(),
    "bodiless": _bodiless(),
    "tunnels": _tunnels(),
    "targets": _targets(),
    "limits": _limits(),
    "servers": _servers(),
    "answers": _answers(),
    "proxies": _proxies(),
}

# Where we mean to differ: the case, why, and the statuses that our client sees.
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    "a client's keep-alive header says nothing to the server": (
        "Keep-Alive is for one connection",
        (200, 200),
    ),
    "a server's keep-alive header": ("Keep-Alive is for one connection", (200, 200)),
    "proxy-connection is none of HTTP's": ("Proxy-Connection is for one connection", (200, 200)),
    "two Connection lines": ("a client's Connection list is not forwarded", (200,)),
    "1.0 client, chunked server": ("a 1.0 client knows no chunks", (200,)),
    "1.0 keep-alive client, chunked server": ("a 1.0 client knows no chunks", (200,)),
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
    "Upgrade: h2c goes no further": ("h2c would hide requests in a tunnel", (200,)),
    "Upgrade without Connection": ("Upgrade is for one connection", (200,)),
    "Upgrade of a 1.0 client": ("RFC 9110 7.8: ignored in HTTP/1.0", (200,)),
    "two equal lengths": ("a duplicate Content-Length is refused", (502,)),
    "an early answer while the body is sent": ("the exchange ends with the server's answer", (413,)),
    "redirect, the body there": ("the body was there, and the connection goes on", (302, 302)),
    "content reject": ("the request is read before content rules run", ()),
    "http-error for a malformed request": ("http-error is for every 400", (400,)),
}
GROUPS = {
    group: [
        replace(row, beyond=_BEYOND[row.name][0], ours=_BEYOND[row.name][1]) if row.name in _BEYOND else row
        for row in rows
    ]
    for group, rows in GROUPS.items()
}
