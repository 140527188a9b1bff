"""Routing policy rules of a namespace."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from socket import AF_INET, AF_INET6

from isthmus.network.model import Rule
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.message import (
    CREATE,
    RTM_DELRULE,
    RTM_GETRULE,
    RTM_NEWRULE,
    Attributes,
    attributes,
    decoded,
    encoded,
    request,
)
from isthmus.network.objects import RuleObject

_HEAD_SIZE = 12
_FRA_PROTOCOL = 21
_ALL = request(RTM_GETRULE, bytes(_HEAD_SIZE))
_ACTIONS = {"lookup": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_WHOLE_MARK = 0xFFFFFFFF


def adding(rule: RuleObject, protocol: int) -> bytes:
    """Encode the request that adds a rule."""
    return _request(RTM_NEWRULE, CREATE, rule.rule, protocol)


def removing(rule: RuleObject, protocol: int) -> bytes:
    """Encode the request that removes a rule."""
    return _request(RTM_DELRULE, 0, rule.rule, protocol)


def _request(number: int, flags: int, rule: Rule, protocol: int) -> bytes:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg

    told: Attributes = [("FRA_PRIORITY", rule.priority), ("FRA_PROTOCOL", protocol)]
    given = (
        ("FRA_SRC", rule.source and str(rule.source.network_address)),
        ("FRA_DST", rule.destination and str(rule.destination.network_address)),
        ("FRA_FWMARK", rule.mark),
        ("FRA_FWMASK", rule.mask),
        ("FRA_IIFNAME", rule.incoming),
        ("FRA_OIFNAME", rule.outgoing),
        ("FRA_TABLE", rule.table),
    )
    told += [(name, value) for name, value in given if value is not None]
    table = rule.table or 0
    return encoded(
        fibmsg,
        number,
        told,
        flags=flags,
        family=AF_INET if rule.family == 4 else AF_INET6,
        src_len=rule.source.prefixlen if rule.source else 0,
        dst_len=rule.destination.prefixlen if rule.destination else 0,
        table=table if table < 256 else 0,
        action=_ACTIONS[rule.action],
    )


def reading(namespace: str, protocol: int, channel: Channel) -> Iterator[RuleObject]:
    """Read the rules that carry a network's protocol number."""
    for body in channel.bodies(_ALL):
        if _protocol(body) == protocol:
            yield RuleObject(namespace, _rule(body))


def _protocol(body: bytes) -> int | None:
    raw = attributes(body, _HEAD_SIZE).get(_FRA_PROTOCOL)
    return raw[0] if raw else None


def _rule(body: bytes) -> Rule:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg

    found = decoded(fibmsg, body)
    source, destination = found.get_attr("FRA_SRC"), found.get_attr("FRA_DST")
    mark, mask = found.get_attr("FRA_FWMARK"), found.get_attr("FRA_FWMASK")
    actions = {number: name for name, number in _ACTIONS.items()}
    action = actions.get(found["action"], str(found["action"]))
    return Rule(
        priority=found.get_attr("FRA_PRIORITY") or 0,
        family=4 if found["family"] == AF_INET else 6,
        source=ip_network(f"{source}/{found['src_len']}") if source else None,
        destination=ip_network(f"{destination}/{found['dst_len']}") if destination else None,
        mark=mark,
        mask=None if mark is None or mask == _WHOLE_MARK else mask,
        incoming=found.get_attr("FRA_IIFNAME"),
        outgoing=found.get_attr("FRA_OIFNAME"),
        table=(found.get_attr("FRA_TABLE") or found["table"]) if action == "lookup" else None,
        action=action,
    )
