"""Checks on the links of a whole network: where they stand, what they stand on, what they carry."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.network.document.codes import (
    BAD_MASTER,
    CLASHING_KEYS,
    DUPLICATE_NAME,
    LOOP,
    NO_FILTERING,
    RESERVED,
    SAME_ADDRESS,
    UNKNOWN_NAME,
)
from isthmus.network.document.kinds import Reader
from isthmus.network.document.loops import find_loops
from isthmus.network.model import (
    HOST,
    OUTSIDE,
    Bridge,
    Device,
    End,
    Ipvlan,
    Link,
    LinkKind,
    Macvlan,
    Network,
    Veth,
    Vlan,
    Vrf,
    Vxlan,
    Wireguard,
)
from isthmus.records import dataclass, field

Key = tuple[str, str]
_LOOPBACK = {"lo"}
_NOWHERE = Span("", 1, 1, 1)


@dataclass(slots=True)
class Interfaces:
    """The interfaces that a network's links make, by namespace and name."""

    ends: dict[Key, tuple[End, LinkKind]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    """Namespaces that exist already, and may have interfaces of which the file says nothing."""

    def known(self, namespace: str) -> set[str] | None:
        """Return all interfaces of a namespace, or None where there may be others."""
        return None if namespace in self.open else self.names.get(namespace, _LOOPBACK)

    def add(self, end: End, kind: LinkKind) -> None:
        """Take one interface in."""
        self.ends[end.namespace, end.name] = (end, kind)
        self.names.setdefault(end.namespace, {"lo"}).add(end.name)


def check_links(network: Network, places: set[str], reader: Reader) -> Interfaces:
    """Report what is wrong with the links; return the interfaces that they make."""
    complete = not reader.report.failed
    interfaces = Interfaces()
    interfaces.open = {HOST, *(each.name for each in network.namespaces if each.attach)}
    for link in network.links:
        for end in _ends(link):
            _place(end.namespace, reader.at(end.span, "in"), places, reader)
            _name(end, link.kind, interfaces, reader)
        if isinstance(link.kind, Device):
            _place(link.kind.origin, reader.at(link.span, "from"), places, reader)
    for link in network.links:
        _parent(link, interfaces, places, reader, complete)
        for end in _ends(link):
            _master(end, interfaces, reader, complete)
        _own_mac(link, reader)
    _loops(network, interfaces, reader)
    _addresses(interfaces, reader)
    return interfaces


def _ends(link: Link) -> tuple[End, ...]:
    return (link.end, link.kind.peer) if isinstance(link.kind, Veth) else (link.end,)


def _place(name: str, span: Span, places: set[str], reader: Reader) -> None:
    if name == OUTSIDE:
        reader.report.alert(
            RESERVED,
            "no link can be in `outside`: without root nothing in it can be changed",
            span,
            hint="`host` is the namespace where the network is built",
        )
    elif name not in places:
        reader.report.unknown(UNKNOWN_NAME, "namespace", name, span, places)


def _name(end: End, kind: LinkKind, interfaces: Interfaces, reader: Reader) -> None:
    span = end.span or _NOWHERE
    first = interfaces.ends.get((end.namespace, end.name))
    if end.name == "lo":
        reader.report.alert(DUPLICATE_NAME, "every namespace has its `lo` already", span)
    elif first:
        place = first[0].span or _NOWHERE
        reader.report.alert(
            DUPLICATE_NAME,
            f"`{end.namespace}` has an interface `{end.name}` already ({place.file}:{place.line})",
            span,
        )
    else:
        interfaces.add(end, kind)


def parent_of(link: Link) -> Key | None:
    """Return the interface that a link stands on."""
    match link.kind:
        case Macvlan() | Ipvlan() | Vlan():
            return link.kind.parent_namespace, link.kind.parent
        case Vxlan(parent=str() as parent):
            return link.end.namespace, parent
    return None


def _parent(link: Link, interfaces: Interfaces, places: set[str], reader: Reader, complete: bool) -> None:
    parent = parent_of(link)
    if parent is None:
        return
    span = reader.at(link.span, "parent")
    if parent[0] != link.end.namespace:
        _place(parent[0], span, places, reader)
    known = interfaces.known(parent[0])
    if complete and parent[0] in places and known is not None and parent[1] not in known:
        reader.report.unknown(UNKNOWN_NAME, "interface", parent[1], span, known, f" in `{parent[0]}`")


def _master(end: End, interfaces: Interfaces, reader: Reader, complete: bool) -> None:
    if end.master is None:
        if end.port:
            span = reader.at(end.span, "vlan")
            reader.report.alert(NO_FILTERING, "`vlan` needs a `master`: a bridge that filters", span)
        return
    span = reader.at(end.span, "master")
    found = interfaces.ends.get((end.namespace, end.master))
    known = interfaces.known(end.namespace)
    if found is None:
        if complete and known is not None:
            masters = (name for name in known if _is_master(interfaces, (end.namespace, name)))
            where = f" in `{end.namespace}`"
            reader.report.unknown(UNKNOWN_NAME, "bridge or VRF", end.master, span, masters, where)
    elif not isinstance(found[1], Bridge | Vrf):
        reader.report.alert(BAD_MASTER, f"`{end.master}` is neither a bridge nor a VRF", span)
    elif end.port and not (isinstance(found[1], Bridge) and found[1].vlan_filtering):
        reader.report.alert(
            NO_FILTERING,
            f"`{end.master}` does not filter VLANs",
            reader.at(end.span, "vlan"),
            hint="set `vlan-filtering: true` on the bridge",
        )


def _is_master(interfaces: Interfaces, key: Key) -> bool:
    return key in interfaces.ends and isinstance(interfaces.ends[key][1], Bridge | Vrf)


def _own_mac(link: Link, reader: Reader) -> None:
    """Refuse a link address for kinds that have none, or that of their parent."""
    if link.end.mac is not None and isinstance(link.kind, Ipvlan | Wireguard):
        why = "its parent's" if isinstance(link.kind, Ipvlan) else "none"
        kind = type(link.kind).__name__.lower()
        message = f"`mac` cannot be set: the link address of {kind} is {why}"
        reader.report.alert(CLASHING_KEYS, message, reader.at(link.end.span, "mac"))


def _loops(network: Network, interfaces: Interfaces, reader: Reader) -> None:
    graph: dict[Key, list[Key]] = {key: [] for key in interfaces.ends}
    for link in network.links:
        parent = parent_of(link)
        if parent:
            graph.setdefault((link.end.namespace, link.end.name), []).append(parent)
        for end in _ends(link):
            if end.master:
                graph.setdefault((end.namespace, end.name), []).append((end.namespace, end.master))
    for loop in find_loops(graph):
        way = " -> ".join("/".join(key) for key in (*loop, loop[0]))
        span = interfaces.ends[loop[0]][0].span if loop[0] in interfaces.ends else None
        reader.report.alert(LOOP, f"interfaces stand on each other: {way}", span or _NOWHERE)


def _addresses(interfaces: Interfaces, reader: Reader) -> None:
    """No address is there twice, but link-local ones and those of different VRFs."""
    seen: dict[tuple[str, str | None, object], str] = {}
    for end, _ in interfaces.ends.values():
        master = interfaces.ends.get((end.namespace, end.master or ""))
        domain = end.master if master and isinstance(master[1], Vrf) else None
        for address in end.addresses:
            own = address.version == 6 and address.ip.is_link_local
            place = (end.namespace, end.name if own else domain, address.ip)
            first = seen.setdefault(place, end.name)
            if first != end.name or end.addresses.count(address) > 1:
                reader.report.alert(
                    SAME_ADDRESS,
                    f"`{address.ip}` is on `{first}` of `{end.namespace}` already",
                    reader.at(end.span, "addresses"),
                )
                break
