"""The graph as a Mermaid flowchart: a subgraph for each namespace, a node for each interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from isthmus.network.picture.captions import edge_label, group_notes, node_lines, title
from isthmus.network.picture.folding import folded
from isthmus.network.picture.shape import Graph, Group, NodeKey, Tie

# What has no meaning in a quoted label, neither to Mermaid nor to the HTML that it makes.
_UNSAFE = re.compile(r"[^\w \-.,:/=+()…·×±●○→]")
_LINES = {Tie.PAIR: "---", Tie.MASTER: "---", Tie.PARENT: "-.-", Tie.REMOTE: "-.->"}


def mermaid(graph: Graph, *, every: bool = False) -> str:
    """Return the flowchart's text. `every` shows each namespace where alike ones would be one."""
    shown = graph if every else folded(graph)
    names = _names(shown)
    lines = ["---", f"title: {json.dumps(shown.network)}", "---", "flowchart LR"]
    for number, group in enumerate(shown.groups):
        lines += _group(group, f"g{number}", names)
    for name in shown.far_ends:
        lines.append(f"  {names['', name]}([{_label((name,))}])")
    for edge in shown.edges:
        label = edge_label(edge)
        shape = _LINES[edge.tie] + (f"|{_label((label,))}|" if label else "")
        lines.append(f"  {names[edge.source]} {shape} {names[edge.target]}")
    return "\n".join(lines) + "\n"


def _names(graph: Graph) -> dict[NodeKey, str]:
    keys = [node.key for group in graph.groups for node in group.nodes]
    return {key: f"i{at}" for at, key in enumerate((*keys, *(("", name) for name in graph.far_ends)))}


def _group(group: Group, name: str, names: dict[NodeKey, str]) -> Iterator[str]:
    label = _label((title(group), *group_notes(group)))
    if not group.nodes:
        # Mermaid draws a subgraph without nodes as nothing much: it is a node itself.
        yield f"  {name}[{label}]"
        return
    yield f"  subgraph {name}[{label}]"
    for node in group.nodes:
        yield f"    {names[node.key]}[{_label(node_lines(node, group.count))}]"
    yield "  end"


def _label(lines: Iterable[str]) -> str:
    escaped = (_UNSAFE.sub(lambda found: f"#{ord(found[0])};", line) for line in lines)
    return '"' + "<br/>".join(escaped) + '"'
