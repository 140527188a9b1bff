"""table: persistence cookies that both proxies have to set, read and log alike."""

from __future__ import annotations

from .http_exchanges import get, ok, post
from .http_lab import GET, Exchange, Reply, meant

# The servers are one origin: the log's `s=` says which was chosen.
SERVERS = "  server one <a> cookie A\n  server two <a> cookie B\n"
SETS = ok(b"Set-Cookie: SRV=own; path=/\r\n")


def row(
    name: str,
    cookie: str,
    send: bytes = GET,
    reply: bytes | None = None,
    servers: str = SERVERS,
    front: str = "",
    **options: object,
) -> Exchange:
    """One request through a backend with this cookie line."""
    site = f"frontend f\n  bind 127.0.0.1:<front>\n  {front}\n  default_backend b\nbackend b\n"
    lines = "".join(f"  {line}\n" for line in cookie.splitlines())
    replies = (Reply(),) if reply is None else (Reply(reply),)
    return Exchange(name, (send,), replies, site=f"{site}{lines}{servers}", **options)  # type: ignore[arg-type]


def cookies(value: bytes) -> bytes:
    """A GET with a Cookie field."""
    return get(fields=b"Cookie: " + value + b"\r\n")


def _requests() -> list[Exchange]:
    values = {
        "none": b"x=1",
        "valid": b"x=1; SRV=B; y=2",
        "valid, alone": b"SRV=B",
        "valid, last": b"x=1; SRV=B",
        "valid, first": b"SRV=B; x=1",
        "unknown": b"SRV=Z",
        "empty": b"SRV=",
        "without a value": b"SRV",
        "of another case": b"srv=B",
        "quoted": b'SRV="B"',
        "twice": b"SRV=A; SRV=B",
        "twice, the first unknown": b"SRV=Z; SRV=B",
        "spaces around": b"x=1;  SRV = B ;y=2",
        "without spaces": b"x=1;SRV=B;y=2",
        "a longer name": b"XSRV=B; SRVX=B",
        "a comma between": b"x=1, SRV=B",
        "with a date": b"SRV=B|aaaaa",
        "with a prefix": b"SRV=B~x",
    }
    modes = {
        "insert": "cookie SRV insert",
        "indirect": "cookie SRV insert indirect",
        "rewrite": "cookie SRV rewrite",
        "prefix": "cookie SRV prefix",
        "passive": "cookie SRV",
    }
    rows = [
        row(f"{mode}: {name}", line, cookies(value))
        for mode, line in modes.items()
        for name, value in values.items()
    ]
    rows += [
        row(f"{mode}: no Cookie field", line, servers="  server one <a> cookie A\n")
        for mode, line in modes.items()
    ]
    two = get(fields=b"Cookie: x=1\r\nCookie: SRV=B\r\nCookie: y=2\r\n")
    rows += [row(f"{mode}: three Cookie fields", line, two) for mode, line in modes.items()]
    prefixed = cookies(b"x=A~1; SRV=B~own; y=2")
    rows += [row(f"{mode}: a prefixed cookie", line, prefixed) for mode, line in modes.items()]
    return rows


def _responses() -> list[Exchange]:
    replies = {
        "the server sets it": SETS,
        "the server sets it without attributes": ok(b"Set-Cookie: SRV=own\r\n"),
        "the server sets an empty one": ok(b"Set-Cookie: SRV=; path=/\r\n"),
        "the server sets one without a value": ok(b"Set-Cookie: SRV; path=/\r\n"),
        "the server sets another": ok(b"Set-Cookie: OTHER=own; path=/\r\n"),
        "the server sets two": ok(b"Set-Cookie: SRV=1\r\nSet-Cookie: SRV=2\r\n"),
        "the server sets it behind another": ok(b"Set-Cookie: x=1\r\nSet-Cookie: SRV=own\r\n"),
        "spaces in what the server sets": ok(b"Set-Cookie: SRV = own ; path=/\r\n"),
        "quotes in what the server sets": ok(b'Set-Cookie: SRV="own"; path=/\r\n'),
    }
    modes = (
        "insert",
        "insert indirect",
        "insert preserve",
        "rewrite",
        "prefix",
        "",
    )
    one = "  server one <a> cookie A\n"
    rows = []
    for mode in modes:
        for name, reply in replies.items():
            rows.append(row(f"{mode or 'passive'}: {name}", f"cookie SRV {mode}", GET, reply, one))
        if mode:
            back = cookies(b"SRV=A")
            rows.append(row(f"{mode}: the server sets it again", f"cookie SRV {mode}", back, SETS, one))
    return rows


