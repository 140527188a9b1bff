"""table: what goes wrong with an exchange: the status, the termination state, and which timers never came."""

from __future__ import annotations

from .http_exchanges import ok, post
from .http_lab import GET, OK, Arrived, Await, Exchange, Finish, Heard, Reply, Reset, Shown, Step, meant

EMPTY = Reply(b"", close=True)
BROKEN = Reply(b"", reset=True)
SILENT = Reply(b"")
HEAD_HALF = b"HTTP/1.1 200 OK\r\nX: y"
BODY_HALF = ok(body=b"0123456789")[:-5]
CHUNKS_HALF = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"
POST_HALF = post(b"0123456789")[:-5]
ABORT = "option abortonclose"


def row(
    name: str,
    states: str,
    lines: str = "",
    sends: tuple[Step, ...] = (GET,),
    replies: tuple[Reply, ...] = (Reply(),),
    server: str = "server s <a>",
    messages: int = 1,
) -> Exchange:
    """An exchange that ends in this state."""
    site = "listen l\n  bind 127.0.0.1:<front>\n  retries 0\n"
    body = "".join(f"  {line.strip()}\n" for line in f"{lines}\n{server}".splitlines())
    return Exchange(name, sends, replies, site=site + body, messages=messages, states=(states,))


def _connects() -> list[Exchange]:
    stuck = "server s <stuck>"
    late = "timeout connect 300ms"
    gone = (GET, Shown("scur", "1"), Reset())
    done = (GET, Shown("scur", "1"), Finish())
    return [
        row("refused", "SC", server="server s <closed>"),
        row("refused, POST", "SC", "", (post(b"abc"),), server="server s <closed>"),
        row("refused, half a POST", "SC", "", (POST_HALF,), server="server s <closed>"),
        row("refused twice", "SC", "retries 1\ntimeout connect 300ms", server="server s <closed>"),
        row("no answer to SYN", "sC", late, server=stuck),
        row("no answer to SYN, twice", "sC", f"retries 1\n{late}", server=stuck),
        row("no servers", "SC", server=""),
        row("a disabled server", "SC", server="server s <a> disabled"),
        row("a reset while connecting", "sC", late, gone, server=stuck, messages=0),
        row("a reset while connecting, abortonclose", "CC", ABORT, gone, server=stuck, messages=0),
        row("a FIN while connecting", "sC", late, done, server=stuck),
        row(
            "a FIN, and the server refuses",
            "SC",
            "retries 1\ntimeout connect 300ms",
            (GET, Finish()),
            server="server s <closed>",
        ),
        row("a FIN while connecting, abortonclose", "CC", ABORT, done, server=stuck, messages=0),
        row("timeout client while connecting", "sC", f"timeout client 100ms\n{late}", server=stuck),
    ]


def _servers() -> list[Exchange]:
    late = "timeout server 300ms"
    return [
        row("the server is silent", "sH", late, replies=(SILENT,)),
        row("the server is silent, POST", "sH", late, (post(b"abc"),), (SILENT,)),
        row("the server stops in its head", "sH", late, replies=(Reply(HEAD_HALF),)),
        row("the server stops in its body", "sD", late, replies=(Reply(BODY_HALF),), messages=9),
        row("the server stops in its chunks", "sD", late, replies=(Reply(CHUNKS_HALF),), messages=9),
        row(
            "the server stops behind 103", "sH", late, replies=(Reply(b"HTTP/1.1 103 X\r\n\r\n"),), messages=2
        ),
        row(
            "the server stops before its end",
            "sD",
            late,
            replies=(Reply(b"HTTP/1.1 200 OK\r\n\r\nok"),),
            messages=9,
        ),
        row("the server closes at once", "SH", replies=(EMPTY,)),
        row("the server closes at once, POST", "SH", "", (post(b"abc"),), (EMPTY,)),
        row("the server closes in its head", "SH", replies=(Reply(HEAD_HALF, close=True),)),
        row("the server closes in its body", "SD", replies=(Reply(BODY_HALF, close=True),)),
        row("the server closes in its chunks", "SD", replies=(Reply(CHUNKS_HALF, close=True),)),
        row("the server resets at once", "SH", replies=(BROKEN,)),
        row("the server resets, POST", "SH", "", (post(b"abc"),), (BROKEN,)),
        row(
            "the server closes behind a big body", "--", replies=(Reply(ok(body=b"x" * 100_000), close=True),)
        ),
        row("the server says no HTTP", "PH", replies=(Reply(b"SSH-2.0\r\n\r\n", close=True),)),
        row("the server's chunks are malformed", "PH", replies=(Reply(CHUNKS_HALF + b"x\r\n", close=True),)),
    ]


