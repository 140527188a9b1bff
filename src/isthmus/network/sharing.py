"""What is whose in a namespace that networks share, where two of them have the same protocol number.

There are few such numbers (`netlink.mark`), so that one of some fifty networks has another's. Then an
interface's mark says whose a route or a neighbour on it is. What hangs on no interface of a network, as a
rule or a route that refuses, is taken for this network's where its file has it: rather is something of
this network's left than something of another's removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isthmus.network.desired import all_namespaces, desired
from isthmus.network.difference import satisfies
from isthmus.network.filtering import interception_objects
from isthmus.network.model import OUTSIDE, Network
from isthmus.network.netlink.mark import Mark, protocol_of
from isthmus.network.objects import NeighbourObject, Object, RouteObject, RuleObject
from isthmus.network.spaces import OWN_FOLDER

Numbered = RouteObject | RuleObject | NeighbourObject


class Sharing:
    """Knows which other networks there are, and tells what is this one's."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._protocol = protocol_of(network.name)
        self._clashing = False
        self._wanted: dict[tuple[str, ...], Object] | None = None
        folder = OWN_FOLDER / "net"
        self.meet(path.name for path in (folder.iterdir() if folder.is_dir() else ()))

    def meet(self, networks: Iterable[str]) -> None:
        """Learn of networks that there are."""
        own = self._network.name
        self._clashing |= any(protocol_of(name) == self._protocol for name in networks if name != own)

    def is_ours(self, found: Numbered, marks: Mapping[str, Mark]) -> bool:
        """Say whether what has our number is ours; `marks` are those of the namespace's interfaces."""
        if not self._clashing:
            return True
        mark = marks.get(_device(found) or "")
        if mark is not None:
            return mark.network == self._network.name
        if self._wanted is None:
            self._wanted = _wanted(self._network)
        wanted = self._wanted.get(found.key)
        return wanted is not None and satisfies(found, wanted)


def _device(found: Numbered) -> str | None:
    match found:
        case RouteObject(route=route):
            return route.device
        case NeighbourObject(neighbour=neighbour):
            return neighbour.device
        case RuleObject(rule=rule):
            return rule.incoming or rule.outgoing


def _wanted(network: Network) -> dict[tuple[str, ...], Object]:
    objects: dict[tuple[str, ...], Object] = dict(desired(network).objects)
    for namespace in all_namespaces(network):
        if namespace.name != OUTSIDE:
            objects.update((each.key, each) for each in interception_objects(namespace))
    return objects
