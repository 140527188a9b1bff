"""The tree that `isthmus net show` prints: namespaces, what stands in each, what that is tied to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from isthmus.network.picture.captions import gateway, node_kind, node_notes, node_title, title
from isthmus.network.picture.folding import folded
from isthmus.network.picture.shape import Edge, Graph, Group, Node, NodeKey, Running, Tie, natural
from isthmus.records import dataclass


class Ink(Enum):
    """What a piece of the tree is, for whoever colours it."""

    NAMESPACE = "namespace"
    INTERFACE = "interface"
    ADDRESS = "address"
    TIE = "tie"
    NOTE = "note"
    GOOD = "good"
    BAD = "bad"
    FRAME = "frame"


Paint = Callable[[Ink, str], str]
"""Returns the text as it is to be written: itself, or with colours around it."""

_PLAIN = str.maketrans(
    {"├": "|", "└": "`", "│": "|", "─": "-", "…": "...", "●": "*", "○": "o", "×": "x", "±": "+-", "→": "->"}
)


def unpainted(_: Ink, text: str) -> str:
    """Leave a text as it is."""
    return text


def tree(graph: Graph, *, every: bool = False, ascii_only: bool = False, paint: Paint = unpainted) -> str:
    """Return the network as a tree, lines ended by newlines.

    `every` shows each namespace where alike ones would be one line; `ascii_only` is for terminals
    that can show nothing else.
    """
    shown = graph if every else folded(graph)

    def ink(kind: Ink, text: str) -> str:
        plain = text.translate(_PLAIN).encode("ascii", "backslashreplace").decode() if ascii_only else text
        return paint(kind, plain)

    lines = [ink(Ink.NAMESPACE, shown.network) + ink(Ink.NOTE, f"  {_totals(graph)}")]
    ties: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in shown.edges:
        for namespace in {edge.source[0], edge.target[0]}:
            ties[namespace].append(edge)
    branches = [_group(group, ties[group.name], ink) for group in shown.groups]
    return "\n".join([*lines, *_drawn(branches, ink)]) + "\n"


@dataclass(frozen=True, slots=True)
class _Branch:
    """A line and what hangs under it."""

    text: str
    under: tuple[_Branch, ...] = ()


def _drawn(branches: Sequence[_Branch], ink: Paint, before: str = "") -> Iterator[str]:
    for branch in branches:
        last = branch is branches[-1]
        yield ink(Ink.FRAME, before + ("└─ " if last else "├─ ")) + branch.text
        yield from _drawn(branch.under, ink, before + ("   " if last else "│  "))


def _totals(graph: Graph) -> str:
    namespaces = len(graph.groups)
    interfaces = sum(len(group.nodes) for group in graph.groups)
    return f"{_amount(namespaces, 'namespace')}, {_amount(interfaces, 'interface')}"


def _amount(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _group(group: Group, edges: Sequence[Edge], ink: Paint) -> _Branch:
    words = [ink(Ink.NAMESPACE, title(group))]
    if group.hostname is not None:
        words.append(ink(Ink.NOTE, f"hostname {group.hostname}"))
    words += [ink(Ink.NOTE, f"[{each}]") for each in (*group.filters, *group.sysctls)]
    under = (
        *_Interfaces(group, edges, ink).branches(),
        *(_Branch(ink(Ink.TIE, f"→ {gateway(each)}")) for each in group.gateways),
        *(_Branch(_service(each, ink)) for each in group.services),
    )
    return _Branch("  ".join(words), under)


def _service(each: Running, ink: Paint) -> str:
    good = each.state == "running"
    mark, kind = ("●", Ink.GOOD) if good else ("○", Ink.BAD)
    return f"{ink(kind, mark)} {ink(Ink.INTERFACE, each.name)}  {ink(kind, each.state)}"


class _Interfaces:
    """The interfaces of one namespace: ports hang under their bridge, children under their parent."""

    def __init__(self, group: Group, edges: Sequence[Edge], ink: Paint) -> None:
        self._ink = ink
        self._spaces = group.count
        self._nodes = {node.key: node for node in group.nodes}
        self._under: defaultdict[NodeKey, list[NodeKey]] = defaultdict(list)
        self._ties: defaultdict[NodeKey, list[tuple[str, str]]] = defaultdict(list)
        holders: dict[NodeKey, NodeKey] = {}
        for edge in edges:
            source, target = edge.source, edge.target
            inside = source in self._nodes and target in self._nodes and source != target
            if inside and edge.tie in (Tie.MASTER, Tie.PARENT) and source not in holders:
                holders[source] = target
                self._under[target].append(source)
                continue
            self._tie(edge.tie, source, target)
        for ports in self._under.values():
            ports.sort(key=lambda key: natural(key[1]))
        self._tops = [key for key in self._nodes if key not in holders]

    def _tie(self, tie: Tie, source: NodeKey, target: NodeKey) -> None:
        out = {Tie.PAIR: "──", Tie.MASTER: "port of", Tie.PARENT: "on", Tie.REMOTE: "→"}[tie]
        back = {Tie.PAIR: "──", Tie.MASTER: "master of", Tie.PARENT: "carries", Tie.REMOTE: "←"}[tie]
        if source in self._nodes:
            self._ties[source].append((out, _place(target)))
        if target in self._nodes:
            self._ties[target].append((back, _place(source)))

    def branches(self) -> Iterator[_Branch]:
        """Every interface once, also where masters and parents go round in a circle."""
        done: set[NodeKey] = set()
        yield from self._level(self._tops, done)
        for key in self._nodes:
            if key not in done:
                yield from self._level([key], done)

    def _level(self, keys: Sequence[NodeKey], done: set[NodeKey]) -> Iterator[_Branch]:
        fresh = [key for key in keys if key not in done]
        done.update(fresh)
        width = max((len(node_title(self._nodes[key], self._spaces)) for key in fresh), default=0)
        for key in fresh:
            under = tuple(self._level(self._under[key], done))
            yield _Branch(self._line(self._nodes[key], 0 if self._under[key] else width), under)

    def _line(self, node: Node, width: int) -> str:
        ink = self._ink
        kind = node_kind(node)
        ties = _gathered(self._ties[node.key])
        words = [ink(Ink.INTERFACE, node_title(node, self._spaces).ljust(width))]
        words += [ink(Ink.NOTE if node.up else Ink.BAD, kind)] if kind else []
        words += [ink(Ink.ADDRESS, " ".join(node.addresses))] if node.addresses else []
        words += [ink(Ink.TIE, ties)] if ties else []
        words += [ink(Ink.NOTE, f"({note})") for note in node_notes(node)]
        words += [ink(Ink.NOTE, node.mac)] if node.mac is not None and node.count == 1 else []
        return "  ".join(words).rstrip()


def _gathered(ties: Sequence[tuple[str, str]]) -> str:
    """Say each kind of tie once: carries a, b, c."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for kind, place in ties:
        kinds[kind].append(place)
    return "; ".join(f"{kind} {', '.join(places)}" for kind, places in kinds.items())


def _place(key: NodeKey) -> str:
    return f"{key[0]}/{key[1]}" if key[0] else key[1]
