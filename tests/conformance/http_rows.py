"""table: actions and head-related options of HTTP that both proxies have to play alike."""

from __future__ import annotations

from dataclasses import replace

from .http_exchanges import get, ok, post
from .http_lab import GET, Arrived, Exchange, Reply, meant

LISTS = "http-request set-header seen %[req.hdr(x),map_str(/dev/null,none)]"


def _row(name: str, rules: str, send: bytes = GET, *, back: str = "", reply: bytes | None = None) -> Exchange:
    """One request through a frontend with these lines."""
    replies = (Reply(),) if reply is None else (Reply(reply),)
    return Exchange(name, (send,), replies, front=rules, back=back, again=True)


def _fields() -> list[Exchange]:
    twice = get(fields=b"X: one, two\r\nX: three\r\nY: y\r\n")
    path = get(b"/a/b?c=d")
    return [
        _row("add-header", "http-request add-header x %[path]", twice),
        _row("set-header", "http-request set-header X %[path]", twice),
        _row("set-header with its own value", "http-request set-header x %[req.hdr(x)],4", twice),
        _row("del-header", "http-request del-header X", twice),
        _row("del-header -m beg", "http-request del-header x- -m beg", get(fields=b"X-A: 1\r\nAX-: 2\r\n")),
        _row("del-header -m end", "http-request del-header -a -m end", get(fields=b"X-A: 1\r\nA-B: 2\r\n")),
        _row("del-header -m sub", "http-request del-header y-z -m sub", get(fields=b"XY-ZA: 1\r\nY: 2\r\n")),
        _row("del-header -m reg", "http-request del-header ^x.$ -m reg", get(fields=b"XY: 1\r\nXYZ: 2\r\n")),
        _row("replace-header", r"http-request replace-header x (.*)e(.*) \2E\1", twice),
        _row("replace-header takes the whole value", r"http-request replace-header x two 2", twice),
        _row("replace-header that matches nothing", "http-request replace-header x q r", twice),
        _row("replace-header of an unknown field", "http-request replace-header q .* r", twice),
        _row("replace-header without the group", r"http-request replace-header x (o)(ne) [\1\2\3]", twice),
        _row("replace-header with a sample", r"http-request replace-header x (.*) %[path]-\1", twice),
        _row("replace-value", r"http-request replace-value x (t)(.*) \2\1", twice),
        _row("replace-value of all elements", "http-request replace-value x .* a", twice),
        _row("replace-value anchored", "http-request replace-value x ^two$ 2", twice),
        _row("replace-path", r"http-request replace-path (.*)b \1c", path),
        _row("replace-path with look-ahead", r"http-request replace-path ^/(?=a)(.*) /q\1", path),
        _row("replace-header with look-behind", r"http-request replace-header x (?<=t)(wo) <\1>", twice),
        _row("deny by a look-ahead that fails", "http-request deny if { path_reg ^/(?!a) }", path),
        _row("replace-path with a back-reference", r"http-request replace-path ^/(.)/\1 /q", get(b"/a/a")),
        _row("replace-path of a query", "http-request replace-path c=d x", path),
        _row("replace-pathq", r"http-request replace-pathq ([^?]*)\?(.*) \1-\2", path),
        _row("replace-uri", "http-request replace-uri ^/a /z", path),
        _row(
            "replace-uri in absolute form", "http-request replace-uri ^http://a http://q", get(b"http://a/b")
        ),
        _row("replace-path in absolute form", "http-request replace-path ^/b /c", get(b"http://a/b?c")),
        _row("set-method", "http-request set-method DELETE", path),
        _row("set-path", "http-request set-path /x%[path]", path),
        _row("set-path with a question mark", "http-request set-path /x?y", path),
        _row("set-pathq", "http-request set-pathq /x?q=%[path]", path),
        _row("set-query", "http-request set-query q=%[query]", path),
        _row("set-query of nothing", "http-request set-query %[req.hdr(q)]", path),
        _row("set-query where there is none", "http-request set-query q=1", get(b"/a")),
        _row("set-uri", "http-request set-uri /new?q", path),
        _row("set-uri with an authority", "http-request set-uri http://other/new", path),
        _row("set-path in absolute form", "http-request set-path /x", get(b"http://a/b?c")),
        _row("set-header host", "http-request set-header host other", get(b"http://a/b?c")),
        _row("the last change counts", "http-request set-path /x\nhttp-request set-path /y%[path]", path),
    ]


