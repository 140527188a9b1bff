"""HTTP/2 with servers, beside HAProxy: HTTP/1 in, HTTP/2 to an inner proxy, and HTTP/1 to the origin."""

from __future__ import annotations

import pytest

from .http_batch import compare_all
from .http_lab import GET, OK, PREAMBLE, Arrived, Await, Client, Exchange, Reply, Script, statistic
from .lab import Both, Lab

SITE = """
frontend f
  bind 127.0.0.1:<front>
  {front}
  default_backend b
backend b
  {back}
  server s abns@h2-<front> proto h2 {server}
listen inner
  bind abns@h2-<front> proto h2 {bind}
  no log
  timeout client 2s
  {inner}
  server o <a>
"""

CHUNKS = b"5\r\nhello\r\n0\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 700000\r\n\r\n" + b"z" * 700_000


def row(
    name: str,
    *sends: bytes | Arrived | Await,
    replies: tuple[bytes | Reply, ...] = (OK,),
    front: str = "",
    back: str = "",
    server: str = "",
    inner: str = "",
    bind: str = "",
    messages: int = 1,
    statuses: tuple[int, ...] | None = (200,),
    beyond: str = "",
    ours: tuple[int, ...] = (),
) -> Exchange:
    site = SITE.format(front=front, back=back, server=server, inner=inner, bind=bind)
    made = tuple(Reply(each) if isinstance(each, bytes) else each for each in replies)
    return Exchange(
        name,
        sends or (GET,),
        made,
        site=site,
        messages=messages,
        statuses=statuses,
        beyond=beyond,
        ours=ours,
    )


def head(line: bytes, *fields: bytes, host: bytes = b"a") -> bytes:
    return b"\r\n".join((line, b"Host: " + host, *fields)) + b"\r\n\r\n"


ROWS = (
    row("a request"),
    row("a query", head(b"GET /a/b?c=d&e HTTP/1.1")),
    row("HEAD", head(b"HEAD / HTTP/1.1"), replies=(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",)),
    row("HEAD without a length", head(b"HEAD / HTTP/1.1"), replies=(CHUNKED[: -len(CHUNKS)],)),
    row("OPTIONS of the server", head(b"OPTIONS * HTTP/1.1")),
    row("another method", head(b"PURGE /x HTTP/1.1")),
    row("a whole URL", head(b"GET http://a/x?y HTTP/1.1")),
    row(
        "HTTP/1.0",
        b"GET / HTTP/1.0\r\n\r\n",
        beyond="a request without authority is refused by the inner proxy (RFC 9113, 8.3.1)",
        ours=(400,),
    ),
    row("HTTP/1.0 with a host", b"GET / HTTP/1.0\r\nHost: b\r\n\r\n"),
    row("a body with a length", head(b"POST / HTTP/1.1", b"Content-Length: 3") + b"abc"),
    row("an empty body", head(b"POST / HTTP/1.1", b"Content-Length: 0")),
    row("a body in chunks", head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked") + CHUNKS + b"\r\n"),
    row(
        "a body with trailers",
        head(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Trailer: X-Sum")
        + CHUNKS
        + b"X-Sum: 5\r\n\r\n",
    ),
    row("a large body", head(b"POST / HTTP/1.1", b"Content-Length: 300000") + b"x" * 300_000),
    row(
        "a body that is asked for",
        head(b"POST / HTTP/1.1", b"Content-Length: 3", b"Expect: 100-continue"),
        Await(1),
        b"abc",
        replies=(Reply(interim=b"HTTP/1.1 100 Continue\r\n\r\n"),),
        messages=2,
        statuses=(100, 200),
    ),
    row("no content", replies=(b"HTTP/1.1 204 No Content\r\n\r\n",), statuses=(204,)),
    row("not modified", replies=(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',), statuses=(304,)),
    row("an empty answer", replies=(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",)),
    row("an answer in chunks", replies=(CHUNKED + b"\r\n",)),
    row("an answer with trailers", replies=(CHUNKED + b"X-Sum: 5\r\n\r\n",)),
    row("an answer until the end", replies=(Reply(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", close=True),)),
    row("a large answer", replies=(LARGE,)),
    row(
        "hints",
        replies=(Reply(interim=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),),
        messages=2,
        statuses=(103, 200),
    ),
    row("fields of a connection", head(b"GET / HTTP/1.1", b"Connection: keep-alive", b"Keep-Alive: 5")),
    row("trailers are welcome", head(b"GET / HTTP/1.1", b"Connection: TE", b"TE: trailers")),
    row("cookies", head(b"GET / HTTP/1.1", b"Cookie: a=1; b=2", b"Cookie: c=3")),
    row("a field twice", head(b"GET / HTTP/1.1", b"X-A: 1", b"x-a: 2")),
    row("names in upper case", head(b"GET / HTTP/1.1", b"X-UPPER: Value")),
    row("credentials", head(b"GET / HTTP/1.1", b"Authorization: Basic YTpi")),
    row("two requests", GET, Await(1), GET, messages=2, statuses=(200, 200)),
    row("two requests at once", GET + GET, messages=2, statuses=(200, 200)),
    row("a change of the host", front="http-request set-header host b.example:81"),
    row("a change of the path", front="http-request set-path /new?x"),
    row("a change of the method", front="http-request set-method POST"),
    row("added fields", back="http-request set-header x-a %[src]\n  http-response set-header x-b 2"),
    row("forwardfor", back="option forwardfor"),
    row("a name for the server", back="http-send-name-header x-server"),
    row("a closed server connection", back="option http-server-close"),
    row("a closed connection", front="option httpclose"),
    row("never shared", GET, Await(1), GET, back="http-reuse never", messages=2, statuses=(200, 200)),
    row(
        "a PROXY header",
        server="send-proxy-v2",
        bind="accept-proxy",
        front="http-request set-src str(192.0.2.7)",
        inner="http-request set-header x-src %[src]",
    ),
    row("junk", replies=(b"junk\r\n\r\n",), statuses=(502,)),
    row("a refusal by the inner proxy", inner="http-request deny deny_status 429", statuses=(429,)),
    row("a reset by the inner proxy", inner="http-request reject", statuses=(502,)),
    row("a body cut short", replies=(Reply(OK[:-1], close=True),)),
)


def test_both_proxies_speak_http2_with_servers_alike(both: Both) -> None:
    compare_all(both, ROWS, together=8)


@pytest.mark.parametrize("reuse", ["never", "safe", "aggressive", "always"])
def test_requests_share_connections_as_haproxys_do(both: Both, reuse: str) -> None:
    config = SITE.format(front="", back=f"http-reuse {reuse}", server="", inner="", bind="")

    def traffic(lab: Lab) -> list[int]:
        made = []
        clients = [Client(lab, "front", "a") for _ in range(3)]
        for client in (*clients, *clients, *reversed(clients)):
            client.send(GET)
            client.read(len(client.messages()) + 1)
            made.append(int(statistic(lab, "inner", "FRONTEND", "conn_tot")))
        return made

    # HAProxy 2.6 is known to crash as it stops, behind `never`.
    expected, got = both.apart(
        config, traffic, origins={"a": Script((Reply(),))}, preamble=PREAMBLE, normal=lambda _line: ""
    )
    assert got.value == expected.value
    assert got.status == 0
