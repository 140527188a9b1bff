"""The graph in Graphviz' language: a cluster for each namespace, a node for each interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.network.picture.captions import edge_label, group_notes, node_lines, title
from isthmus.network.picture.folding import folded
from isthmus.network.picture.shape import Graph, Group, NodeKey, Tie

_STYLES = {Tie.PAIR: "solid", Tie.MASTER: "solid", Tie.PARENT: "dashed", Tie.REMOTE: "dotted"}


def dot(graph: Graph, *, every: bool = False) -> str:
    """Return the graph for `dot` and its like. `every` shows each namespace where alike ones would be one."""
    shown = graph if every else folded(graph)
    keys = [node.key for group in shown.groups for node in group.nodes]
    names = {key: f"i{at}" for at, key in enumerate((*keys, *(("", name) for name in shown.far_ends)))}
    lines = [
        f"graph {_quoted((shown.network,))} {{",
        f"  label={_quoted((shown.network,))}; labelloc=t; compound=true;",
        '  fontname="sans-serif"; node [shape=box, style=rounded, fontname="sans-serif", fontsize=10];',
    ]
    for number, group in enumerate(shown.groups):
        lines += _cluster(group, number, names)
    for name in shown.far_ends:
        lines.append(f"  {names['', name]} [label={_quoted((name,))}, shape=ellipse];")
    for edge in shown.edges:
        label = f", label={_quoted((edge_label(edge),))}" if edge_label(edge) else ""
        lines.append(f"  {names[edge.source]} -- {names[edge.target]} [style={_STYLES[edge.tie]}{label}];")
    return "\n".join([*lines, "}"]) + "\n"


def _cluster(group: Group, number: int, names: dict[NodeKey, str]) -> Iterator[str]:
    yield f"  subgraph cluster_{number} {{"
    yield f"    label={_quoted((title(group), *group_notes(group)))};"
    if not group.nodes:
        # A cluster without a node is not drawn at all.
        yield f'    empty_{number} [label="", shape=none, width=0.6, height=0.1];'
    for node in group.nodes:
        shape = ", style=filled" if node.kind in ("bridge", "vrf") else ""
        yield f"    {names[node.key]} [label={_quoted(node_lines(node, group.count))}{shape}];"
    yield "  }"


def _quoted(lines: Iterable[str]) -> str:
    """Quote a label: its language knows quotes, backslashes and, in labels, HTML's entities."""
    escaped = (
        line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        for line in lines
    )
    return '"' + "\\n".join(escaped) + '"'