def _responses() -> list[Exchange]:
    reply = ok(b"X: one, two\r\nSet-Cookie: a=b\r\nServer: s\r\n")
    return [
        _row("response add-header", "http-response add-header x %[status]", reply=reply),
        _row("response set-header", "http-response set-header x %[status]", reply=reply),
        _row("response del-header", "http-response del-header server", reply=reply),
        _row("response replace-header", r"http-response replace-header set-cookie (.*) \1;x", reply=reply),
        _row("response replace-value", "http-response replace-value x two 2", reply=reply),
        _row("set-status", "http-response set-status 503", reply=reply),
        _row("set-status with a reason", 'http-response set-status 299 reason "So so"', reply=reply),
        _row("set-status of an unknown one", "http-response set-status 599", reply=reply),
        _row("after-response set-header", "http-after-response set-header x y", reply=reply),
        _row("after-response of an error", "http-request deny\nhttp-after-response set-header x y"),
        _row("response deny", "http-response deny", reply=reply),
        _row("response deny with a status", "http-response deny deny_status 429", reply=reply),
        _row("response return", "http-response return status 200 content-type a/b string hi", reply=reply),
        _row("response redirect", "http-response redirect location /x", reply=reply),
        _row("response allow", "http-response allow\nhttp-response set-header x y", reply=reply),
    ]


def _rewrites() -> list[Exchange]:
    """Heads that a rule would make larger than the buffer."""
    wide, large = get(fields=b"X: " + b"x" * 9000 + b"\r\n"), ok(b"X: " + b"x" * 9000 + b"\r\n")
    add = "add-header a %[req.hdr(x)]"
    answer = "add-header a %[res.hdr(x)]"
    off = "strict-mode off\n"
    return [
        _row("a head that grows within the buffer", f"http-request {add}", get(fields=b"X: x\r\n")),
        _row("add-header without room", f"http-request {add}", wide),
        _row("add-header without room in a backend", "", wide, back=f"http-request {add}"),
        _row("add-header without room, off", f"http-request {off}http-request {add}", wide),
        _row("set-path without room", "http-request set-path /%[req.hdr(x)]", wide),
        _row("replace-header without room", r"http-request replace-header x ^(.*)$ \1\1", wide),
        _row("response add-header without room", f"http-response {answer}", reply=large),
        _row("response without room, off", f"http-response {off}http-response {answer}", reply=large),
        _row("early-hint of framing", "http-request early-hint content-length 5"),
    ]


def _normalizers() -> list[Exchange]:
    cases = {
        "path-merge-slashes": (b"//a///b//?//", b"/a/b"),
        "path-strip-dot": (b"/./a/./b/.", b"/a/.b/"),
        "path-strip-dotdot": (b"/a/b/../c/..", b"/../a"),
        "path-strip-dotdot full": (b"/../../a", b"/a/../../b/.."),
        "percent-decode-unreserved": (b"/%61%2f%7e?%62", b"/%6"),
        "percent-decode-unreserved strict": (b"/%61%2f", b"/%6z"),
        "percent-to-uppercase": (b"/%2f%ab?%cd", b"/%z"),
        "percent-to-uppercase strict": (b"/%2f", b"/%zz"),
        "query-sort-by-name": (b"/a?c=1&b=2&a&b=1", b"/a?"),
        "fragment-encode": (b"/a#b#c", b"/a"),
        "fragment-strip": (b"/a#b#c", b"/a"),
    }
    return [
        replace(
            _row(f"{name} {path.decode()}", f"http-request normalize-uri {name}", get(path)),
            settings="global\n  expose-experimental-directives",
        )
        for name, paths in cases.items()
        for path in paths
    ]


