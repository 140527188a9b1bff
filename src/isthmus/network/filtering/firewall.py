"""A namespace's firewall as nft rules: three chains at most, the first rule that matches decides.

The filter sees addresses and ports as they are after a port forward, and a connection that is
intercepted as one that comes in: neither is let through by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.filtering.expressions import (
    ACCEPT,
    DROP,
    ICMP,
    ICMPV6,
    Expression,
    Expressions,
    between,
    destination_ports,
    links,
    match,
    meta,
)
from isthmus.network.model import Chain, Firewall, FirewallRule

# Without these IPv6 finds neither its neighbours nor its router (RFC 4861). The multicast listener messages
# (RFC 2710, RFC 3810) belong to it: a switch that snoops sends solicitations only to those who reported.
DISCOVERY = (
    "nd-router-solicit",
    "nd-router-advert",
    "nd-neighbor-solicit",
    "nd-neighbor-advert",
    "nd-redirect",
    "mld-listener-query",
    "mld-listener-report",
    "mld-listener-done",
    "mld2-listener-report",
)


def firewall_chains(firewall: Firewall) -> Iterator[tuple[str, str, list[Expressions]]]:
    """Yield each direction that is filtered: its hook, its policy, its rules."""
    directions = (("input", firewall.input), ("forward", firewall.forward), ("output", firewall.output))
    for hook, chain in directions:
        if chain is not None:
            policy = "accept" if chain.allow_by_default else "drop"
            yield hook, policy, [*_always(hook, firewall.stateful), *_rules(chain)]


def _always(hook: str, stateful: bool) -> Iterator[Expressions]:
    if stateful:
        state: Expression = {"ct": {"key": "state"}}
        yield [match(state, ["established", "related"], "in"), ACCEPT]
    if hook == "forward":
        return
    yield [meta("iifname" if hook == "input" else "oifname", "lo"), ACCEPT]
    kind: Expression = {"payload": {"protocol": "icmpv6", "field": "type"}}
    yield [match(kind, {"set": list(DISCOVERY)}), ACCEPT]


def _rules(chain: Chain) -> Iterator[Expressions]:
    for rule in chain.rules:
        verdict = ACCEPT if rule.allow else DROP
        for ends in between(rule.sources, rule.destinations):
            for what in _protocols(rule):
                yield [*links(rule.incoming, rule.outgoing), *ends, *what, verdict]


def _protocols(rule: FirewallRule) -> Iterator[Expressions]:
    if rule.icmp:
        yield [meta("l4proto", {"set": [ICMP, ICMPV6]})]
    for ports in destination_ports(rule.ports):
        yield [ports]
    if not rule.icmp and not rule.ports:
        yield []
