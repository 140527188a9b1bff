"""`show resolvers` beside HAProxy: what is counted of each name server's answers."""

from __future__ import annotations

from name_server import NameServer, fails, says

from .http_lab import PREAMBLE
from .lab import Both, Lab

NAMES = {
    "good.test": says("A 192.0.2.1"),
    "nx.test": fails("NXDOMAIN"),
    "refused.test": fails("REFUSED"),
    "failing.test": fails("SERVFAIL"),
    "empty.test": says(),
}
SHOWN = ("show resolvers r", "show resolvers none", "show resolvers r more")


def config(server: NameServer) -> str:
    return f"""
resolvers r
  nameserver first {server.address}
  resolve_retries 1
  timeout retry 300ms
frontend f
  bind 127.0.0.1:<front>
  http-request do-resolve(txn.ip,r,ipv4) hdr(host)
  http-request return status 200
"""


def test_name_servers_answers_are_counted_alike(both: Both) -> None:
    def traffic(lab: Lab) -> list[str]:
        for name in NAMES:
            assert lab.ask(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode()).startswith(b"HTTP/1.1 200")
        return [lab.command(line) for line in SHOWN]

    server = NameServer(NAMES)
    try:
        seen = both(config(server), traffic, preamble=PREAMBLE, logged=False)
    finally:
        server.close()
    counts = dict(line.split() for line in seen.value[0].splitlines() if line.startswith("  "))
    wanted = {"sent:": "9", "valid:": "1", "nx:": "2", "refused:": "2", "other:": "2", "any_err:": "2"}
    assert {name: counts[name] for name in wanted} == wanted
