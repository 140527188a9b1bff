"""Rules in nft's own words, as a plan shows them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from isthmus.network.filtering import in_words
from isthmus.network.filtering import wanted_ruleset as wanted
from isthmus.network.filtering.canonical import canonical_text
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
)

FOUR = ip_address("10.0.0.2")
TEN = ip_network("10.0.0.0/8")

MATCHES = {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}
WORDS = [
    ({"table": {"family": "inet", "name": "isthmus_a"}}, "table isthmus_a"),
    ({"chain": {"name": "former_0"}}, "chain former_0"),
    (
        {"chain": {"name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
        "chain input (type filter hook input priority 0, policy drop)",
    ),
    ({"rule": {"chain": "a", "expr": [{"match": MATCHES}, {"accept": None}]}}, "a: tcp dport 80 accept"),
    (
        {"rule": {"chain": "a", "expr": [{"dnat": {"family": "ip6", "addr": "fd00::1", "port": 53}}]}},
        "a: dnat ip6 to [fd00::1]:53",
    ),
    ({"rule": {"chain": "a", "comment": "x=1", "expr": [{"return": None}]}}, 'a: return comment "x=1"'),
]


@pytest.mark.parametrize(("made", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_plan_tells_rules_in_nfts_own_words(made, words):
    assert in_words(canonical_text([made])) == words


def test_every_rule_of_ours_has_words_and_what_is_foreign_stays_as_it_is():
    namespace = Namespace(
        "red",
        nat=Nat((Masquerade("e0", (TEN,)),), (PortForward(Ports("tcp", 80, 90), FOUR, None, "e0"),)),
        firewall=Firewall(Chain(False, (FirewallRule(True, (TEN,), (), (Ports("udp", 53, 53),)),))),
        interceptions=(Interception(Ports("tcp", 443, 443), 8443),),
    )
    ruleset = wanted(namespace, "net", {"net.a": "1"}, (TEN,))
    assert ruleset is not None
    for line in ruleset.text.splitlines():
        assert not in_words(line).startswith("{")
    for foreign in (
        '{"add":{"set":{"name":"s"}}}',
        '{"add":{"rule":{"chain":"a","expr":[{"log":null}]}}}',
        "no JSON",
    ):
        assert in_words(foreign) == foreign
