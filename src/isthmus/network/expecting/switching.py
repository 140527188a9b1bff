"""What a bridge between two ends lets nothing through for: it is down, or a port may not forward yet."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.expecting.facts import LinkFact
from isthmus.network.expecting.survey import Survey
from isthmus.network.model import Network, Veth

Place = tuple[str, str]

_SOON = "with stp a port waits for twice the bridge's forward-delay, 30 s by default"
_STATES = {
    0: "takes no part in its spanning tree",
    1: f"does not forward yet but listens ({_SOON})",
    2: f"does not forward yet but learns ({_SOON})",
    4: "is blocked by the spanning tree",
}
"""What a port does that does not forward (IEEE 802.1D, 7.4; linux/if_bridge.h)."""


def obstacle(survey: Survey, ends: Iterator[Place]) -> str | None:
    """Say what is in the way at the ports that interfaces are plugged into; None where nothing is seen."""
    for end in ends:
        for namespace, name in _plugs(survey.network, end):
            links = survey.facts(namespace).links
            port = next((link for link in links if link.name == name), None)
            bridge = _bridge(links, port)
            if port is None or bridge is None:
                continue
            if not bridge.up:
                return f"{bridge.name}, the bridge between them, is down in {namespace}"
            told = _STATES.get(port.port_state if port.port_state is not None else -1)
            if told is not None:
                return f"{name}, a port of {bridge.name} in {namespace}, {told}"
    return None


def _plugs(network: Network, end: Place) -> Iterator[Place]:
    """Yield an interface itself, which may be a port, and the other end of its pair."""
    yield end
    for link in network.links:
        if isinstance(link.kind, Veth):
            near, far = link.end, link.kind.peer
            pair = (near.namespace, near.name), (far.namespace, far.name)
            if end in pair:
                yield pair[1 - pair.index(end)]


def _bridge(links: tuple[LinkFact, ...], port: LinkFact | None) -> LinkFact | None:
    if port is None or port.port_state is None:
        return None
    return next((link for link in links if link.index == port.master), None)
