"""Which of many namespaces with one address are near a source: on its wire, or behind fewer routers.

Thinking only, over the links of a network's file. Tenants may overlap by the hundred: what is wrong with the
one that a source can reach is of interest, not what is wrong with the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import lru_cache

from isthmus.network.model import Ipvlan, Macvlan, Network, Veth, Vlan

Place = tuple[str, str]

_SOURCES = 128
"""As many as are looked at together: each takes a number for every namespace."""


class Wires:
    """The interfaces of a network, and what each is joined to without a router."""

    def __init__(self, network: Network) -> None:
        self._joined: dict[Place, list[Place]] = {}
        self._inside: dict[str, list[Place]] = {}
        self._pairs: dict[Place, Place] = {}
        # Asked for again with every question about one source.
        self._far = lru_cache(maxsize=_SOURCES)(self._routers_between)
        for link in network.links:
            near = link.end.namespace, link.end.name
            self._add(near)
            match link.kind:
                case Veth(peer):
                    self._add((peer.namespace, peer.name))
                    self._join(near, (peer.namespace, peer.name))
                    self._pairs[near] = peer.namespace, peer.name
                    self._pairs[peer.namespace, peer.name] = near
                    self._join_master((peer.namespace, peer.name), peer.master)
                case Macvlan() | Ipvlan() | Vlan() as kind:
                    self._join(near, (kind.parent_namespace, kind.parent))
                case _:
                    pass
            self._join_master(near, link.end.master)

    def _add(self, place: Place) -> None:
        self._inside.setdefault(place[0], []).append(place)

    def _join(self, one: Place, other: Place) -> None:
        self._joined.setdefault(one, []).append(other)
        self._joined.setdefault(other, []).append(one)

    def _join_master(self, port: Place, master: str | None) -> None:
        if master is not None:
            self._join(port, (port[0], master))

    def other_end(self, place: Place) -> Place | None:
        """Return the other end of an interface's pair; None where it is no end of one."""
        return self._pairs.get(place)

    def nearest_first(self, source: str, namespaces: Iterable[str]) -> tuple[str, ...]:
        """Return namespaces by how many routers are between, those that nothing leads to last."""
        names = tuple(namespaces)
        if len(names) < 2:
            return names
        far = self._far(source)
        return tuple(sorted(names, key=lambda name: far.get(name, len(self._inside) + 1)))

    def _routers_between(self, source: str) -> dict[str, int]:
        """Walk along wires at no cost, from one interface of a namespace to its others at the cost of one."""
        known: dict[str, int] = {source: 0}
        seen: set[Place] = set()
        waiting = deque((place, 0) for place in self._inside.get(source, ()))
        while waiting:
            place, cost = waiting.popleft()
            if place in seen:
                continue
            seen.add(place)
            waiting.extendleft((each, cost) for each in self._joined.get(place, ()) if each not in seen)
            if place[0] not in known:
                known[place[0]] = cost
                waiting.extend((each, cost + 1) for each in self._inside.get(place[0], ()))
        return known
