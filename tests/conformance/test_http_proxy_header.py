"""HTTP behind a PROXY header: rules see each request, and know the client that the header names."""

from __future__ import annotations

from typing import Any

import pytest

from .http_exchanges import get
from .http_lab import GET, PREAMBLE, Client, Reply, Script, http_line
from .http_message import split_requests
from .lab import Both, Lab

V1 = b"PROXY TCP4 10.1.1.1 10.2.2.2 1111 2222\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x0a\x01\x01\x01\x0a\x02\x02\x02\x04\x57\x08\xae"
SITE = """
frontend f
  bind 127.0.0.1:<front> accept-proxy
  http-request deny if { path /deny }
  http-request set-header client %[src]
  default_backend b
backend b
  server s <a>
"""
# What is sent at once, piece by piece: the proxy has answered before the next piece goes out.
SENT = {
    "v1 and a request": [V1 + GET],
    "v2 and a request": [V2 + GET],
    "a request that is denied": [V1 + get(b"/deny")],
    "two requests": [V1 + GET + get(b"/deny")],
    "requests by turns": [V1 + GET, get(b"/deny"), get(b"/three")],
    "what is no request": [V1 + b"no request\r\n\r\n"],
}


@pytest.mark.parametrize("pieces", SENT.values(), ids=SENT)
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "the header first"])
def test_rules_judge_requests_behind_a_proxy_header(both: Both, pieces: list[bytes], apart: bool) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        header, behind = (
            (V2, pieces[0][len(V2) :]) if pieces[0].startswith(V2) else (V1, pieces[0][len(V1) :])
        )
        if apart:
            client.end.try_send(header)
            client.send(behind)
        else:
            client.end.try_send(header + behind)
            client.sent += behind
        expected = max(1, behind.count(b"HTTP/1.1"))
        client.read(expected)
        for piece in pieces[1:]:
            expected += 1
            client.send(piece)
            client.read(expected)
        client.last()
        requests = [split_requests(end.received) for end in lab.origin().ends]
        statuses = [message.normal(True, True, frozenset()).status for message in client.messages()]
        return statuses, [[each.value(b"client") for each in end] for end in requests]

    both(
        SITE,
        traffic,
        origins={"a": Script([Reply()])},
        preamble=PREAMBLE,
        normal=http_line,
    )
