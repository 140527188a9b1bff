"""What `show stat` and `show info` hold behind HTTP traffic."""

from __future__ import annotations

import re
from typing import Any

from .http_lab import GET, PREAMBLE, Client, Exchange, Reply, Script, compare, http_line
from .http_message import split_responses
from .lab import Both, Lab

SITE = """
frontend f
  bind 127.0.0.1:<front>
  http-request deny if { path /deny }
  http-response deny if { status 410 }
  default_backend b
backend b
  http-response deny if { status 404 }
  retries 0
  server s <a>
  server unused <closed> backup
"""
# Bytes are HAProxy's of its internal form; times and connections at rest depend on the moment.
COLUMNS = re.findall(
    r"\S+",
    """
    scur smax stot dreq dresp ereq econ eresp wretr wredis lbtot hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx
    hrsp_other req_tot req_rate_max cli_abrt srv_abrt mode connect reuse conn_tot intercepted status
    """,
)


def get(path: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def table(lab: Lab) -> dict[str, dict[str, str]]:
    """The rows of `show stat` by the name in their second column."""
    lines = [line.split(",") for line in lab.command("show stat").strip().splitlines()]
    names = [name.lstrip("# ") for name in lines[0]]
    rows = {line[1]: dict(zip(names, line, strict=False)) for line in lines[1:]}
    return {name: {column: row[column] for column in COLUMNS} for name, row in rows.items()}


def replies(*data: bytes) -> Script:
    return Script([Reply(each) for each in data])


def test_columns_of_http_count_alike(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        sends = (
            [GET, get(b"/two")],
            [get(b"/deny")],
            [b"no request\r\n\r\n"],
            [get(b"/404")],
            [get(b"/302")],
            [get(b"/410")],
        )
        for requests in sends:
            client = Client(lab)
            for count, request in enumerate(requests, 1):
                client.play([request])
                client.read(count)
            client.last()
        lab.log.wait(7)
        return table(lab)

    def answers() -> Script:
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        return replies(
            ok, ok, *(ok.replace(b"200 OK", status) for status in (b"404 No", b"302 There", b"410 Gone"))
        )

    seen = both(SITE, traffic, origins={"a": answers()}, preamble=PREAMBLE, normal=http_line)
    front = seen.value["FRONTEND"]
    assert (front["req_tot"], front["hrsp_2xx"], front["hrsp_3xx"], front["mode"]) == ("7", "2", "1", "http")


def test_failures_of_servers_and_clients_count_alike(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        for request in (GET, GET, GET):
            client = Client(lab)
            client.play([request])
            client.read(1)
            client.last()
        lab.log.wait(3)
        return table(lab)

    cut = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=True)
    bad = Reply(b"HTTP/1.1 200 OK\r\nX\r\n\r\n", close=True)
    none = Reply(b"", close=True)
    both(SITE, traffic, origins={"a": Script([cut, bad, none])}, preamble=PREAMBLE, normal=http_line)


def test_requests_are_counted_in_show_info(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.play([GET * 3])
        client.read(3)
        client.last()
        info = dict(line.split(": ", 1) for line in lab.command("show info").splitlines() if ": " in line)
        return info["CumReq"]

    both(SITE, traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line)


def test_fe_req_rate_counts_requests(both: Both) -> None:
    rule = "http-request return content-type a/b lf-string %[fe_req_rate]"
    seen = compare(both, Exchange("rate", (GET * 3,), front=rule, messages=3))
    assert [message.body for message in seen.value["client"]] == [b"1", b"2", b"3"]


def test_a_session_shows_in_show_sess(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.play([GET])
        request = lab.origin().accept()
        request.read(len(GET))
        shown = lab.command("show sess")
        request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.read(1)
        client.last()
        line = next(each for each in shown.splitlines() if "fe=f" in each)
        words = dict(word.split("=", 1) for word in line.split() if "=" in word)
        whole = [message.whole for message in split_responses(client.end.received, client.sent, True)]
        return words["fe"], words["be"], words["srv"], whole

    both(SITE, traffic, origins={"a": None}, preamble=PREAMBLE, normal=http_line)


INTERCEPTING = """
frontend f
  bind 127.0.0.1:<front>
  http-request return status 200 if { path /return }
  http-request redirect location /x if { path /redirect }
  http-request auth if { path /auth }
  http-request deny if { path /deny }
  monitor-uri /monitor
  http-response return status 200 if { status 404 }
  default_backend b
backend b
  http-request return status 200 if { path /backend }
  server s <a>
"""


def test_answers_of_the_frontend_itself_are_counted_as_intercepted(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        paths = (b"/return", b"/redirect", b"/auth", b"/deny", b"/monitor", b"/backend", b"/404", b"/200")
        client = Client(lab)
        for count, path in enumerate(paths, 1):
            client.send(get(path))
            client.read(count)
        client.last()
        lab.log.wait(len(paths) - 1)
        return table(lab)

    missing = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
    script = replies(missing, missing.replace(b"404 No", b"200 OK"))
    seen = both(INTERCEPTING, traffic, origins={"a": script}, preamble=PREAMBLE, normal=http_line)
    assert seen.value["FRONTEND"]["intercepted"] == "4"
