"""Folds what is alike but for its numbers: 200 tenants become one group that says how many it is.

Alike means: the same texts once numbers are left out, and tied in the same way to the same things, or
to things that are folded in their turn. So a tenant that differs in one respect (an interface that
is down, a service that failed) stands by itself, and so does its port on the bridge.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from isthmus.network.picture.shape import Edge, Gateway, Graph, Group, Node, NodeKey, Running, Tie, natural
from isthmus.records import replace

LEAST = 5
"""Fewer alike ones than this are shown each: one reads four boxes faster than a range."""

K = TypeVar("K", bound=Hashable)

_NUMBERS = re.compile(r"\d+")


def folded(graph: Graph, least: int = LEAST) -> Graph:
    """Return the graph with alike namespaces, and alike interfaces of one namespace, folded into one."""
    partition = _Partition(graph, least)
    partition.refine()
    groups: defaultdict[int, list[Group]] = defaultdict(list)
    for group in graph.groups:
        groups[partition.groups[group.name]].append(group)
    made = [_fold_groups(members, partition.nodes) for members in groups.values()]
    renamed = {old: new for _, names in made for old, new in names.items()}
    counted: Counter[tuple[Tie, NodeKey, NodeKey]] = Counter()
    for edge in graph.edges:
        ends = (renamed.get(edge.source, edge.source), renamed.get(edge.target, edge.target))
        counted[(edge.tie, *ends)] += edge.count
    edges = tuple(Edge(*parts, count=count) for parts, count in counted.items())
    return Graph(graph.network, tuple(group for group, _ in made), edges)


class _Partition:
    """Which groups, and which nodes, are of one kind: numbers that get finer with every round."""

    def __init__(self, graph: Graph, least: int) -> None:
        self._graph, self._least = graph, least
        nodes = {node.key: _node_text(node) for group in graph.groups for node in group.nodes}
        nodes.update({("", name): ("far", name) for name in graph.far_ends})
        self.nodes: dict[NodeKey, int] = _numbered(nodes)
        self.groups: dict[str, int] = _numbered({group.name: _group_text(group) for group in graph.groups})
        self._near: defaultdict[NodeKey, list[tuple[str, NodeKey]]] = defaultdict(list)
        for edge in graph.edges:
            self._near[edge.source].append((f"to {edge.tie}", edge.target))
            self._near[edge.target].append((f"from {edge.tie}", edge.source))

    def refine(self) -> None:
        """Split until each kind is tied alike. Every round splits or is the last."""
        classes = -1
        while classes != (classes := len({*self.nodes.values()}) + len({*self.groups.values()})):
            self._tell_few_apart()
            self.nodes = _numbered({key: self._surroundings(key) for key in self.nodes})
            self.groups = _numbered(
                {
                    group.name: (
                        self.groups[group.name],
                        *sorted(Counter(self.nodes[node.key] for node in group.nodes).items()),
                    )
                    for group in self._graph.groups
                }
            )

    def _surroundings(self, key: NodeKey) -> Hashable:
        near = Counter((tie, self.nodes[other]) for tie, other in self._near[key])
        return (self.nodes[key], self.groups.get(key[0], -1), *sorted(near.items()))

    def _tell_few_apart(self) -> None:
        sizes = Counter(self.groups.values())
        alone = {name for name, kind in self.groups.items() if sizes[kind] < self._least}
        groups = {name: (kind, name if name in alone else "") for name, kind in self.groups.items()}
        self.groups = _numbered(groups)
        nodes: dict[NodeKey, Hashable] = dict(self.nodes)
        for group in self._graph.groups:
            nodes.update(self._ranked(group))
        self.nodes = _numbered(nodes)

    def _ranked(self, group: Group) -> dict[NodeKey, Hashable]:
        """Tell nodes of one namespace apart by their order where there are only a few of a kind."""
        kinds: defaultdict[int, list[Node]] = defaultdict(list)
        for node in group.nodes:
            kinds[self.nodes[node.key]].append(node)
        here = self.groups[group.name]
        return {
            node.key: (kind, here, rank if len(nodes) < self._least else 0)
            for kind, nodes in kinds.items()
            for rank, node in enumerate(nodes)
        }


def _numbered(values: Mapping[K, Hashable]) -> dict[K, int]:
    numbers: dict[Hashable, int] = {}
    return {key: numbers.setdefault(value, len(numbers)) for key, value in values.items()}


def _mask(text: str | None) -> str | None:
    return None if text is None else _NUMBERS.sub("0", text)


def _address_mask(text: str | None) -> str | None:
    """Keep the family and the prefix: hexadecimal digits are no numbers that a mask finds."""
    return None if text is None else f"{6 if ':' in text else 4}/{text.partition('/')[2]}"


def _node_text(node: Node) -> Hashable:
    texts = (_mask(node.name), node.kind, *map(_mask, node.detail), _mask(node.port), _mask(node.origin))
    addresses = tuple(map(_address_mask, node.addresses))
    return (texts, addresses, node.mac is None, node.mtu, node.up, node.shaping)


def _group_text(group: Group) -> Hashable:
    services = tuple((_mask(each.name), each.state) for each in group.services)
    gateways = tuple((_address_mask(each.via), _mask(each.device)) for each in group.gateways)
    return (
        (_mask(group.name), _mask(group.hostname), group.owned),
        (group.sysctls, group.filters, services, gateways),
    )


def _fold_groups(
    members: Sequence[Group], kinds: Mapping[NodeKey, int]
) -> tuple[Group, dict[NodeKey, NodeKey]]:
    """Return the group that stands for the members, and what their nodes are called in it."""
    name = spread([group.name for group in members])
    nodes: defaultdict[int, list[Node]] = defaultdict(list)
    for group in members:
        for node in group.nodes:
            nodes[kinds[node.key]].append(node)
    made = [(_fold_nodes(name, alike), alike) for alike in nodes.values()]
    renamed = {node.key: new.key for new, alike in made for node in alike}
    group = replace(
        members[0],
        name=name,
        hostname=_spread_optional([each.hostname for each in members]),
        services=tuple(
            Running(spread([each.name for each in same]), same[0].state)
            for same in zip(*(each.services for each in members), strict=True)
        ),
        gateways=tuple(
            _fold_gateways(same) for same in zip(*(each.gateways for each in members), strict=True)
        ),
        nodes=tuple(node for node, _ in made),
        members=tuple(each.name for each in members) if len(members) > 1 else (),
    )
    return group, renamed


def _fold_gateways(same: Sequence[Gateway]) -> Gateway:
    tables = {each.table for each in same}
    via = [each.via for each in same]
    return Gateway(
        None if via[0] is None else spread_addresses([str(each) for each in via]),
        _spread_optional([each.device for each in same]),
        tables.pop() if len(tables) == 1 else None,
    )


def _fold_nodes(namespace: str, alike: Sequence[Node]) -> Node:
    first = alike[0]
    return replace(
        first,
        namespace=namespace,
        name=spread([each.name for each in alike]),
        detail=tuple(spread(words) for words in zip(*(each.detail for each in alike), strict=True)),
        addresses=tuple(
            spread_addresses(same) for same in zip(*(each.addresses for each in alike), strict=True)
        ),
        mac=_spread_optional([each.mac for each in alike]),
        port=_spread_optional([each.port for each in alike]),
        origin=_spread_optional([each.origin for each in alike]),
        count=len(alike),
    )


def _spread_optional(texts: Iterable[str | None]) -> str | None:
    there = [text for text in texts if text is not None]
    return spread(there) if there else None


def spread(texts: Sequence[str]) -> str:
    """Say many texts as one: themselves where they are equal, else the first and the last of them."""
    ordered = sorted(set(texts), key=natural)
    return ordered[0] if len(ordered) == 1 else f"{ordered[0]} … {ordered[-1]}"


def spread_addresses(texts: Sequence[str]) -> str:
    """Say many addresses as one, shortly where only one number differs: 10.0.0.1…200/24."""
    ordered = sorted(set(texts), key=natural)
    first, last = (re.split(r"([.:/])", ordered[at]) for at in (0, -1))
    differing = [at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other]
    if len(first) != len(last) or len(differing) != 1:
        return spread(texts)
    at = differing[0]
    return "".join((*first[:at], f"{first[at]}…{last[at]}", *first[at + 1 :]))