def _attributes() -> list[Exchange]:
    one = "  server one <a> cookie A\n"
    everything = (
        "cookie SRV insert indirect nocache httponly secure domain .a.b domain .c.d"
        ' attr "SameSite=None" attr x=y'
    )
    attributes = {
        "httponly": "cookie SRV insert httponly",
        "secure": "cookie SRV insert secure",
        "a domain": "cookie SRV insert domain .a.b",
        "two domains": "cookie SRV insert domain .a.b domain c.d",
        "attr": 'cookie SRV insert attr "SameSite=Strict"',
        "two attrs": 'cookie SRV insert attr "SameSite=Strict" attr Partitioned',
        "everything": everything,
    }
    rows = [row(name, line, servers=one) for name, line in attributes.items()]
    rows += [
        row(f"{name}, of a rewritten cookie", line.replace("insert", "rewrite"), GET, SETS, one)
        for name, line in attributes.items()
        if "indirect" not in line
    ]
    send = post(b"abc")
    rows += [
        row("postonly and GET", "cookie SRV insert postonly", servers=one),
        row("postonly and POST", "cookie SRV insert postonly", send, servers=one),
        row("postonly, GET, the server sets it", "cookie SRV insert postonly", GET, SETS, one),
        row("postonly, POST, the server sets it", "cookie SRV insert postonly", send, SETS, one),
        row("postonly, rewrite", "cookie SRV rewrite postonly", GET, SETS, one),
        row("no cookie of the server", "cookie SRV insert", servers="  server one <a>\n"),
        row(
            "no cookie of the server, a known one came",
            "cookie SRV insert",
            cookies(b"SRV=A"),
            servers="  server one <a>\n",
        ),
        row(
            "no cookie of the server, indirect, one came",
            "cookie SRV insert indirect",
            cookies(b"SRV=A"),
            servers="  server one <a>\n",
        ),
        row("no cookie of the server, rewrite", "cookie SRV rewrite", GET, SETS, "  server one <a>\n"),
        row("no cookie of the server, prefix", "cookie SRV prefix", GET, SETS, "  server one <a>\n"),
    ]
    return rows