def _clients() -> list[Exchange]:
    silent = (SILENT,)
    late = "timeout client 300ms"
    thinks = "timeout server 300ms"
    early = "timeout http-request 300ms"
    asked: tuple[Step, ...] = (GET, Arrived(b"host"))
    posts: tuple[Step, ...] = (POST_HALF, Arrived(b"01234"))
    return [
        row("half a head, http-request", "cR", early, (GET[:-2],)),
        row("half a head, client", "cR", late, (GET[:-2],)),
        row("half a body, client", "sH", f"{late}\ntimeout server 300ms", (POST_HALF,), silent),
        row("a FIN in the head", "CR", "", (GET[:-2], Finish())),
        row("a FIN while the server thinks", "sH", thinks, (*asked, Finish()), silent),
        row(
            "a FIN while the server thinks, abortonclose", "CH", ABORT, (*asked, Finish()), silent, messages=0
        ),
        row("a reset while the server thinks", "sH", thinks, (*asked, Reset()), silent, messages=0),
        row(
            "a reset while the server thinks, abortonclose",
            "CD",
            ABORT,
            (*asked, Reset()),
            silent,
            messages=0,
        ),
        row("a FIN in the body", "CD", "", (*posts, Finish()), silent),
        row("a FIN in the body, abortonclose", "CD", ABORT, (*posts, Finish()), silent),
        row("a reset in the body", "CD", "", (*posts, Reset()), silent, messages=0),
        row(
            "a FIN in the response",
            "sD",
            "timeout server 300ms",
            (GET, Finish()),
            (Reply(BODY_HALF),),
            messages=9,
        ),
        row(
            "a reset in the response",
            "sD",
            thinks,
            (GET, Heard(b"01234"), Reset()),
            (Reply(BODY_HALF),),
            messages=0,
        ),
    ]


def _answers() -> list[Exchange]:
    return [
        row("denied", "PR", "http-request deny"),
        row("returned", "LR", "http-request return status 200"),
        row("redirected", "LR", "http-request redirect location /"),
        row("tarpitted", "PT", "timeout tarpit 300ms\nhttp-request tarpit"),
        row(
            "a reset in the tarpit",
            "PT",
            "timeout tarpit 300ms\nhttp-request tarpit",
            (GET, Shown("req_tot", "1", "FRONTEND"), Reset()),
            messages=0,
        ),
        row("a denied response", "PH", "http-response deny"),
        row("malformed", "PR", "", (b"GET\r\n\r\n",)),
        row(
            "malformed chunks",
            "PR",
            "",
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",),
        ),
        row(
            "a body that is awaited",
            "cR",
            "timeout http-request 300ms\noption http-buffer-request",
            (POST_HALF,),
        ),
        row("a rule waits for a body", "cR", "http-request wait-for-body time 300ms", (POST_HALF,)),
        row("rejected", "PR", "http-request reject"),
        row("fine", "--", "", (GET, Await(1))),
        row("fine, until close", "--", replies=(Reply(b"HTTP/1.1 200 OK\r\n\r\nok", close=True),)),
        row("fine, and the server resets behind it", "--", replies=(Reply(OK, reset=True),)),
    ]


_ALL = {
    "connects": _connects(),
    "servers": _servers(),
    "clients": _clients(),
    "answers": _answers(),
}
_GONE = "a client's reset is noticed at once; HAProxy looks when something happens"
# Where we mean to differ: the case, why, and the statuses that our client sees.
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {
    "a reset while connecting": (_GONE, ()),
    "a reset while the server thinks": (_GONE, ()),
    "a reset in the response": (_GONE, (200,)),
    "a reset in the tarpit": (_GONE, ()),
    "a reset while the server thinks, abortonclose": ("no data was being transferred: CH", ()),
    "half a body, client": ("timeout client strikes while the client is awaited", (408,)),
}
GROUPS = meant(_ALL, _BEYOND)
