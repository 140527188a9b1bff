"""Settings of HTTP mode that change what becomes of an exchange: cookies, redirects, replaced responses."""

from __future__ import annotations

from .http_batch import compare_all
from .http_exchanges import CHUNKED, HEAD, OK_CLOSE, UNTIL_CLOSE, get, ok, post
from .http_lab import GET, Await, Exchange, Reply
from .lab import Both

COOKIE = b"Set-Cookie: a=b\r\n"
FRESH = b"Cache-Control: max-age=10\r\n"


def control(value: bytes) -> bytes:
    return COOKIE + b"Cache-Control: " + value + b"\r\n"


def _check(
    name: str, fields: bytes, send: bytes = GET, status: bytes = b"200 OK", back: str = ""
) -> Exchange:
    """A response under `checkcache`, and another behind it over the same connections."""
    body = b"" if status.startswith((b"204", b"304")) else b"ok"
    reply = Reply(ok(fields, body=body, status=status))
    return Exchange(
        name, (send,), (reply, Reply()), back=f"option checkcache\n{back}", again=send is not HEAD
    )


PASSES = [
    _check("no cookie", FRESH),
    _check("private", control(b"max-age=10, private")),
    _check("no-cache", control(b"max-age=10, no-cache")),
    _check("no-store", control(b"max-age=10, no-store")),
    _check("max-age=0", control(b"max-age=0, s-maxage=10")),
    _check("s-maxage=0", control(b"max-age=10, s-maxage=0")),
    _check("no-cache for the cookie", control(b'max-age=10, no-cache="set-cookie"')),
    _check("no-cache for the cookie and more", control(b'max-age=10, no-cache="set-cookie, x"')),
    _check("private behind public", control(b"public, max-age=10, private")),
    _check("private in another line", FRESH + control(b"private")),
    _check("pragma", COOKIE + FRESH + b"Pragma: No-Cache\r\n"),
    _check("pragma outdoes public", control(b"public, max-age=10") + b"Pragma: no-cache\r\n"),
    _check("POST", COOKIE + FRESH, post(b"")),
    _check("DELETE", COOKIE + FRESH, b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    *(
        _check(code.decode(), COOKIE + FRESH, status=code + b" X")
        for code in (b"201", b"302", b"307", b"308", b"400", b"403", b"500", b"503")
    ),
    _check("a rule takes the cookie away", COOKIE + FRESH, back="http-response del-header set-cookie"),
    _check("a rule makes it private", COOKIE, back="http-response set-header cache-control private"),
    _check("the proxy's own cookie", FRESH, back="cookie SRV insert"),
]
_KEPT = "HAProxy 2.6 answers with the status that the server gave; the manual has a 502"
_SPREAD = [
    ("fresh", COOKIE + FRESH, GET, b"200"),
    ("public", control(b"max-age=10, public"), GET, b"200"),
    ("public behind no-cache", control(b"max-age=10, no-cache, public"), GET, b"200"),
    ("no-cache for another field", control(b'max-age=10, no-cache="x"'), GET, b"200"),
    ("private for the cookie alone", control(b'max-age=10, private="set-cookie"'), GET, b"200"),
    ("max-age=00", control(b"max-age=00"), GET, b"200"),
    ("Set-Cookie2", b"Set-Cookie2: a=b\r\n" + FRESH, GET, b"200"),
    ("a validator", COOKIE + b'ETag: "x"\r\n', GET, b"200"),
    ("a date of change", COOKIE + b"Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n", GET, b"200"),
    ("public to a POST", control(b"public, max-age=10"), post(b""), b"200"),
    ("OPTIONS", COOKIE + FRESH, b"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
    ("credentials", COOKIE + FRESH, get(fields=b"Authorization: Basic a\r\n"), b"200"),
    ("public 302", control(b"public, max-age=10"), GET, b"302"),
    *(
        (code.decode(), COOKIE + FRESH, GET, code)
        for code in (b"203", b"206", b"300", b"301", b"404", b"405", b"410", b"414", b"501")
    ),
]
_UNKNOWN = "HAProxy 2.6 lets a cookie pass where nothing says for how long the response is fresh"


def _refused(name: str, fields: bytes, send: bytes, status: bytes, why: str) -> Exchange:
    row = _check(name, fields, send, status + b" X")
    return Exchange(row.name, row.sends, row.replies, back=row.back, again=True, beyond=why, ours=(502, 200))


REFUSED = [
    *(_refused(*row, _KEPT) for row in _SPREAD),
    _refused("without freshness", COOKIE, GET, b"200", _UNKNOWN),
    _refused("public without freshness", control(b"public"), GET, b"200", _UNKNOWN),
]


def test_checkcache_lets_pass_what_caches_keep_to_themselves(both: Both) -> None:
    compare_all(both, PASSES)


def test_checkcache_refuses_a_cookie_that_caches_could_spread(both: Both) -> None:
    compare_all(both, REFUSED)


def _away(name: str, send: bytes, *, front: str = "", back: str = "", server: str = "") -> Exchange:
    # What is sent to a server keeps the connection. An answer of the proxy's ends it, and so the wait for
    # a second message; to send more would race with that end.
    stays = send.startswith((b"POST", b"OPTIONS", b"GET http://a HTTP"))
    steps = (send,) if stays else (send, Await(2))
    return Exchange(
        name, steps, front=front, back=back, server=f"redir http://img.example {server}", again=stays
    )


AWAY = [
    _away("GET", get(b"/x?a=b")),
    _away("HEAD", HEAD),
    _away("GET with a body", b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
    _away("1.0", get(b"/x", version=b"1.0")),
    _away("absolute form", get(b"http://a/y?z")),
    _away("absolute form without a path", get(b"http://a")),
    _away("POST", post(b"x")),
    _away("OPTIONS", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    _away("a path that a rule made", get(b"/x?a=b"), front="http-request set-path /new"),
    _away("a target that a rule made", GET, front="http-request set-uri http://b/c?d"),
    _away("the method as it came", GET, front="http-request set-method POST"),
    _away("response rules see nothing", GET, back="http-response set-header x y"),
    _away("after-response rules do", GET, back="http-after-response set-header x y"),
    _away("persistence", GET, back="cookie SRV insert", server="cookie s"),
    _away("pipelined", GET + GET),
    Exchange("a slash is no prefix", (get(b"/x"), Await(2)), server="redir /"),
]


def test_redir_sends_clients_to_the_server(both: Both) -> None:
    compare_all(both, AWAY)


_RULES = {
    "return": "http-response return status 200 content-type text/plain string no if { res.hdr(x) 1 }",
    "deny": "http-response deny if { res.hdr(x) 1 }",
    "redirect": "http-response redirect location /z if { res.hdr(x) 1 }",
}
_MARK = b"X: 1\r\n"
_REPLIES = {
    "whole": Reply(ok(_MARK)),
    "empty": Reply(ok(_MARK, body=b"")),
    "chunked": Reply(CHUNKED.replace(b"\r\n", b"\r\n" + _MARK, 1)),
    "closing": Reply(OK_CLOSE.replace(b"\r\n", b"\r\n" + _MARK, 1), close=True),
    "until close": Reply(UNTIL_CLOSE.replace(b"\r\n", b"\r\n" + _MARK, 1), close=True),
}
REPLACED = [
    Exchange(f"{action}, {kind}", replies=(reply, Reply()), back=rule, again=True)
    for action, rule in _RULES.items()
    for kind, reply in _REPLIES.items()
]


def test_a_replaced_response_keeps_the_server_connection_if_it_is_whole(both: Both) -> None:
    compare_all(both, REPLACED)
