"""examples/bridge-between: two clients joined by a bridge in a third namespace, of which they see nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from .examples import CLIENT, LISTENER, Reader, told_by_everybody, waiting
from .story import holds_its_ground

GREEN = "02:00:00:00:00:03"
SNIFFER = """
import socket, subprocess, sys, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("eth0", 0))
print("ready", flush=True)
sys.stdin.readline()
wire.settimeout(0.5)
senders = set()
try:
    while True:
        senders.add(wire.recv(2000)[6:12].hex(":"))
except TimeoutError:
    print(*sorted(senders))
"""
"""Keeps what passes the interface from `ready` on; when told to, prints whose frames there were."""


def clients_talk_through_a_bridge_of_which_they_see_nothing(reader: Reader, examples: Path) -> None:
    file = examples / "bridge-between" / "network.yaml"
    with holds_its_ground(reader, file) as again:
        link = {name: reader.listing(name, "link", "show", "eth0")[0]["address"] for name in ("red", "blue")}
        nothing_but_ports_is_in_the_switch(reader)
        sniffer = reader.start_inside("red", sys.executable, "-P", "-c", SNIFFER)
        with waiting(sniffer, "ready"):
            pings_arrive_with_the_last_hop_they_have(reader)
            connections_arrive(reader, file, again)
            senders = set(sniffer.communicate("\n", timeout=60)[0].split())
        assert senders - {GREEN} == set(link.values()), "no frame was the bridge's or a port's own"
        for name, other in (("red", "blue"), ("blue", "red")):
            known = {each["lladdr"] for each in reader.listing(name, "neigh")}
            assert known == {link[other]}
            assert [each["ifname"] for each in reader.listing(name, "link")] == ["lo", "eth0"]
            assert sorted(reader.inside(name, "ls", "/sys/class/net").split()) == ["eth0", "lo"]
            for hidden in ("br0", "to-red", "to-blue", "switch"):
                assert hidden not in reader.inside(name, "ip", "-d", "addr")


def nothing_but_ports_is_in_the_switch(reader: Reader) -> None:
    interfaces = reader.listing("switch", "addr")
    assert {each["ifname"]: each["addr_info"] for each in interfaces if each["ifname"] != "lo"} == {
        "br0": [],
        "to-red": [],
        "to-blue": [],
    }
    masters = {each["ifname"]: each.get("master") for each in interfaces}
    assert masters == {"lo": None, "br0": None, "to-red": "br0", "to-blue": "br0"}
    assert reader.inside("switch", "ip", "route") == ""


def pings_arrive_with_the_last_hop_they_have(reader: Reader) -> None:
    # A router would take one off, and answer for a packet that had only one left.
    assert "ttl=64 " in reader.inside("red", "ping", "-c1", "-W5", "10.0.0.2")
    assert "1 received" in reader.inside("red", "ping", "-c1", "-W5", "-t1", "10.0.0.2")
    assert "1 received" in reader.inside("blue", "ping", "-c1", "-W5", "-t1", "10.0.0.1")


def connections_arrive(reader: Reader, file: Path, again) -> None:
    """Connect both ways; one of the connections lives on while the file changes beside it."""
    for server, address, client, seen in (
        ("blue", "10.0.0.2", "red", "10.0.0.1"),
        ("red", "10.0.0.1", "blue", "10.0.0.2"),
    ):
        listener = reader.start_inside(server, sys.executable, "-P", "-c", LISTENER, address, "7000")
        with waiting(listener, "ready"):
            talking = reader.start_inside(client, sys.executable, "-P", "-c", CLIENT, address, "7000")
            with waiting(talking, f"{server}-host sees {seen}"):
                if server == "blue":
                    a_third_client_comes_and_goes(reader, file)
                assert talking.communicate("still there?\n", timeout=60)[0] == "still there?\n"
    again()


def a_third_client_comes_and_goes(reader: Reader, file: Path) -> None:
    text = file.read_text()
    end = f"{{in: green, name: eth0, addresses: 10.0.0.3/24, mac: '{GREEN}'}}"
    more = f"{end}, {{in: switch, name: to-green, master: br0}}"
    file.write_text(
        text.replace("namespaces:\n", "namespaces:\n  green: {named: false}\n").replace(
            "links:\n", f"links:\n  - veth: [{more}]\n"
        )
    )
    assert reader.net("apply", str(file)).splitlines() == [
        "+ namespace green",
        "+ green/lo loopback",
        f"+ green/eth0 veth, to switch/to-green, {GREEN}",
        "+ switch/to-green veth, to green/eth0, port of br0",
        "+ green/eth0: address 10.0.0.3/24",
        "bridge-between: done (5 to make, 0 to change, 0 to remove)",
    ]
    file.write_text(text)
    assert "- namespace green" in reader.net("apply", str(file)).splitlines()


test_clients_talk_through_a_bridge_of_which_they_see_nothing = told_by_everybody(
    clients_talk_through_a_bridge_of_which_they_see_nothing
)
