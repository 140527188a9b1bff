"""The machine's kernel has what `isthmus net` may ask for, and pyroute2 makes it.

Where one of these fails, the others in this folder say nothing about Isthmus.
"""

from __future__ import annotations

import pytest
from pyroute2 import IPRoute

from .ground import Ground, inside, run

KINDS = {
    "dummy": {},
    "bridge": {"br_vlan_filtering": 1},
    "veth": {"peer": "other"},
    "vlan": {"vlan_id": 10},
    "macvlan": {"macvlan_mode": "bridge"},
    "ipvlan": {"ipvlan_mode": 0},
    "vxlan": {"vxlan_id": 7, "vxlan_port": 4789},
    "vrf": {"vrf_table": 10},
    "wireguard": {},
    "ifb": {},
}
STACKED = {"vlan", "macvlan", "ipvlan"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interface_of_each_kind_can_be_made(ground: Ground, kind: str) -> None:
    ground.add("red")
    assert inside("red", lambda: kind_as_made(kind, KINDS[kind])) == kind


def kind_as_made(kind: str, settings: dict[str, object]) -> str:
    with IPRoute() as netlink:
        if kind in STACKED:
            netlink.link("add", ifname="parent", kind="dummy")
            settings = {**settings, "link": netlink.link_lookup(ifname="parent")[0]}
        netlink.link("add", ifname="made", kind=kind, **settings)
        (made,) = netlink.link("get", ifname="made")
        return made.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")


DISCIPLINES = {
    "netem": {"delay": 10000},
    "tbf": {"rate": 125000, "burst": 10000, "latency": "50ms"},
    "htb": {},
}


@pytest.mark.parametrize("kind", DISCIPLINES)
def test_an_interface_can_be_shaped(ground: Ground, kind: str) -> None:
    ground.add("red")
    assert kind in inside("red", lambda: disciplines_after_adding(kind))


def disciplines_after_adding(kind: str) -> list[str]:
    with IPRoute() as netlink:
        netlink.link("add", ifname="made", kind="dummy")
        (index,) = netlink.link_lookup(ifname="made")
        netlink.tc("add", kind, index, 0x10000, **DISCIPLINES[kind])
        return [each.get_attr("TCA_KIND") for each in netlink.get_qdiscs(index=index)]


RULES = """
table inet every {
  chain translated { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
  chain forwarded { type nat hook prerouting priority dstnat; tcp dport 80 dnat ip to 10.0.0.1:8080; }
  chain diverted {
    type filter hook prerouting priority mangle;
    meta l4proto tcp socket transparent 1 meta mark set 1 accept
    meta l4proto tcp tproxy ip to 127.0.0.1:3129 meta mark set 1
  }
  chain kept { type filter hook input priority filter; ct state established accept; tcp dport 9 reject; }
}
"""


def test_rules_of_every_sort_are_taken(ground: Ground, tmp_path) -> None:
    ground.add("red")
    file = tmp_path / "rules"
    file.write_text(RULES)
    run("ip", "netns", "exec", "red", "nft", "-f", str(file))
    assert "tproxy" in run("ip", "netns", "exec", "red", "nft", "list", "ruleset")