def _cacheable() -> list[Exchange]:
    """What `nocache` marks: what a cache would keep."""
    one, line = "  server one <a> cookie A\n", "cookie SRV insert nocache"
    lasts = b"Cache-Control: max-age=60\r\n"
    fields = (
        "",
        "Cache-Control: public",
        "Cache-Control: private",
        "Cache-Control: s-maxage=60",
        "Cache-Control: MAX-AGE=60",
        "Cache-Control: max-age = 60",
        "Cache-Control: max-age=x",
        "Cache-Control: max-age=00",
        "Cache-Control: max-age=0x",
        'Cache-Control: max-age="0"',
        "Cache-Control: xmax-age=60",
        "Cache-Control: x,,max-age=60",
        "Cache-Control: must-revalidate, max-age=60",
        "Cache-Control: max-age=0, s-maxage=60",
        "Cache-Control: max-age=60, s-maxage=0",
        "Cache-Control: public, max-age=60",
        "Cache-Control: private, public, max-age=60",
        "Cache-Control: public, private, max-age=60",
        "Cache-Control: public, no-cache, max-age=60",
        "Cache-Control: max-age=60, private, public",
        'Cache-Control: no-cache="x", max-age=60',
        'Cache-Control: no-cache="set-cookie", max-age=60',
        'Cache-Control: private="x", max-age=60',
        "Cache-Control: no-cache|Cache-Control: public, max-age=60",
        "Cache-Control: max-age=60|Cache-Control: private",
        "Cache-Control: max-age=60|Pragma: no-cache",
        "Pragma: no-cache|Cache-Control: public, max-age=60",
        "ETag: x",
        "Last-Modified: x",
        "Expires: 0",
        "Vary: *|ETag: x",
        "ETag: x|Cache-Control: no-store",
        "Cache-Control: no-store|ETag: x",
        "ETag: x|Cache-Control: Private",
        "ETag: x|Cache-Control: no-cache",
        "ETag: x|Cache-Control: no-storex",
        "ETag: x|Cache-Control: max-age=0",
        "ETag: x|Cache-Control: public, max-age=0",
        "ETag: x|Pragma: no-cache",
    )
    rows = [
        row(
            f"nocache: {each}", line, GET, ok("".join(f"{x}\r\n" for x in each.split("|") if x).encode()), one
        )
        for each in fields
    ]
    statuses = (200, 201, 203, 206, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 414, 500, 501, 503)
    rows += [
        row(f"nocache: {status}", line, GET, ok(lasts, status=b"%d X" % status), one) for status in statuses
    ]
    methods = (b"HEAD", b"OPTIONS", b"DELETE", b"TRACE", b"BREW")
    rows += [row(f"nocache: {method.decode()}", line, method + GET[3:], ok(lasts), one) for method in methods]
    both = ok(b"Set-Cookie: SRV=x\r\n" + lasts)
    rule = f"{line}\nhttp-response set-header cache-control"
    rows += [
        row("nocache: POST", line, post(b"abc"), ok(lasts), one),
        row("nocache: PUT", line, post(b"abc", line=b"PUT / HTTP/1.1"), ok(lasts), one),
        row("nocache: authorization", line, get(fields=b"Authorization: Basic YTpi\r\n"), ok(lasts), one),
        row("nocache: the client's pragma", line, get(fields=b"Pragma: no-cache\r\n"), ok(lasts), one),
        row("nocache: the client's cache-control", line, get(fields=lasts), ok(lasts), one),
        row("nocache: 1.0", line, get(version=b"1.0"), ok(lasts), one),
        row("nocache: the cookie came", line, cookies(b"SRV=A"), ok(lasts), one),
        row("nocache: the cookie is unknown", line, cookies(b"SRV=Z"), ok(lasts), one),
        row("nocache: rewrite", "cookie SRV rewrite nocache", GET, both, one),
        row("nocache: prefix", "cookie SRV prefix nocache", GET, both, one),
        row("nocache: preserve", f"{line} preserve", GET, both, one),
        row("nocache: the server sets it", line, GET, both, one),
        row("nocache: a rule makes it last", f"{rule} max-age=60", GET, None, one),
        row("nocache: a rule makes it private", f"{rule} private", GET, ok(lasts), one),
        row(
            "nocache: a rule tells nothing",
            f"{line}\nhttp-response del-header cache-control",
            GET,
            ok(lasts),
            one,
        ),
    ]
    return rows


