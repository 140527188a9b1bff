"""What a model of a namespace becomes in nft's words; the kernel's answer is tested in tests/netns."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network

import pytest

from isthmus.network.filtering import FilteringError, interception_objects, missing_reason, table_name
from isthmus.network.filtering import nft as nft_module
from isthmus.network.filtering import wanted_ruleset as wanted
from isthmus.network.filtering.canonical import canonical_text
from isthmus.network.filtering.former import former_settings
from isthmus.network.model import (
    Chain,
    Firewall,
    FirewallRule,
    Interception,
    Masquerade,
    Namespace,
    Nat,
    PortForward,
    Ports,
    Route,
    Rule,
)
from isthmus.network.objects import RouteObject, RuleObject

TCP_80 = Ports("tcp", 80, 80)
FOUR, SIX = ip_address("10.0.0.2"), ip_address("2001:db8::2")
TEN = ip_network("10.0.0.0/8")
ZONE = ip_network("2001:db8::/32")


def shown(namespace: Namespace, **more: object) -> list[str]:
    """The rules as one short line each: chain, then each expression."""
    ruleset = wanted(namespace, "demo", **more)
    assert ruleset is not None
    lines = []
    for text in ruleset.text.splitlines():
        rule = json.loads(text)["add"].get("rule")
        if rule:
            lines.append(" ".join([rule["chain"] + ":", *(_short(each) for each in rule["expr"])]))
    return lines


def _short(expression: dict) -> str:
    ((kind, body),) = expression.items()
    if kind == "match":
        return f"{_left(body['left'])}{body['op']}{_value(body['right'])}"
    if kind == "mangle":
        return f"mark={body['value']}"
    return f"{kind}({_value(body)})" if body else kind


def _left(left: dict) -> str:
    ((kind, body),) = left.items()
    match kind:
        case "payload":
            return f"{body['protocol']}.{body['field']}"
        case "fib":
            return f"{'.'.join(body['flags'])}.{body['result']}"
        case "meta":
            return body["key"]
    return f"{kind}.{body['key']}"


def _value(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).replace('"', "")


def firewall(*rules: FirewallRule, **more: object) -> Namespace:
    return Namespace("red", firewall=Firewall(forward=Chain(False, rules), stateful=False, **more))


def rule_lines(*rules: FirewallRule) -> list[str]:
    return [line.removeprefix("forward: ") for line in shown(firewall(*rules))]


FIREWALL_RULES = {
    "anything": (FirewallRule(True), ["accept"]),
    "a denial drops": (FirewallRule(False), ["drop"]),
    "one prefix": (
        FirewallRule(True, (TEN,)),
        ["ip.saddr=={prefix:{addr:10.0.0.0,len:8}} accept"],
    ),
    "an address": (
        FirewallRule(True, (), (ip_network("10.0.0.2/32"),)),
        ["ip.daddr==10.0.0.2 accept"],
    ),
    "a rule for each family": (
        FirewallRule(True, (TEN, ZONE)),
        [
            "ip.saddr=={prefix:{addr:10.0.0.0,len:8}} accept",
            "ip6.saddr=={prefix:{addr:2001:db8::,len:32}} accept",
        ],
    ),
    "families that never meet": (FirewallRule(True, (TEN,), (ZONE,)), []),
    "neighbours are one range": (
        FirewallRule(True, (ip_network("10.0.1.0/24"), ip_network("10.0.2.0/24"))),
        ["ip.saddr=={range:[10.0.1.0,10.0.2.255]} accept"],
    ),
    "all of a family": (FirewallRule(True, (ip_network("0.0.0.0/0"),)), ["nfproto==ipv4 accept"]),
    "ports per protocol": (
        FirewallRule(True, ports=(Ports("udp", 53, 53), TCP_80, Ports("tcp", 8000, 8010))),
        [
            "tcp.dport=={set:[80,{range:[8000,8010]}]} accept",
            "udp.dport==53 accept",
        ],
    ),
    "icmp of both families": (FirewallRule(True, icmp=True), ["l4proto=={set:[1,58]} accept"]),
    "links": (
        FirewallRule(True, incoming="eth0", outgoing="eth1"),
        ["iifname==eth0 oifname==eth1 accept"],
    ),
}


@pytest.mark.parametrize("case", FIREWALL_RULES)
def test_a_firewall_rule_becomes_nft_rules(case):
    rule, expected = FIREWALL_RULES[case]
    assert rule_lines(rule) == expected


def test_state_comes_first_and_loopback_and_discovery_are_always_let_through():
    lines = shown(Namespace("red", firewall=Firewall(input=Chain(False), output=Chain(False))))
    assert lines[0] == "input: ct.state=={set:[]} accept".replace("=={set:[]}", "in[established,related]")
    assert lines[1] == "input: iifname==lo accept"
    assert "nd-neighbor-solicit" in lines[2]
    assert lines[4] == "output: oifname==lo accept"
    assert len(lines) == 6


def test_only_the_directions_that_are_named_have_a_chain():
    ruleset = wanted(firewall(), "demo")
    assert ruleset is not None
    assert ruleset.text.splitlines() == [
        '{"add":{"table":{"family":"inet","name":"isthmus_demo"}}}',
        '{"add":{"chain":{"family":"inet","hook":"forward","name":"forward","policy":"drop","prio":0,'
        '"table":"isthmus_demo","type":"filter"}}}',
    ]


def test_a_namespace_without_filtering_wants_no_table():
    assert wanted(Namespace("red", nat=Nat()), "demo") is None


def test_a_forward_serves_the_outside_and_the_namespace_itself():
    assert shown(Namespace("red", nat=Nat(forwards=(PortForward(TCP_80, FOUR, 81),)))) == [
        "forward_incoming: nfproto==ipv4 daddr.type==local tcp.dport==80"
        " dnat({addr:10.0.0.2,family:ip,port:81})",
        "forward_own: ip.daddr!={prefix:{addr:127.0.0.0,len:8}} daddr.type==local"
        " tcp.dport==80 dnat({addr:10.0.0.2,family:ip,port:81})",
        "masquerade: oifname!=lo ct.statusindnat ip.daddr==10.0.0.2 saddr.type==local"
        " tcp.dport==81 masquerade",
    ]


def test_a_forward_by_one_link_is_not_for_the_namespace_itself():
    forward = PortForward(TCP_80, SIX, None, "eth0", ip_address("2001:db8::1"))
    assert shown(Namespace("red", nat=Nat(forwards=(forward,)))) == [
        "forward_incoming: iifname==eth0 ip6.daddr==2001:db8::1 tcp.dport==80"
        " dnat({addr:2001:db8::2,family:ip6})",
    ]


def test_a_client_beside_the_target_is_masqueraded():
    forward = PortForward(TCP_80, FOUR, None, "eth0")
    lines = shown(Namespace("red", nat=Nat(forwards=(forward,))), connected=(TEN, ZONE))
    assert lines[1:] == [
        "masquerade: ct.statusindnat ip.saddr=={prefix:{addr:10.0.0.0,len:8}}"
        " ip.daddr==10.0.0.2 tcp.dport==80 masquerade",
    ]


def test_masquerading_by_any_link_leaves_loopback_out():
    nat = Nat((Masquerade(), Masquerade("eth0", (TEN,))))
    assert shown(Namespace("red", nat=nat)) == [
        "masquerade: oifname!=lo masquerade",
        "masquerade: oifname==eth0 ip.saddr=={prefix:{addr:10.0.0.0,len:8}} masquerade",
    ]


def test_established_sockets_come_before_interception():
    assert shown(Namespace("red", interceptions=(Interception(TCP_80, 3129, mark=7),))) == [
        "intercept: l4proto=={set:[17,6]} socket.transparent==1 socket.wildcard==0 mark=7 accept",
        "intercept: daddr.type!={set:[broadcast,local,multicast]} tcp.dport==80"
        " tproxy({port:3129}) mark=7 accept",
    ]


def test_an_address_or_a_prefix_restricts_interception_to_its_family():
    to = Interception(TCP_80, 3129, ip_address("127.0.0.1"), incoming="eth0")
    of = Interception(TCP_80, 3129, sources=(ZONE,), destinations=(ip_network("::/0"),))
    assert shown(Namespace("red", interceptions=(to, of)))[1:] == [
        "intercept: iifname==eth0 nfproto==ipv4 daddr.type!={set:[broadcast,local,multicast]}"
        " tcp.dport==80 tproxy({addr:127.0.0.1,family:ip,port:3129}) mark=1 accept",
        "intercept: ip6.saddr=={prefix:{addr:2001:db8::,len:32}}"
        " tcp.dport==80 tproxy({family:ip6,port:3129}) mark=1 accept",
    ]


def test_interception_brings_its_rules_and_routes_once_per_family():
    both = Interception(TCP_80, 1)
    six = Interception(TCP_80, 2, SIX, mark=2, table=102)
    found = interception_objects(Namespace("red", interceptions=(both, both, six)))
    six_to = ip_network("::/0")
    assert found == [
        RuleObject("red", Rule(9000, 4, mark=1, table=100)),
        RouteObject("red", Route(ip_network("0.0.0.0/0"), device="lo", table=100, kind="local")),
        RuleObject("red", Rule(9000, 6, mark=1, table=100)),
        RouteObject("red", Route(six_to, device="lo", table=100, kind="local")),
        RuleObject("red", Rule(9000, 6, mark=2, table=102)),
        RouteObject("red", Route(six_to, device="lo", table=102, kind="local")),
    ]


def test_the_tables_name_keeps_to_what_nft_allows():
    assert table_name("my-lab.2") == "isthmus_my_lab_2"


def test_former_sysctls_are_read_from_the_text_that_keeps_them():
    settings = {"net.ipv4.ip_forward": "0", "net.ipv4.tcp_rmem": "4096 " * 40 + "=1"}
    ruleset = wanted(Namespace("host"), "demo", settings)
    assert ruleset is not None
    assert former_settings([json.loads(line)["add"] for line in ruleset.text.splitlines()]) == settings


LISTED = [
    ({"set": [{"range": ["10.0.0.0", "10.255.255.255"]}]}, {"prefix": {"addr": "10.0.0.0", "len": 8}}),
    ({"set": ["10.0.0.2", "10.0.0.1"]}, {"range": ["10.0.0.1", "10.0.0.2"]}),
    ({"set": ["10.0.0.2", "10.0.0.3"]}, {"prefix": {"addr": "10.0.0.2", "len": 31}}),
    ("@named", "@named"),
    ({"set": [{"elem": {"val": "10.0.0.1"}}]}, {"set": [{"elem": {"val": "10.0.0.1"}}]}),
]


@pytest.mark.parametrize(("listed", "canonical"), LISTED)
def test_what_nft_lists_takes_one_form(listed, canonical):
    left = {"payload": {"protocol": "ip", "field": "saddr"}}
    rule = {"handle": 7, "expr": [{"match": {"op": "==", "left": left, "right": listed}}]}
    body = json.loads(canonical_text([{"rule": rule}]))["add"]["rule"]
    assert body == {"expr": [{"match": {"op": "==", "left": left, "right": canonical}}]}


def test_without_nftables_the_package_is_named(monkeypatch):
    monkeypatch.setattr(nft_module, "_library", lambda: None)
    monkeypatch.setattr(nft_module, "_program", lambda: None)
    assert missing_reason() == "nftables is not installed (Debian package nftables)"
    with pytest.raises(FilteringError, match="nftables: not installed"):
        nft_module.run("{}")


SAID = {
    "internal:0:0-0: Error: Could not process rule: No such file or directory\n\n": (
        "Could not process rule: No such file or directory"
    ),
    "netlink: Error: cache initialization failed: Operation not permitted\n": (
        "not permitted here: it takes root, or CAP_NET_ADMIN in the namespace"
    ),
    "": "failed without a word",
}


@pytest.mark.parametrize("complaint", SAID)
def test_what_nft_says_is_told_plainly(monkeypatch, complaint):
    monkeypatch.setattr(nft_module, "_library", lambda: None)
    monkeypatch.setattr(nft_module, "_as_program", lambda command, dry: (True, "", complaint))
    with pytest.raises(FilteringError) as caught:
        nft_module.run("{}")
    assert caught.value.said == SAID[complaint]
