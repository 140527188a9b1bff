"""Transparent binds behind an nftables TPROXY rule, and connections from the client's address."""

from __future__ import annotations

import pytest

from .ground import find
from .wire import Origin, ask, dial, line, proxy_v2

TPROXY = """
table {family} divert {{
  chain prerouting {{
    type filter hook prerouting priority mangle
    tcp dport 80 tproxy to :8000 meta mark set 1 accept
  }}
}}
"""


@pytest.fixture
def gate(ground):
    """client (10.1.0.2) - gate (10.1.0.1), and what the client sends to port 80 is delivered on the gate."""
    if not find("nft"):
        pytest.skip("no nft (Debian package: nftables)")
    client, made = ground.add("client"), ground.add("gate")
    ground.link_pair(made, client, "inside", "10.1.0")
    client.run("ip", "route", "add", "default", "via", "10.1.0.1")
    made.run("nft", "-f", "-", stdin=TPROXY.format(family="ip"))
    made.run("ip", "rule", "add", "fwmark", "1", "lookup", "100")
    made.run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100")
    return made


def test_a_transparent_bind_takes_what_tproxy_diverts_and_a_star_sends_it_on(ground, either, log, gate):
    red = ground.add("red", "203.0.113.9", "203.0.113.10")
    for host in ("203.0.113.9", "203.0.113.10"):
        Origin(red, host, 80)
    either("""
listen diverted
  bind 0.0.0.0:8000 transparent namespace gate
  server s * namespace red
""")
    for host in ("203.0.113.9", "203.0.113.10"):
        with dial(ground.named("client"), host, 80) as client:
            assert line(client).split()[3:] == [host, "80"]
            assert ask(client, "ping") == "ping"
        log.wait(f"[10.1.0.2] [{host}]")


def test_a_transparent_bind_takes_ipv6_as_well(ground, either):
    if not find("nft"):
        pytest.skip("no nft (Debian package: nftables)")
    client, gate = ground.add("client"), ground.add("gate")
    ground.link_pair(gate, client, "inside", "10.1.0")
    gate.address("fd01::1/64", "inside")
    client.address("fd01::2/64", "inside")
    client.run("ip", "-6", "route", "add", "default", "via", "fd01::1")
    gate.run("nft", "-f", "-", stdin=TPROXY.format(family="ip6"))
    gate.run("ip", "-6", "rule", "add", "fwmark", "1", "lookup", "100")
    gate.run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo", "table", "100")
    red = ground.add("red", "2001:db8::9")
    Origin(red, "2001:db8::9", 80)
    either("""
listen diverted
  bind [::]:8000 transparent namespace gate
  server s * namespace red
""")
    with dial(client, "2001:db8::9", 80) as end:
        assert line(end).split()[3:] == ["2001:db8::9", "80"]


@pytest.fixture
def back(ground):
    """back (10.2.0.1) - origin (10.2.0.2): what the origin answers to 10.1.0.0/24 is delivered on back."""
    origin, made = ground.add("origin"), ground.add("back")
    ground.link_pair(made, origin, "behind", "10.2.0")
    origin.run("ip", "route", "add", "default", "via", "10.2.0.1")
    made.run("ip", "route", "add", "local", "10.1.0.0/24", "dev", "lo")
    Origin(origin, "10.2.0.2", 80)
    return made


@pytest.mark.parametrize("usesrc", ["clientip", "client"])
def test_the_origin_sees_the_client_of_another_namespace(ground, either, back, usesrc):
    client, gate = ground.add("client"), ground.add("gate")
    ground.link_pair(gate, client, "inside", "10.1.0")
    either(f"""
listen spoofed
  bind 10.1.0.1:8000 namespace gate
  server s 10.2.0.2:80 namespace back source 0.0.0.0 usesrc {usesrc}
""")
    with dial(client, "10.1.0.1", 8000) as end:
        port = end.getsockname()[1]
        _, seen, seen_port, *_ = line(end).split()
        assert ask(end, "ping") == "ping"
    assert seen == "10.1.0.2"
    if usesrc == "client":
        assert int(seen_port) == port


def test_usesrc_takes_the_address_of_the_header(ground, either, back):
    either("""
listen spoofed
  bind 127.0.0.1:8000 accept-proxy
  server s 10.2.0.2:80 namespace back source 0.0.0.0 usesrc client
""")
    with dial(ground.default, "127.0.0.1", 8000) as end:
        end.sendall(proxy_v2(source="10.1.0.77", ports=(5000, 80)))
        assert line(end).split()[1:3] == ["10.1.0.77", "5000"]


def test_a_source_address_is_one_of_the_servers_namespace(ground, either):
    red = ground.add("red", "10.0.0.10", "10.0.0.33")
    Origin(red, "10.0.0.10", 80)
    either("""
listen all
  bind 127.0.0.1:8000
  server s 10.0.0.10:80 namespace red source 10.0.0.33
""")
    with dial(ground.default, "127.0.0.1", 8000) as end:
        assert line(end).split()[1] == "10.0.0.33"


def test_a_source_interface_is_one_of_the_servers_namespace(ground, either, back):
    either("""
listen all
  bind 127.0.0.1:8000
  server s 10.2.0.2:80 namespace back source 0.0.0.0 interface behind
""")
    with dial(ground.default, "127.0.0.1", 8000) as end:
        assert line(end).split()[1] == "10.2.0.1"