def _answers() -> list[Exchange]:
    refused = "http-request deny if { path /x }"
    hint = "http-request early-hint link <%[path]>"
    end = b" HTTP/1.1\r\nHost: a\r\n\r\n"
    return [
        _row("deny", "http-request deny"),
        _row("deny with a status", "http-request deny deny_status 404"),
        _row("deny with a body", 'http-request deny status 400 content-type text/plain string "no"'),
        _row("return", "http-request return status 200 content-type text/plain lf-string %[path] hdr x y"),
        _row("reject", "http-request reject"),
        _row("allow", f"http-request allow\n{refused}"),
        _row("tarpit", "timeout tarpit 100ms\nhttp-request tarpit deny_status 429"),
        _row("auth", "http-request auth realm r"),
        _row("auth in front of a proxy", "http-request auth realm r", get(b"http://a/b")),
        _row(
            "auth with http-use-proxy-header",
            "option http-use-proxy-header\nhttp-request auth realm r",
            get(b"http://a/b"),
        ),
        _row("redirect location", "http-request redirect location /%[path]"),
        _row("redirect prefix", "http-request redirect prefix http://x code 301 drop-query", get(b"/a?b")),
        _row("redirect scheme", "http-request redirect scheme https", get(b"/a?b")),
        *(
            _row(
                f"redirect {kind} of {path.decode()}", f"http-request redirect {kind} append-slash", get(path)
            )
            for kind in ("prefix http://x", "prefix http://x drop-query", "scheme https")
            for path in (b"/a", b"/a/", b"/a?b", b"/a?b/")
        ),
        *(
            _row(f"redirect {kind} of {line.decode()}", f"http-request redirect {kind}", line + end)
            for kind in ("location /x", "prefix http://x", "scheme https")
            for line in (b"OPTIONS *", b"CONNECT a:1")
        ),
        *(
            _row(f"an empty {status} instead of {rule}", f"errorfile {status} /dev/null\n{rule}")
            for status, rule in (
                (403, "http-request deny"),
                (404, "http-request return status 404 default-errorfiles"),
                (500, "timeout tarpit 100ms\nhttp-request tarpit"),
                (502, "http-response deny"),
            )
        ),
        _row("redirect with a cookie", "http-request redirect location / set-cookie a=b", get(b"/a?b")),
        Exchange("early-hint", front=hint, messages=2),
        Exchange("two early-hints are one", front=f"{hint}\nhttp-request early-hint x y", messages=2),
        Exchange("early-hints apart", front=f"{hint}\nhttp-request set-header a b\n{hint}", messages=3),
        Exchange("early-hint to 1.0", (get(version=b"1.0"),), front=hint),
        _row(
            "strict-mode off",
            "http-request strict-mode off\nhttp-request set-header x %[req.hdr(y)]",
            get(fields=b"Y: 1\r\n"),
        ),
        _row("set-nice", "http-request set-nice 10"),
        _row("wait-for-handshake", "http-request wait-for-handshake"),
        _row("disable-l7-retry", "http-request disable-l7-retry"),
        _row("set-log-level", "http-request set-log-level silent if { path /quiet }", get(b"/quiet")),
        _row("set-log-level of one", "http-request set-log-level alert", GET),
        _row(
            "set-priority",
            "http-request set-priority-class int(5)\nhttp-request set-priority-offset int(-7)\n"
            "http-request set-header x %[prio_class]/%[prio_offset]",
        ),
        _row(
            "set-timeout",
            "",
            back="http-request set-timeout server 2s\nhttp-request set-header x %[cur_server_timeout]",
        ),
    ]


def _bodies() -> list[Exchange]:
    shown = "http-request set-header x %[req.body,hex]/%[req.body_len]"
    head, body = post(b"a=1&b=2").split(b"\r\n\r\n")
    apart = (head + b"\r\n\r\n", body)
    wait = "http-request wait-for-body time 2s"
    return [
        Exchange("wait-for-body", apart, front=f"{wait}\n{shown}"),
        Exchange("wait-for-body at-least", apart, front=f"{wait} at-least 3\nhttp-request set-header x y"),
        Exchange("wait-for-body that is late", apart[:1], front="http-request wait-for-body time 100ms"),
        Exchange("http-buffer-request", apart, front=f"option http-buffer-request\n{shown}"),
        # The backend's rules come before the wait, so that they see what happens to be there.
        Exchange(
            "http-buffer-request in the backend",
            apart[:1],
            back="option http-buffer-request\ntimeout http-request 100ms",
        ),
        Exchange(
            "http-buffer-request that is late",
            apart[:1],
            front="option http-buffer-request\ntimeout http-request 100ms",
        ),
        Exchange(
            "wait-for-body of a chunked body",
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
            front=f"{wait}\n{shown}",
        ),
        Exchange("a body without waiting", (apart[0], Arrived(b"host"), apart[1])),
        *_response_bodies(),
    ]


