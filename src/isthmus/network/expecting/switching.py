"""What a bridge between two ends lets nothing through for: it is down, or a port may not forward yet."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.expecting.facts import LinkFact
from isthmus.network.expecting.nearness import Place, Wires
from isthmus.network.expecting.survey import Survey

_SOON = "with stp a port waits for twice the bridge's forward-delay, 30 s by default"
_STATES = {
    0: "takes no part in its spanning tree",
    1: f"does not forward yet but listens ({_SOON})",
    2: f"does not forward yet but learns ({_SOON})",
    4: "is blocked by the spanning tree",
}
"""What a port does that does not forward (IEEE 802.1D, 7.4; linux/if_bridge.h)."""


def obstacle(survey: Survey, wires: Wires, ends: Iterator[Place]) -> str | None:
    """Say what is in the way at the ports that interfaces are plugged into; None where nothing is seen."""
    for end in ends:
        for namespace, name in _plugs(wires, end):
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


def _plugs(wires: Wires, end: Place) -> Iterator[Place]:
    """Yield an interface itself, which may be a port, and the other end of its pair."""
    yield end
    other = wires.other_end(end)
    if other is not None:
        yield other


def _bridge(links: tuple[LinkFact, ...], port: LinkFact | None) -> LinkFact | None:
    if port is None or port.port_state is None:
        return None
    return next((link for link in links if link.index == port.master), None)
