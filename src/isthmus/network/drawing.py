"""What `isthmus net show` draws: networks as they are, or as a file wants them, in one of the formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isthmus.network import picture
from isthmus.network.building import wanted_state
from isthmus.network.desired import spaces
from isthmus.network.machine import machine
from isthmus.network.marked import networks_here
from isthmus.network.model import Network
from isthmus.network.objects import State
from isthmus.network.observed import observe
from isthmus.network.picture import Graph
from isthmus.network.services import read_services


class SeveralError(Exception):
    """A format that holds one network was asked for, and there are several, or none."""


def draw(
    networks: Sequence[Network] | None, form: str, *, wanted: bool, every: bool, ascii_only: bool
) -> str:
    """Draw networks, all that are here where None; SeveralError where the format holds one only."""
    chosen = [Network(name) for name in networks_here()] if networks is None else networks
    graphs = [picture.graph(wanted_state(each, {}) if wanted else found_state(each)) for each in chosen]
    if form == "json":
        documents = [picture.as_json(each).rstrip("\n") for each in graphs]
        return f"[{', '.join(documents)}]" if networks is None else documents[0]
    drawings: dict[str, Callable[[Graph], str]] = {
        "tree": lambda graph: picture.tree(graph, every=every, ascii_only=ascii_only),
        "mermaid": lambda graph: picture.mermaid(graph, every=every),
        "dot": lambda graph: picture.dot(graph, every=every),
        "svg": lambda graph: picture.svg(graph, every=every),
    }
    if form != "tree" and len(graphs) != 1:
        names = ", ".join(each.name for each in chosen) or "there is none"
        raise SeveralError(f"--format {form} draws one network: name one ({names})")
    if not graphs:
        return "no networks here"
    return "\n\n".join(drawings[form](graph).rstrip("\n") for graph in graphs)


def found_state(network: Network) -> State:
    """Read what is there of a network, its services with it."""
    with machine(spaces(network).values()) as opened:
        state = observe(network, opened).state
    for service in read_services(network.name):
        state.objects[service.key] = service
    return state
