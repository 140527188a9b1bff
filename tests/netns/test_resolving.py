"""Names that only a tenant's own name server knows, asked in the tenant's namespace."""

from __future__ import annotations

import socket

from name_server import NameServer, fails, says, truncated

from .test_pools import PREAMBLE, SAME, HttpOrigin, get
from .wire import eventually

SITE = """
resolvers red
  nameserver own 10.0.0.53:53 namespace red
  timeout retry 300ms
resolvers blue
  nameserver own 10.0.0.53:53 namespace blue
  timeout retry 300ms
frontend all
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  http-request do-resolve(txn.to,red,ipv4) str(app.test) if { src_netns red }
  http-request do-resolve(txn.to,blue,ipv4) str(app.test) if { src_netns blue }
  http-request return status 404 if !{ var(txn.to) -m found }
  http-request set-dst var(txn.to)
  default_backend there
backend there
  server s 0.0.0.0:80 namespace *
"""


def name_server(namespace, answer) -> NameServer:
    """A name server of a tenant's; every tenant's has the same address."""
    sockets = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        made = namespace.socket(socket.AF_INET, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("10.0.0.53", 53))
        sockets.append(made)
    sockets[1].listen()
    return NameServer({"app.test": answer}, (sockets[0], sockets[1]))


def test_each_tenant_asks_its_own_name_server(ground, isthmus, log):
    """Name servers at one address say different things, by UDP in one namespace and by TCP in the other."""
    places = {"red": ("10.0.0.20", says), "blue": ("10.0.0.30", truncated)}
    servers = {}
    for name, (address, how) in places.items():
        namespace = ground.add(name, SAME, "10.0.0.53", address)
        servers[name] = name_server(namespace, how(f"A {address}"))
        HttpOrigin(namespace, address, 80)
    isthmus(SITE, preamble=PREAMBLE)
    try:
        for _ in range(3):
            assert [get(ground.named(name), SAME, 8000) for name in servers] == ["red", "blue"]
        assert servers["red"].kinds("app.test") == ["A"]
        assert servers["blue"].kinds("app.test") == ["A", "A/tcp"]
    finally:
        for server in servers.values():
            server.close()


def test_a_name_server_of_a_namespace_made_again_is_the_new_one(ground, isthmus, log):
    site = SITE.replace("namespace red", "namespace red optional").replace(
        "namespace blue", "namespace blue optional"
    )
    red = ground.add("red", SAME, "10.0.0.53", "10.0.0.20")
    old = name_server(red, fails("NXDOMAIN"))
    isthmus(site.replace("timeout retry", "hold nx 10ms\n  timeout retry"), preamble=PREAMBLE)
    try:
        assert get(red, SAME, 8000) == "404"
        ground.delete("red")
        red = ground.add("red", SAME, "10.0.0.53", "10.0.0.20")
        new = name_server(red, says("A 10.0.0.20"))
        HttpOrigin(red, "10.0.0.20", 80, name="new")
        eventually(lambda: get(red, SAME, 8000) == "new", "the new namespace is asked in")
        new.close()
    finally:
        old.close()
