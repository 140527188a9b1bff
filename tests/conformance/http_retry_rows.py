"""table: requests that are tried again, or not: after failed connects, and for what the server answered."""

from __future__ import annotations

from .http_exchanges import chunked, get, ok, post
from .http_lab import GET, OK, Arrived, Exchange, Finish, Reply, Step, meant

EMPTY = Reply(b"", close=True)
JUNK = Reply(b"SSH-2.0-x\r\n\r\n", close=True)
SILENT = Reply(b"")
BROKEN = Reply(b"", reset=True)
CUT = Reply(b"HTTP/1.1 200 OK\r\nX", close=True)
STATUSES = (401, 403, 404, 408, 425, 500, 501, 502, 503, 504)
FAILURES = {
    "empty": EMPTY,
    "reset": BROKEN,
    "junk": JUNK,
    "cut": CUT,
    "silent": SILENT,
    **{str(status): Reply(ok(status=b"%d X" % status)) for status in STATUSES},
    "429": Reply(ok(status=b"429 X")),
}


def row(
    name: str,
    lines: str,
    replies: tuple[Reply, ...],
    sends: tuple[Step, ...] = (GET,),
    servers: str = "server s <a>",
    **options: object,
) -> Exchange:
    """An exchange through a backend with these lines. Pauses before retries are short."""
    site = "listen l\n  bind 127.0.0.1:<front>\n  timeout connect 100ms\n  timeout server 300ms\n"
    body = "".join(f"  {line.strip()}\n" for line in f"{lines}\n{servers}".splitlines())
    return Exchange(name, sends, replies, site=site + body, **options)  # type: ignore[arg-type]


def _events() -> list[Exchange]:
    lists = (
        "empty-response",
        "junk-response",
        "response-timeout",
        "0rtt-rejected",
        "all-retryable-errors",
        "none",
        "conn-failure",
    )
    rows = [
        row(f"{events}: {name}", f"retry-on {events}\nretries 2", (failure, Reply()))
        for events in lists
        for name, failure in FAILURES.items()
    ]
    rows += [
        row(f"{status}: {name}", f"retry-on {status}\nretries 2", (FAILURES[name], Reply()))
        for status in STATUSES
        for name in (str(status), "403" if status != 403 else "404")
    ]
    return rows


def _again() -> list[Exchange]:
    """What is sent once more, and how often."""
    on = "retry-on all-retryable-errors 404"
    bad = FAILURES["503"]
    head, body = post(b"0123456789")[:-10], b"0123456789"
    big = post(b"x" * 40_000)
    return [
        row("always 503", f"{on}\nretries 2", (bad,)),
        row("always empty", f"{on}\nretries 2", (EMPTY,)),
        row("always silent", f"{on}\nretries 1", (SILENT,)),
        row("always junk", f"{on}\nretries 2", (JUNK,)),
        row("no retries", f"{on}\nretries 0", (bad, Reply())),
        row("three kinds of failure", f"{on}\nretries 5", (bad, EMPTY, JUNK, Reply())),
        row("404, listed beside all", f"{on}\nretries 2", (FAILURES["404"], Reply())),
        row("POST", f"{on}\nretries 2", (bad, Reply()), (post(b"abc"),)),
        row("POST in two parts", f"{on}\nretries 2", (bad, Reply()), (head, Arrived(b"host"), body)),
        row(
            "POST answered before its end",
            f"{on}\nretries 2",
            (Reply(bad.data, early=True), Reply()),
            (head, Arrived(b"host")),
        ),
        row("POST, buffered", f"{on}\nretries 2\noption http-buffer-request", (bad, Reply()), (head, body)),
        row("chunked POST", f"{on}\nretries 2", (bad, Reply()), (chunked(b"3\r\nabc\r\n0\r\n\r\n"),)),
        row("POST longer than a buffer", f"{on}\nretries 2", (bad, Reply()), (big,)),
        row("HEAD", f"{on}\nretries 2", (Reply(bad.data[:-2]), Reply(OK[:-2])), (b"HEAD" + GET[3:],)),
        row("disable-l7-retry", f"{on}\nretries 2\nhttp-request disable-l7-retry", (bad, Reply())),
        row(
            "disable-l7-retry for POST alone",
            f"{on}\nretries 2\nhttp-request disable-l7-retry if METH_POST",
            (bad, Reply()),
        ),
        row("rules run once", f"{on}\nretries 2\nhttp-request add-header X y", (bad, Reply())),
        row(
            "rules of the response run once", f"{on}\nretries 2\nhttp-response add-header X y", (bad, Reply())
        ),
        row(
            "two on a connection", f"{on}\nretries 2", (bad, Reply(), bad, Reply()), (GET + GET,), messages=2
        ),
        row("the connection goes on", f"{on}\nretries 2", (bad, Reply()), again=True),
        row("a FIN behind the request", f"{on}\nretries 2", (bad, Reply()), (GET, Finish())),
        row(
            "a server of 1.0",
            f"{on}\nretries 2",
            (Reply(ok(status=b"503 X", version=b"1.0"), close=True), Reply()),
        ),
        row("by defaults three", on, (bad, bad, bad, Reply())),
        row("by defaults three, a fourth fails", on, (bad, bad, bad, bad, Reply())),
    ]