def _response_bodies() -> list[Exchange]:
    """Rules of a response that wait for its body, on either side."""
    wait = "http-response wait-for-body time 2s"
    shown = "http-response set-header l %[res.body_len]_%[res.body]"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    late = head + b"ab"
    pieces = Reply(pieces=(late, b"cd"))
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
    rows = {
        "wait-for-body": (f"{wait}\n{shown}", (pieces,)),
        "wait-for-body at-least": (f"{wait} at-least 3\n{shown}", (pieces,)),
        "wait-for-body of chunks": (f"{wait}\n{shown}", (Reply(pieces=(chunks, b"2\r\ncd\r\n0\r\n\r\n")),)),
        "wait-for-body of a whole body": (f"{wait}\n{shown}", (Reply(),)),
        "wait-for-body until the end": (
            f"{wait}\n{shown}",
            (Reply(pieces=(b"HTTP/1.1 200 OK\r\n\r\nab", b"cd"), close=True),),
        ),
        "wait-for-body that is late": ("http-response wait-for-body time 100ms", (Reply(late), Reply())),
        "wait-for-body, then deny": (f"{wait}\nhttp-response deny if {{ res.body -m sub cd }}", (pieces,)),
    }
    return [
        replace(
            Exchange(f"response's {name}, {side}", replies=replies, again="end" not in name), **{side: lines}
        )
        for name, (lines, replies) in rows.items()
        for side in ("front", "back")
    ]


def _logs() -> list[Exchange]:
    own = 'error-log-format "E %ci ST=%ST ts=%tsc"'
    again_bad = GET + b"BAD\r\n\r\n"
    captured = "capture request header X len 5\ncapture request header Y len 20"
    came = "capture response header X len 5\ncapture response header Z len 9"
    fields = get(fields=b"X: one two\r\nX: three|four\r\nY: {y}\r\n")
    lists = 'log-format "[%hr][%hs][%hrl][%hsl] %CC %CS"'
    parts = 'log-format "%HM|%HP|%HPO|%HQ|%HU|%{+Q}r|%ST|%ts|%tsc|%ac|%rc"'
    clf = "log-format \"%{+Q}o %{-Q}ci - - [x] %r %ST '' '' %cp %f %b %s %tsc\""
    return [
        _row("capture request header", captured, fields),
        _row("capture response header", came, fields, reply=ok(b"X: abcdefgh\r\nX: 1\r\n")),
        _row("captures in lists", f"{captured}\n{came}\n{lists}", fields, reply=ok(b"X: 1\r\n")),
        _row(
            "capture rules", "http-request capture req.hdr(x) len 6\nhttp-request capture path len 3", fields
        ),
        _row(
            "capture by id",
            "declare capture request len 8\ndeclare capture response len 8\n"
            "http-request capture req.hdr(x) id 0\nhttp-response capture res.hdr(x) id 0\n"
            "http-response set-header seen %[capture.req.hdr(0)]/%[capture.res.hdr(0)]",
            fields,
            reply=ok(b"X: abcdefghijkl\r\n"),
        ),
        _row(
            "capture cookie",
            "capture cookie a len 8",
            get(fields=b"Cookie: b=1; a=2345678901\r\n"),
            reply=ok(b"Set-Cookie: ab=c; Path=/\r\n"),
        ),
        _row(
            "capture cookie by its exact name",
            "capture cookie a= len 8",
            get(fields=b"Cookie: ab=1; a=2\r\n"),
            reply=ok(b"Set-Cookie: a=3; Path=/\r\n"),
        ),
        replace(_row("parts of the request line", parts, get(b"http://h/a/b?c=d&e", host=b"h")), alone=True),
        replace(_row("parts of a malformed request line", parts, b"GET / HTTP/x\r\n\r\n"), alone=True),
        _row("the common log format", clf, get(b"/a?b")),
        _row("log-separate-errors of 500", "option log-separate-errors", reply=ok(status=b"500 Oops")),
        _row("log-separate-errors of 200", "option log-separate-errors"),
        _row("log-separate-errors of 404", "option log-separate-errors", reply=ok(status=b"404 No")),
        _row("dontlog-normal", "option dontlog-normal"),
        _row("dontlog-normal of a redirect", "option dontlog-normal\nhttp-request redirect location /"),
        _row(
            "log-separate-errors of a redirect", "option log-separate-errors\nhttp-request return status 200"
        ),
        *(
            replace(_row(f"error-log-format of {name}", f"{own}\n{lines}", send, back=back), again=False)
            for name, lines, send, back in (
                ("a malformed request", "", b"BAD\r\n\r\n", ""),
                ("a late request", "timeout http-request 100ms", b"GET /", ""),
                ("a request without an answer", "errorfile 400 /dev/null", b"BAD\r\n\r\n", ""),
                ("a denied request", "http-request deny", GET, ""),
                ("a lost request", "", GET, "server t <closed>\nretries 0\nuse-server t if TRUE"),
            )
        ),
        _row("a line that says nothing", 'log-format "%[str(a),map_str(/dev/null)]"'),
        Exchange("PRI is no method", (b"PRI / HTTP/1.1\r\nHost: a\r\n\r\n",)),
        replace(
            _row("request numbers", "unique-id-format %rt\nlog-format 'rt=%rt id=%ID ST=%ST'", again_bad),
            alone=True,
            messages=2,
            again=False,
        ),
        _row("dontlog-normal of 500", "option dontlog-normal", reply=ok(status=b"500 Oops")),
        _row("dontlog-normal of 404", "option dontlog-normal", reply=ok(status=b"404 No")),
        _row("logasap", 'option logasap\nlog-format "%ST %b %s %{+Q}r"'),
        _row(
            # Where a whole line is cut depends on how many digits the pid has.
            "a long request line",
            "no log\nlog <log> len 4096 local0",
            get(b"/" + b"x" * 1500),
        ),
        _row("unique-id-header", "unique-id-format %[path]-%HM\nunique-id-header X-ID", get(b"/u")),
    ]