def _servers() -> list[Exchange]:
    back = cookies(b"SRV=B")
    down = "  server one <a> cookie A\n  server two <a> cookie B disabled\n"
    drained = "  server one <a> cookie A\n  server two <a> cookie B weight 0\n"
    spare = "  server one <a> cookie A\n  server two <a> cookie B backup\n"
    dead = "  server one <a> cookie A\n  server two <closed> cookie B\n"
    equal = "  server one <a> cookie B\n  server two <a> cookie B\n"
    line = "cookie SRV insert indirect"
    forced = "acl forced hdr(host) -i a\n"
    return [
        row("its server is in maintenance", line, back, servers=down),
        row("its server is in maintenance, option persist", f"{line}\noption persist", back, servers=down),
        row("its server is drained", line, back, servers=drained),
        row("unknown, then in maintenance", line, cookies(b"SRV=Z; SRV=B"), servers=down),
        row("in maintenance, then unknown", line, cookies(b"SRV=B; SRV=Z"), servers=down),
        row("in maintenance, then valid", line, cookies(b"SRV=B; SRV=A"), servers=down),
        row("valid, then in maintenance", line, cookies(b"SRV=A; SRV=B"), servers=down),
        row(
            "in maintenance, then valid, forced",
            f"{line}\noption persist",
            cookies(b"SRV=B; SRV=A"),
            servers=down,
        ),
        row("its server is a backup", line, back, servers=spare),
        row("its server refuses", f"{line}\nretries 0", back, servers=dead),
        row("its server refuses, redispatch", f"{line}\nretries 1\noption redispatch", back, servers=dead),
        row("its server refuses, no redispatch", f"{line}\nretries 1", back, servers=dead),
        *(
            row(
                f"its server refuses, {option}, {retries} retries",
                f"{line}\nretries {retries}\noption {option}\ntimeout connect 50ms",
                back,
                servers=dead,
            )
            for option, retries in (
                ("redispatch", 2),
                ("redispatch", 3),
                ("redispatch 1", 3),
                ("redispatch 2", 3),
                ("redispatch -2", 3),
                ("redispatch\nforce-persist if TRUE", 1),
                ("redispatch\noption persist", 1),
            )
        ),
        row("two servers have it", line, back, servers=equal),
        row("force-persist", f"{line}\n{forced}force-persist if forced", back, servers=down),
        row(
            "force-persist that does not hold",
            f"{line}\n{forced}force-persist unless forced",
            back,
            servers=down,
        ),
        row(
            "force-persist of a server that refuses",
            f"{line}\nretries 0\nforce-persist if TRUE",
            back,
            servers=dead + "  option redispatch\n",
        ),
        row("ignore-persist", f"{line}\n{forced}ignore-persist if forced", back),
        row("ignore-persist that does not hold", f"{line}\n{forced}ignore-persist unless forced", back),
        row(
            "ignore-persist and force-persist",
            f"{line}\nignore-persist if TRUE\nforce-persist if TRUE",
            back,
            servers=down,
        ),
        row("ignore-persist and prefix", "cookie SRV prefix\nignore-persist if TRUE", cookies(b"SRV=B~x")),
        row("use-server before the cookie", f"{line}\nuse-server one if TRUE", back),
        row("ignore-persist without a cookie", f"{line}\nignore-persist if TRUE"),
        row("ignore-persist of an unknown cookie", f"{line}\nignore-persist if TRUE", cookies(b"SRV=Z")),
        row(
            "ignore-persist, the server in maintenance", f"{line}\nignore-persist if TRUE", back, servers=down
        ),
        row("use-server without a cookie", f"{line}\nuse-server two if TRUE"),
        row("use-server and an unknown cookie", f"{line}\nuse-server two if TRUE", cookies(b"SRV=Z")),
        row("use-server and its own cookie", f"{line}\nuse-server two if TRUE", back),
        row("use-server in maintenance", f"{line}\nuse-server two if TRUE", cookies(b"SRV=A"), servers=down),
        row("use-server, the server in maintenance", f"{line}\nuse-server one if TRUE", back, servers=down),
        row(
            "use-server and force-persist",
            f"{line}\nuse-server one if TRUE\noption persist",
            back,
            servers=down,
        ),
        row(
            "use-server in maintenance and force-persist",
            f"{line}\nuse-server two if TRUE\noption persist",
            servers=down,
        ),
        row("use-server, the server sets it", f"{line}\nuse-server one if TRUE", back, SETS),
        row("use-server, rewrite", "cookie SRV rewrite\nuse-server one if TRUE", back, SETS),
        row("the proxy answers itself", f"{line}\nhttp-request deny", back),
        row("the frontend answers itself", line, back, front="http-request deny"),
        row("a rule takes the cookie away", f"{line}\nhttp-request del-header cookie", back),
        row("a rule adds the cookie", f"{line}\nhttp-request set-header cookie SRV=B"),
        row("a rule of the response adds it", f"{line}\nhttp-response add-header set-cookie SRV=x"),
        row("a rule of the response sees it", f"{line}\nhttp-response set-header seen %[res.cook(SRV)]"),
        row("a rule behind sees it", f"{line}\nhttp-after-response set-header seen %[res.cook(SRV)]"),
        row("no server is there", line, back, servers=down.replace("cookie A", "cookie A disabled")),
        row("captured", f"{line}", back, front="capture cookie SRV len 20"),
        row("the rest of the connection", line, back + back, messages=2),
        row("the client's next request has none", line, back + GET, messages=2),
    ]


_ALL: dict[str, list[Exchange]] = {
    "requests": _requests(),
    "responses": _responses(),
    "attributes": _attributes(),
    "cacheable": _cacheable(),
    "servers": _servers(),
}
_BLANKS = "HAProxy takes blanks around = out of messages; we leave them as they came"
_COMMA = "HAProxy lets commas part cookies, as RFC 2109 did; RFC 6265 has them in values"
_MODES = ("insert", "indirect", "rewrite", "prefix", "passive")
_SETTERS = ("insert preserve", "rewrite", "prefix", "passive")

# Where we mean to differ: the case, why, and the statuses that our client sees.
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    **{f"{mode}: spaces around": (_BLANKS, (200,)) for mode in _MODES if mode != "indirect"},
    **{f"{mode}: spaces in what the server sets": (_BLANKS, (200,)) for mode in _SETTERS},
    **{f"{mode}: a comma between": (_COMMA, (200,)) for mode in _MODES},
    "indirect: without a value": ("a cookie without a value is one, and goes no further", (200,)),
    "the proxy answers itself": ("a request that is answered is led to no server", (403,)),
}
GROUPS = meant(_ALL, _BEYOND)