def _elsewhere() -> list[Exchange]:
    on = "retry-on all-retryable-errors"
    bad = FAILURES["503"]
    two = "server one <a>\nserver two <a>"
    dead = "server one <closed>\nserver two <a>"
    first = "balance first\n"
    return [
        row("503 and redispatch", f"{on}\nretries 2\noption redispatch", (bad, Reply()), servers=two),
        row(
            "503, redispatch each time",
            f"{on}\nretries 3\noption redispatch 1",
            (bad, bad, Reply()),
            servers=two,
        ),
        row("503, no redispatch", f"{on}\nretries 2", (bad, Reply()), servers=two),
        row("503, one server and redispatch", f"{on}\nretries 2\noption redispatch", (bad, Reply())),
        row("empty and redispatch", f"{on}\nretries 2\noption redispatch", (EMPTY, Reply()), servers=two),
        row("silent and redispatch", f"{on}\nretries 2\noption redispatch", (SILENT, Reply()), servers=two),
        row(
            "a hash keeps to its server",
            f"{on}\nretries 2\nbalance uri\noption redispatch",
            (bad, bad, Reply()),
            servers=two,
        ),
        row(
            "a hash and redispatch 1",
            f"{on}\nretries 2\nbalance uri\noption redispatch 1",
            (bad, Reply()),
            servers=two,
        ),
        row("refused, then another", f"{first}retries 2\noption redispatch", (Reply(),), servers=dead),
        row("refused, redispatch 1", f"{first}retries 2\noption redispatch 1", (Reply(),), servers=dead),
        row("refused, redispatch -1", f"{first}retries 2\noption redispatch -1", (Reply(),), servers=dead),
        row("refused, no redispatch", f"{first}retries 2", (Reply(),), servers=dead),
        row(
            "refused, retry-on none",
            f"{first}retries 2\nretry-on none\noption redispatch",
            (Reply(),),
            servers=dead,
        ),
        row(
            "refused, retry-on 503",
            f"{first}retries 2\nretry-on 503\noption redispatch",
            (Reply(),),
            servers=dead,
        ),
        row("refused, hashed", "balance hash int(0)\nretries 2\noption redispatch", (Reply(),), servers=dead),
        row(
            "refused by all",
            "retries 2\noption redispatch",
            (Reply(),),
            servers="server one <closed>\nserver two <closed>",
        ),
        row(
            "no answer to SYN",
            f"{first}retries 1\noption redispatch",
            (Reply(),),
            servers="server one <stuck>\nserver two <a>",
        ),
        row("no answer to SYN, twice", f"{first}retries 1", (Reply(),), servers="server one <stuck>"),
        row("refused, POST", f"{first}retries 2\noption redispatch", (Reply(),), (post(b"abc"),), dead),
        row(
            "503 and a backup",
            f"{on}\nretries 2\noption redispatch",
            (bad, Reply()),
            servers="server one <a>\nserver two <a> backup",
        ),
        row(
            "a backup",
            "retries 2\noption redispatch",
            (Reply(),),
            servers="server one <closed>\nserver two <a> backup",
        ),
    ]


def _names() -> list[Exchange]:
    name = "http-send-name-header X-Server"
    two = "server one <a>\nserver two <a>"
    again = "retry-on 503\nretries 2\noption redispatch"
    bad = FAILURES["503"]
    return [
        row("name header", name, (Reply(),)),
        row(
            "name header that the client sent",
            name,
            (Reply(),),
            (get(fields=b"X-Server: x\r\nx-server: y\r\n"),),
        ),
        row("name header of another server", f"{name}\n{again}", (bad, Reply()), servers=two),
        row("name header of the same server", f"{name}\nretry-on 503", (bad, Reply())),
        row(
            "name header after a refusal",
            f"{name}\nbalance first\nretries 1\noption redispatch",
            (Reply(),),
            servers="server one <closed>\nserver two <a>",
        ),
        row("name header that a rule set", f"{name}\nhttp-request set-header x-server z", (Reply(),)),
        row("name header on a kept connection", name, (Reply(),), (GET + GET,), two, messages=2),
        row("name header in the place of Host", "http-send-name-header Host", (Reply(),)),
        row("name header with a body", name, (Reply(),), (post(b"abc"),)),
    ]


_ALL: dict[str, list[Exchange]] = {
    "events": _events(),
    "again": _again(),
    "elsewhere": _elsewhere(),
    "names": _names(),
}
_BEYOND: dict[str, tuple[str, tuple[int, ...]]] = {}
GROUPS = meant(_ALL, _BEYOND)
