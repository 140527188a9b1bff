"""table: exchanges of HTTP/1: how connections live and what they carry."""

from __future__ import annotations

from .http_exchanges import (
    CHUNKED,
    GET_10,
    GET_10_KEEP,
    GET_CLOSE,
    HEAD,
    OK_10,
    OK_10_KEEP,
    OK_CLOSE,
    UNTIL_CLOSE,
    chunked,
    get,
    ok,
    post,
)
from .http_lab import GET, OK, Arrived, Await, Exchange, Finish, Heard, Reply, Slow, Step, meant


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
        Exchange(
            "CONNECT",
            (connect, Heard(b"Connected"), b"hello", Arrived(b"hello")),
            (Reply(opened, close=False),),
            messages=0,
        ),
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
            # Only an end of the connection ends the wait for a second message.
            (post(b"x" * 10)[:-5], Await(2)),
            (Reply(ok(status=b"413 No"), early=True, close=True),),
            front="timeout client 500ms",
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


def _proxied() -> list[Exchange]:
    """Requests behind a PROXY header: rules see them, and the client that it names."""
    text = b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 80\r\n"
    rules = (
        "http-request deny if { path /no }\n  http-request set-header X %[src]:%[src_port]/%[dst]\n"
        "  option forwardfor"
    )
    site = "listen l\n  bind 127.0.0.1:<front> accept-proxy\n  {}\n  server s <a>\n"
    expected = site.replace(" accept-proxy", "").replace(
        "{}", "tcp-request connection expect-proxy layer4\n  {}"
    )
    steps: dict[str, tuple[tuple[Step, ...], int]] = {
        "a request": ((text + GET,), 1),
        "a request that comes later": ((text, GET), 1),
        "a request byte by byte": ((text, Slow(GET)), 1),
        "two requests": ((text + GET + GET,), 2),
        "a request and half another": ((text + GET + GET[:9], Await(1), GET[9:]), 2),
        "a POST": ((text + post(b"abc"),), 1),
        "a POST, its body later": ((text + post(b"abc")[:-3], Arrived(b"host"), b"abc"), 1),
        "what is denied": ((text + get(b"/no"),), 1),
        "no HTTP": ((text + b"x\r\n\r\n",), 1),
        "nothing": ((text, Finish()), 0),
    }
    rows = [
        Exchange(f"behind a PROXY header: {name}", sends, site=site.replace("{}", rules), messages=count)
        for name, (sends, count) in steps.items()
    ]
    rows.append(Exchange("behind expect-proxy", (text + GET,), site=expected.replace("{}", rules)))
    return rows


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
    "Upgrade: h2c goes no further": ("h2c would hide requests in a tunnel", (200,)),
    "Upgrade without Connection": ("Upgrade is for one connection", (200,)),
    "Upgrade of a 1.0 client": ("RFC 9110 7.8: ignored in HTTP/1.0", (200,)),
    "two equal lengths": ("a duplicate Content-Length is refused", (502,)),
    "an early answer while the body is sent": ("the exchange ends with the server's answer", (413,)),
}
GROUPS = meant(
    {
        "keep_alive": _keep_alive(),
        "pipelining": _pipelining(),
        "tunnels": _tunnels(),
        "servers": _servers(),
        "proxied": _proxied(),
    },
    _BEYOND,
)