def _lists() -> list[Exchange]:
    key = get(fields=b"X: k\r\n")
    rows = [
        _row("set-map and what it sees", f"http-request set-map(/dev/null) %[req.hdr(x)] v\n{LISTS}", key),
        _row(
            "del-map",
            f"http-request set-map(/dev/null) k v\nhttp-request del-map(/dev/null) k\n{LISTS}",
            key,
        ),
        _row(
            "add-acl and del-acl",
            "acl listed req.hdr(x) -f /dev/null\nhttp-request add-acl(/dev/null) %[req.hdr(x)]\n"
            "http-request set-header one yes if listed\nhttp-request del-acl(/dev/null) k\n"
            "http-request set-header two yes if listed",
            key,
        ),
    ]
    # The files have one name.
    return [replace(row, alone=True) for row in rows]


def _options() -> list[Exchange]:
    odd = get(fields=b"X_Odd: 1\r\nX.Y: 2\r\nPlain-1: 3\r\n")
    restrict = "option http-restrict-req-hdr-names"
    named = (
        f"{restrict} delete\nhttp-request set-header seen %[req.hdr(x_odd)]\nhttp-request set-header y_z 1"
    )
    case = "global\n  h1-case-adjust host HOST\n  h1-case-adjust content-length Content-LENGTH\n"
    case += "  h1-case-adjust x-new X-NEW\n  h1-case-adjust connection CONNECTION"
    return [
        _row("odd names pass", "", odd),
        _row("odd names are deleted", named, odd),
        _row("odd names are refused", f"{restrict} reject", odd),
        _row("odd names are refused by the backend", "", odd, back=f"{restrict} reject"),
        _row("odd names are refused behind rules", f"{restrict} reject\nhttp-request return status 200", odd),
        _row("plain names are not refused", f"{restrict} reject", get(fields=b"Plain-1: 3\r\n")),
        replace(
            _row(
                "h1-case-adjust",
                "option h1-case-adjust-bogus-client\nhttp-response set-header x-new 1",
                back="option h1-case-adjust-bogus-server\nhttp-request set-header x-new 1",
            ),
            settings=case,
        ),
        replace(
            _row("h1-case-adjust of an error", "option h1-case-adjust-bogus-client\nhttp-request deny"),
            settings=case,
        ),
        replace(_row("h1-case-adjust for nobody", "http-response set-header x-new 1"), settings=case),
        _row("forwardfor", "option forwardfor", get(fields=b"X-Forwarded-For: 1.2.3.4\r\n")),
        _row("forwardfor if-none", "option forwardfor if-none", get(fields=b"X-Forwarded-For: 1.2.3.4\r\n")),
        _row("forwardfor header", "option forwardfor header X-Client"),
        _row("forwardfor except", "option forwardfor except 127.0.0.0/8"),
        _row("originalto", "option originalto header X-To"),
        _row("http-use-proxy-header", "option http-use-proxy-header", get(b"http://a/")),
        _row("http-pretend-keepalive", "", back="option http-server-close\noption http-pretend-keepalive"),
        _row("http-send-name-header", "", back="http-send-name-header X-Server"),
    ]


_ALL: dict[str, list[Exchange]] = {
    "fields": _fields(),
    "responses": _responses(),
    "rewrites": _rewrites(),
    "normalizers": _normalizers(),
    "answers": _answers(),
    "bodies": _bodies(),
    "logs": _logs(),
    "lists": _lists(),
    "options": _options(),
}

_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    "auth with http-use-proxy-header": ("HAProxy writes the reason of 401 beside 407", (407, 401)),
}
"""Where we mean to differ: why, and the statuses that our client sees."""

GROUPS = meant(_ALL, _BEYOND)
"""Rows by what they are about."""
