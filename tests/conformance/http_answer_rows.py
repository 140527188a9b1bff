"""table: exchanges of HTTP/1: what the proxy answers itself, and where requests go."""

from __future__ import annotations

from .http_exchanges import GET_10, UNTIL_CLOSE, chunked, get, ok, post
from .http_lab import GET, Exchange, Reply, meant


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


# Where we mean to differ: the case, why, and the statuses that our client sees.
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    "redirect, the body there": ("the body was there, and the connection goes on", (302, 302)),
    "content reject": ("the request is read before content rules run", ()),
    "http-error for a malformed request": ("http-error is for every 400", (400,)),
}
GROUPS = meant(
    {
        "answers": _answers(),
        "proxies": _proxies(),
    },
    _BEYOND,
)
