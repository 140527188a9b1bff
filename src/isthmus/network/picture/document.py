"""The graph as a JSON document, for programs: never folded, null where nothing is known."""

from __future__ import annotations

import json
from dataclasses import asdict

from isthmus.network.picture.shape import Graph, Group, Node, NodeKey


def as_json(graph: Graph) -> str:
    """Return the graph as JSON text, indented, with a newline at its end.

    `namespaces` holds the interfaces; `ties` names both ends as namespace and interface, the
    namespace null where an end is outside the network.
    """
    document = {
        "network": graph.network,
        "namespaces": [_group(group) for group in graph.groups],
        "ties": [
            {"kind": str(edge.tie), "source": _end(edge.source), "target": _end(edge.target)}
            for edge in graph.edges
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _group(group: Group) -> dict[str, object]:
    return {
        "name": group.name,
        "owned": group.owned,
        "hostname": group.hostname,
        "sysctls": list(group.sysctls),
        "filters": list(group.filters),
        "services": [asdict(each) for each in group.services],
        "gateways": [asdict(each) for each in group.gateways],
        "interfaces": [_node(node) for node in group.nodes],
    }


def _node(node: Node) -> dict[str, object]:
    return {name: value for name, value in asdict(node).items() if name not in ("namespace", "count")}


def _end(key: NodeKey) -> dict[str, str | None]:
    return {"namespace": key[0] or None, "interface": key[1]}
