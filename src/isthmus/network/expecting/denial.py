"""Which rule of a network's own firewalls keeps a flow from passing. Pure: the model in, words out."""

from __future__ import annotations

from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.model import Chain, Firewall, FirewallRule, Namespace
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """What is sent. `protocol` is icmp, tcp or udp; `source` None where it is not known."""

    source: IpAddress | None
    destination: IpAddress
    protocol: str
    port: int = 0


def denial(namespace: Namespace, direction: str, flow: Flow) -> str | None:
    """Say what in a namespace's firewall denies a flow in a direction (input, forward, output)."""
    chain = _chain(namespace.firewall, direction)
    if chain is None or flow.destination.is_loopback:
        return None
    name = f"the firewall of {namespace.name}"
    for rule in chain.rules:
        if _matches(rule, flow):
            if rule.allow:
                return None
            where = f" ({rule.span.file}:{rule.span.line})" if rule.span is not None else ""
            return f"{name} denies it on {direction}: a deny rule{where}"
    return None if chain.allow_by_default else f"{name} denies it on {direction}: no rule allows it"


def _chain(firewall: Firewall | None, direction: str) -> Chain | None:
    if firewall is None:
        return None
    return {"input": firewall.input, "forward": firewall.forward, "output": firewall.output}[direction]


def _matches(rule: FirewallRule, flow: Flow) -> bool:
    """Match what is known of a flow; by which interface it comes is not, and counts as a match."""
    if rule.sources and (flow.source is None or not any(flow.source in net for net in rule.sources)):
        return False
    if rule.destinations and not any(flow.destination in net for net in rule.destinations):
        return False
    if rule.icmp:
        return flow.protocol == "icmp"
    if not rule.ports:
        return True
    return any(
        ports.protocol == flow.protocol and ports.first <= flow.port <= ports.last for ports in rule.ports
    )
