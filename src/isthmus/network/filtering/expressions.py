"""The words of nft's JSON (libnftables-json(5)) that our rules are made of.

Protocols are numbers: their names come from /etc/protocols, which small systems lack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses

from isthmus.network.model import Ports

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network

Expression = dict[str, object]
Expressions = list[Expression]

ACCEPT: Expression = {"accept": None}
DROP: Expression = {"drop": None}
MASQUERADE: Expression = {"masquerade": None}
RETURN: Expression = {"return": None}

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58


def match(left: Expression, right: object, operator: str = "==") -> Expression:
    """One condition of a rule; `in` is the operator for sets of flags."""
    return {"match": {"op": operator, "left": left, "right": right}}


def meta(key: str, right: object, operator: str = "==") -> Expression:
    """Return a condition on what the kernel knows of a packet beside its bytes."""
    return match({"meta": {"key": key}}, right, operator)


def links(incoming: str | None, outgoing: str | None = None) -> Expressions:
    """Return the conditions on the links that a packet enters and leaves by; None is any."""
    named = (("iifname", incoming), ("oifname", outgoing))
    return [meta(key, name) for key, name in named if name is not None]


def family(version: int) -> Expression:
    """Return the condition that a packet is of IPv4 or IPv6."""
    return meta("nfproto", f"ipv{version}")


def family_word(version: int) -> str:
    """Return what nft calls IPv4 or IPv6 outside conditions."""
    return "ip" if version == 4 else "ip6"


def address_type(field: str, kinds: str | Sequence[str], operator: str = "==") -> Expression:
    """Return the condition on what an address (saddr or daddr) is to this namespace: local, multicast..."""
    right = kinds if isinstance(kinds, str) else {"set": list(kinds)}
    return match({"fib": {"result": "type", "flags": [field]}}, right, operator)


def address(field: str, value: AnyAddress | AnyNetwork, operator: str = "==") -> Expression:
    """Return the condition that saddr or daddr is an address, or lies in a prefix."""
    protocol = family_word(value.version)
    right = str(value) if isinstance(value, IPv4Address | IPv6Address) else _prefix(value)
    return match({"payload": {"protocol": protocol, "field": field}}, right, operator)


def between(
    sources: Sequence[AnyNetwork], destinations: Sequence[AnyNetwork], only: int | None = None
) -> Iterator[Expressions]:
    """Yield the conditions of one rule for each family in which both ends can match; empty is any.

    `only` restricts it to one family, 4 or 6.
    """
    sides = [(field, side) for field, side in (("saddr", sources), ("daddr", destinations)) if side]
    if not sides:
        yield [] if only is None else [family(only)]
        return
    for version in (4, 6) if only is None else (only,):
        chosen = [(field, [one for one in side if one.version == version]) for field, side in sides]
        if all(side for _, side in chosen):
            found = [each for field, side in chosen for each in _inside(field, side)]
            yield found or [family(version)]


def away_from(networks: Sequence[AnyNetwork]) -> Expressions:
    """Return the condition that the destination is in none of some networks of one family.

    None where they hold every address: nothing would be left.
    """
    return _inside("daddr", networks, "!=") if networks else []


def destination_ports(ports: Iterable[Ports]) -> Iterator[Expression]:
    """Yield one condition for each protocol among some ports."""
    chosen = tuple(ports)
    for protocol in ("tcp", "udp"):
        ranges = [{"range": [one.first, one.last]} for one in chosen if one.protocol == protocol]
        if ranges:
            yield match({"payload": {"protocol": protocol, "field": "dport"}}, {"set": ranges})


def _inside(field: str, networks: Sequence[AnyNetwork], operator: str = "==") -> Expressions:
    four = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    six = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    collapsed: list[AnyNetwork] = [*four, *six]
    # nft writes a condition on no bit of an address in a way of its own; none at all says the same.
    if any(one.prefixlen == 0 for one in collapsed):
        return []
    protocol = family_word(collapsed[0].version)
    right = {"set": [_prefix(one) for one in collapsed]}
    return [match({"payload": {"protocol": protocol, "field": field}}, right, operator)]


def _prefix(network: AnyNetwork) -> Expression:
    return {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}
