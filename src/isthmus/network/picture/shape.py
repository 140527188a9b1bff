"""What a picture of a network shows, whatever the picture is made of: groups, nodes, edges, gateways.

All text is printable already (`printable`), but not escaped: each format escapes for itself.
Not the network itself: a Graph leaves out what no picture has room for.
"""

from __future__ import annotations

from enum import StrEnum

from isthmus.records import dataclass

NodeKey = tuple[str, str]
"""A namespace and an interface. A far end outside the network has no namespace: ("", what it is)."""


class Tie(StrEnum):
    """How two interfaces hang together."""

    PAIR = "veth"
    MASTER = "master"
    PARENT = "parent"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Node:
    """An interface. `detail` says how it is what it is (`vlan 10`, `mode private`), in few words.

    `mtu` is None where it is the usual one. `count` is how many alike interfaces it stands for;
    the texts are then ranges.
    """

    namespace: str
    name: str
    kind: str
    detail: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    mac: str | None = None
    mtu: int | None = None
    up: bool = True
    port: str | None = None
    shaping: str | None = None
    origin: str | None = None
    count: int = 1

    @property
    def key(self) -> NodeKey:
        """The namespace and the name."""
        return (self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Edge:
    """What joins two interfaces: `source` is the port of a master, the child of a parent, the tunnel.

    `count` is how many alike edges it stands for.
    """

    tie: Tie
    source: NodeKey
    target: NodeKey
    count: int = 1


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where a namespace sends what is for nobody near. `via` and `device` may each be absent."""

    via: str | None
    device: str | None
    table: int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A service and the state it is in."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Group:
    """A namespace and what stands in it. `owned`: the network made it.

    `filters` names what nftables does there (NAT, firewall, ...). `members` are the namespaces that
    it stands for where alike ones were folded, else empty.
    """

    name: str
    owned: bool = True
    hostname: str | None = None
    sysctls: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    services: tuple[Running, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    nodes: tuple[Node, ...] = ()
    members: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many namespaces it stands for."""
        return len(self.members) or 1


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole picture. Groups are in the order in which they are read; names in one are unique."""

    network: str
    groups: tuple[Group, ...] = ()
    edges: tuple[Edge, ...] = ()

    @property
    def far_ends(self) -> tuple[str, ...]:
        """What edges lead to that is no interface of the network: remote ends of tunnels."""
        ends = (key for edge in self.edges for key in (edge.source, edge.target))
        return tuple(dict.fromkeys(name for namespace, name in ends if not namespace))


def printable(text: str) -> str:
    r"""Return the text with what moves a cursor, or is no text at all, written as \x1b and the like."""
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts t2 before t10."""
    parts: list[tuple[int, int, str]] = []
    rest = text
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        if digits:
            parts.append((0, int(rest[:digits]) if digits < 20 else 0, rest[:digits]))
            rest = rest[digits:]
            continue
        plain = next((at for at, each in enumerate(rest) if each in "0123456789"), len(rest))
        parts.append((1, 0, rest[:plain]))
        rest = rest[plain:]
    return tuple(parts)
