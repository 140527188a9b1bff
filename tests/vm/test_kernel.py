"""The machine's kernel has what `isthmus net` may ask for, as `ip`, `tc` and `nft` ask for it.

Where one of these fails, the others in this folder say nothing about Isthmus.
"""

from __future__ import annotations

from .ground import Ground, run

KINDS = {
    "dummy": "",
    "bridge": "vlan_filtering 1",
    "veth": "peer name other",
    "vlan": "id 10",
    "macvlan": "mode bridge",
    "ipvlan": "mode l2",
    "vxlan": "id 7 dstport 4789 remote 192.0.2.1",
    "vrf": "table 10",
    "wireguard": "",
    "ifb": "",
}
PARENTS = {"vlan": "one", "macvlan": "two", "ipvlan": "three"}
DISCIPLINES = {"one": "netem delay 10ms", "two": "tbf rate 1mbit burst 10k latency 50ms", "three": "htb"}
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


def test_interfaces_of_every_kind_can_be_made_and_shaped(ground: Ground) -> None:
    ground.add("red")
    lines = [f"link add {name} type dummy" for name in PARENTS.values()]
    for kind, words in KINDS.items():
        parent = f"link {PARENTS[kind]} " if kind in PARENTS else ""
        lines.append(f"link add {parent}name made-{kind} type {kind} {words}")
    run("ip", "-n", "red", "-batch", "-", told="\n".join(lines))
    queues = "\n".join(f"qdisc add dev {name} root {words}" for name, words in DISCIPLINES.items())
    run("tc", "-n", "red", "-batch", "-", told=queues)


def test_rules_of_every_sort_are_taken(ground: Ground) -> None:
    ground.add("red")
    run("ip", "netns", "exec", "red", "nft", "-f", "-", told=RULES)
    assert "tproxy" in run("ip", "netns", "exec", "red", "nft", "list", "ruleset")
