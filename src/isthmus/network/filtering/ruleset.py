"""From what a namespace should do to the text of its nftables table. Thinks only; `kernel` acts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from isthmus.network.filtering.canonical import Json, canonical_text
from isthmus.network.filtering.expressions import AnyNetwork, Expressions
from isthmus.network.filtering.firewall import firewall_chains
from isthmus.network.filtering.former import former_chains, former_rule
from isthmus.network.filtering.interception import interception_rules
from isthmus.network.filtering.translation import incoming_rules, leaving_rules, own_rules
from isthmus.network.model import Namespace, Nat
from isthmus.network.objects import Ruleset

FAMILY = "inet"

# The kernel's own points on each hook (nft(8), "priority"): mangle, dstnat, filter, srcnat.
_MANGLE, _TO, _FILTER, _FROM = -150, -100, 0, 100

# What a chain is, and what its rules are.
_Chain = tuple[dict[str, object], list[dict[str, object]]]


def table_name(network: str) -> str:
    """Return the name of a network's table."""
    return "isthmus_" + re.sub(r"[^A-Za-z0-9_]", "_", network)


def wanted_ruleset(
    namespace: Namespace,
    network: str,
    former: Mapping[str, str] = {},
    connected: Sequence[AnyNetwork] = (),
) -> Ruleset | None:
    """Return the table that a namespace should have, None where it needs none.

    `former` are sysctls to be put back on down, which the table keeps. `connected` are the prefixes
    of the namespace's own links: clients there reach a forwarded port of a neighbour through us.
    """
    chains = [*_chains(namespace, connected), *_former(former)]
    if not chains:
        return None
    place = {"family": FAMILY, "table": table_name(network)}
    objects: list[Json] = [{"table": {"family": FAMILY, "name": table_name(network)}}]
    objects += [{"chain": {**place, **chain}} for chain, _ in chains]
    objects += [
        {"rule": {**place, "chain": chain["name"], **rule}} for chain, rules in chains for rule in rules
    ]
    return Ruleset(namespace.name, canonical_text(objects))


def _chains(namespace: Namespace, connected: Sequence[AnyNetwork]) -> Iterator[_Chain]:
    intercepted = interception_rules(namespace.interceptions)
    if intercepted:
        yield _chain("intercept", "filter", "prerouting", _MANGLE, intercepted)
    if namespace.nat is not None:
        yield from _nat_chains(namespace.nat, connected)
    if namespace.firewall is not None:
        for hook, policy, rules in firewall_chains(namespace.firewall):
            yield _chain(hook, "filter", hook, _FILTER, rules, policy)


def _nat_chains(nat: Nat, connected: Sequence[AnyNetwork]) -> Iterator[_Chain]:
    for name, hook, priority, rules in (
        ("forward_incoming", "prerouting", _TO, incoming_rules(nat)),
        ("forward_own", "output", _TO, own_rules(nat)),
        ("masquerade", "postrouting", _FROM, leaving_rules(nat, connected)),
    ):
        if rules:
            yield _chain(name, "nat", hook, priority, rules)


def _chain(
    name: str, kind: str, hook: str, priority: int, rules: list[Expressions], policy: str = "accept"
) -> _Chain:
    chain: dict[str, object] = {"name": name, "type": kind, "hook": hook, "prio": priority, "policy": policy}
    return chain, [{"expr": rule} for rule in rules]


def _former(former: Mapping[str, str]) -> Iterator[_Chain]:
    for name, comments in former_chains(former):
        yield {"name": name}, [former_rule(comment) for comment in comments]
