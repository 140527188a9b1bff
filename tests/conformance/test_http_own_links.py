"""Server connections that belong to one client: which request goes over which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from .http_exchanges import get
from .http_lab import GET, OK, PREAMBLE, Client, Reply, Script, http_line, until
from .http_message import split_requests
from .lab import Both, Lab

NTLM = b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
BASIC = NTLM.replace(b"NTLM", b'Basic realm="x"')
PROXY_NEGOTIATE = b"HTTP/1.1 407 No\r\nProxy-Authenticate: negotiate x\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Case:
    """Requests of clients, which are told apart by letters, one after the other; `-` closes a client."""

    name: str
    back: str
    clients: str = "ABAB"
    server: str = ""
    servers: str = "a"
    reply: bytes = OK
    # A field of each request, where they differ.
    fields: tuple[bytes, ...] = ()


CASES = [
    Case("never: each client has its own", "http-reuse never"),
    Case("never: none is left to the next client", "http-reuse never", "AA-BB"),
    Case("never, balanced", "http-reuse never\nbalance roundrobin", "AAAA", servers="ab"),
    Case(
        "never: no more than five wait", "http-reuse never\nbalance roundrobin", "A" * 14, servers="abcdefg"
    ),
    Case("never with server-close", "http-reuse never\noption http-server-close", "AA"),
    Case("never: limits of the pool do not count", "http-reuse never", "AAA", "max-reuse 1 pool-max-conn 0"),
    Case("prefer-last-server", "http-reuse never\noption prefer-last-server", "ABABA", servers="ab"),
    Case(
        "prefer-last-server, leastconn",
        "http-reuse never\nbalance leastconn\noption prefer-last-server",
        "AAA",
        servers="ab",
    ),
    Case("prefer-last-server of shared ones", "option prefer-last-server", "AAA", servers="ab"),
    Case(
        "prefer-last-server and a hash",
        "http-reuse never\nbalance hdr(x)\noption prefer-last-server",
        "AAAA",
        servers="ab",
        fields=(b"X: 1\r\n", b"X: 2\r\n", b"X: 3\r\n", b"X: 4\r\n"),
    ),
    Case("401 of NTLM ties the connection", "http-reuse always", reply=NTLM),
    Case("407 of Negotiate, too", "http-reuse always", reply=PROXY_NEGOTIATE),
    Case("401 of Basic does not", "http-reuse always", reply=BASIC),
    Case("401 of NTLM brings clients back", "balance roundrobin", "AAA", servers="ab", reply=NTLM),
    Case("401 of Basic does not bring them back", "balance roundrobin", "AAA", servers="ab", reply=BASIC),
    Case("401 of Basic on an own connection does not", "http-reuse never", "AAA", servers="ab", reply=BASIC),
    Case("send-proxy", "http-reuse always", "AAA", "send-proxy"),
    Case(
        "send-proxy with another source",
        "http-reuse always\nhttp-request set-src hdr(s)\nhttp-request set-src-port int(1000)",
        "AAA",
        "send-proxy",
        fields=(b"S: 1.2.3.4\r\n", b"S: 1.2.3.4\r\n", b"S: 1.2.3.5\r\n"),
    ),
]


def flow(case: Case) -> Any:
    """The function that sends a case's requests, and returns what came over which connection."""

    def run(lab: Lab) -> Any:
        clients: dict[str, Client] = {}
        served: dict[str, int] = {}
        for number, name in enumerate(case.clients):
            if name == "-":
                for client in clients.values():
                    client.last()
                clients.clear()
                continue
            if name not in clients:
                clients[name], served[name] = Client(lab), 0
            fields = case.fields[number] if case.fields else b""
            clients[name].send(get(b"/%s%d" % (name.encode(), number), fields))
            served[name] += 1
            clients[name].read(served[name])
        for client in clients.values():
            client.last()
        return [[_targets(end.received) for end in lab.origin(each).ends] for each in case.servers]

    return run


def _targets(received: bytes) -> list[bytes]:
    behind = received.partition(b"\r\n")[2] if received.startswith(b"PROXY") else received
    return [request.head.split(b" ")[1] for request in split_requests(behind)]


def site(case: Case) -> str:
    back = "\n".join("  " + line for line in case.back.splitlines())
    servers = "\n".join(f"  server {each} <{each}> {case.server}" for each in case.servers)
    return f"frontend f\n  bind 127.0.0.1:<front>\n  default_backend b\nbackend b\n{back}\n{servers}\n"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_requests_go_over_the_same_connections(both: Both, case: Case) -> None:
    both(
        site(case),
        flow(case),
        origins={each: Script([Reply(case.reply)]) for each in case.servers},
        preamble=PREAMBLE,
        normal=http_line,
    )


def test_a_proxy_header_speaks_of_the_client_whose_requests_follow(beyond: Both) -> None:
    """Two clients by turns: HAProxy 2.6 connects anew for the second; we keep a connection for each."""
    case = Case("send-proxy", "http-reuse always", server="send-proxy")
    _, ours = beyond.apart(
        site(case),
        flow(case),
        origins={"a": Script([Reply()])},
        preamble=PREAMBLE,
        normal=http_line,
    )
    assert ours.value == [[[b"/A0", b"/A2"], [b"/B1", b"/B3"]]]


def test_a_connection_that_the_server_closed_is_not_used_again(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        for number in range(1, 3):
            client.send(GET)
            client.read(number)
            until(lambda number=number: len(lab.origin().ends) == number)
            lab.origin().ends[-1].finish()
            until(lambda: lab.origin().ends[-1].left)
        return [len(split_requests(end.received)) for end in lab.origin().ends]

    case = Case("", "http-reuse never")
    seen = both(site(case), traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line)
    assert seen.value == [1, 1]
