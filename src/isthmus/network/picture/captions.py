"""What is written in a box and on an interface, line by line, in every drawing but the tree."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.picture.shape import Edge, Gateway, Group, Node, Tie


def title(group: Group) -> str:
    """Say which namespace, or how many."""
    return f"{group.name} (×{group.count})" if group.count > 1 else group.name


def group_notes(group: Group) -> Iterator[str]:
    """Say what matters about a namespace beside its name: one line each."""
    if group.hostname is not None:
        yield f"hostname {group.hostname}"
    if group.filters:
        yield " · ".join(group.filters)
    yield from group.sysctls
    yield from (gateway(each) for each in group.gateways)
    for each in group.services:
        yield f"● {each.name}" if each.state == "running" else f"○ {each.name} {each.state}"


def gateway(each: Gateway) -> str:
    """Say where a default route leads."""
    words = ["default"]
    words += [] if each.via is None else [f"via {each.via}"]
    words += [] if each.device is None else [f"dev {each.device}"]
    words += [] if each.table is None else [f"table {each.table}"]
    return " ".join(words)


def node_title(node: Node, spaces: int = 1) -> str:
    """Say which interface, or how many of them in each of the namespaces that are drawn as one."""
    each = node.count // spaces
    return f"{node.name} (×{each})" if each > 1 else node.name


def node_kind(node: Node) -> str:
    """Say what an interface is, or nothing where that goes without saying: most are pairs."""
    words = [*node.detail] if node.kind in ("veth", "loopback") else [node.kind, *node.detail]
    return " ".join(words if node.up else [*words, "DOWN"])


def node_notes(node: Node) -> Iterator[str]:
    """Say what matters about an interface beside its name, kind and addresses: one line each."""
    if node.port is not None:
        yield node.port
    if node.shaping is not None:
        yield node.shaping
    if node.mtu is not None:
        yield f"mtu {node.mtu}"
    if node.origin is not None:
        yield f"from {node.origin}"


def node_lines(node: Node, spaces: int = 1) -> Iterator[str]:
    """Say all there is to say about an interface."""
    yield node_title(node, spaces)
    yield from (line for line in (node_kind(node),) if line)
    yield from node.addresses
    yield from node_notes(node)


def edge_label(edge: Edge) -> str:
    """Say how many ties a line stands for; which kind, where the line's look does not."""
    words = [] if edge.tie in (Tie.PAIR, Tie.MASTER) else [str(edge.tie)]
    return " ".join([*words, f"×{edge.count}"] if edge.count > 1 else words)
