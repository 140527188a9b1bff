"""examples/host-bridge: two servers behind a bridge on the host, which lends them its address."""

from __future__ import annotations

import sys
from pathlib import Path

from .examples import CLIENT, LISTENER, Reader, told_by_everybody, waiting
from .story import holds_its_ground

STREET = """
network: street
namespaces:
  host: {sysctl: {net.ipv6.conf.up0.disable_ipv6: 1}}
  street: {sysctl: {net.ipv6.conf.all.disable_ipv6: 1}}
links:
  - veth: [{in: street, name: eth0, addresses: 192.0.2.2/24}, {name: up0, addresses: 192.0.2.1/24}]
"""
"""What is outside in this test: a namespace with a wire to the host, which knows of nothing behind that."""

EXPECTED = """
  - web1 can ping street
  - web2 reaches 192.0.2.2:80 as 192.0.2.1
  - street reaches 192.0.2.1:8080 as 192.0.2.2
  - street cannot ping web1
"""


def two_servers_reach_what_is_outside_with_the_hosts_address(reader: Reader, examples: Path) -> None:
    file = examples / "host-bridge" / "network.yaml"
    street = file.with_name("street.yaml")
    street.write_text(STREET)
    reader.net("apply", str(street))
    forward = ("cat", "/proc/sys/net/ipv4/ip_forward")
    assert reader.inside("host", *forward) == "0\n"
    with holds_its_ground(reader, file) as again:
        assert reader.inside("host", *forward) == "1\n"
        for name in ("web1", "web2"):
            assert reader.inside(name, "hostname") == f"{name}\n"
            (route,) = reader.listing(name, "route", "show", "default")
            assert (route["gateway"], route["dev"]) == ("10.20.0.1", "eth0")
            assert "1 received" in reader.inside(name, "ping", "-c1", "-W5", "192.0.2.2")
        assert reader.inside("street", "ip", "route", "get", "10.20.0.11", status=2) == ""
        assert greeting(reader, "street", "192.0.2.2:80", "web1", "192.0.2.2:80").endswith("sees 192.0.2.1")
        assert greeting(reader, "web2", "10.20.0.12:80", "web1", "10.20.0.12:80") == "web2 sees 10.20.0.11"
        for port_of_the_host in ("street", "192.0.2.1:8080"), ("web2", "10.20.0.1:8080"):
            told = greeting(reader, "web1", "10.20.0.11:80", *port_of_the_host)
            assert told.startswith("web1 sees ")
        outside_as_part_of_the_file(reader, file)
        again()
        # Whom the host spoke with is no part of a network.
        reader.inside("host", "ip", "neigh", "flush", "all")
    assert reader.inside("host", *forward) == "0\n"


def greeting(reader: Reader, server: str, listening: str, client: str, asking: str) -> str:
    """Connect two namespaces; return how the server greets: its name, and whom it sees."""
    words = ("-P", "-c")
    listener = reader.start_inside(server, sys.executable, *words, LISTENER, *listening.split(":"))
    with waiting(listener, "ready"):
        return reader.inside(client, sys.executable, *words, CLIENT, *asking.split(":")).strip()


def outside_as_part_of_the_file(reader: Reader, file: Path) -> None:
    """Let the file speak of what is outside, and forward no port of web2's: nothing is made anew."""
    text = file.read_text()
    street = "  street: {attach: {path: /run/netns/street}}\n"
    file.write_text(text.replace("namespaces:\n", "namespaces:\n" + street) + EXPECTED.lstrip("\n"))
    assert reader.net("apply", str(file)) == "host-bridge: nothing to do\n"
    assert "all hold" in reader.net("check", str(file))
    masquerade = "      masquerade: [{from: 10.20.0.0/24}]\n"
    assert masquerade in text
    file.write_text(file.read_text().replace(masquerade, ""))
    assert "done (0 to make, 1 to change, 0 to remove)" in reader.net("apply", str(file))
    told = reader.net("check", str(file), status=1)
    assert "FAILED  web1 can ping street" in told, told
    assert "street has no route back to 10.20.0.11" in told
    file.write_text(text)
    reader.net("apply", "--quiet", str(file))


test_two_servers_reach_what_is_outside_with_the_hosts_address = told_by_everybody(
    two_servers_reach_what_is_outside_with_the_hosts_address
)
