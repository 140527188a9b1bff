"""What is to be done so that what is found becomes what is wanted: an ordered list of steps.

Thinking only. Each step can be turned round, which is how a failed apply is rolled back. What the
kernel removes by itself (the addresses of an interface that goes, everything in a namespace that ends)
is not removed by steps of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.model import BridgePort
from isthmus.network.netlink.kinds import KINDS, Kind
from isthmus.network.netlink.queues import alike
from isthmus.network.objects import (
    Address,
    Interface,
    NeighbourObject,
    Object,
    Queue,
    RouteObject,
    RuleObject,
    Ruleset,
    ServiceObject,
    Setting,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.records import dataclass

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One change: `old` becomes `new`. Without `old` an object is made, without `new` it is removed."""

    old: Object | None
    new: Object | None

    @property
    def subject(self) -> Object:
        """The object that the step is about, as it is to be where it stays."""
        subject = self.new or self.old
        if subject is None:
            raise ValueError("a step without an object")
        return subject

    def reversed(self) -> Step:
        """Return the step that undoes this one."""
        return Step(self.new, self.old)


# Rulesets come before links: nothing passes before the firewall stands. Settings of one interface
# under net.ipv4.conf.NAME come after it (`_rank`).
_RANKS: dict[type, int] = {
    SpaceObject: 0,
    Ruleset: 1,
    Sysctl: 2,
    Interface: 3,
    Queue: 5,
    Address: 6,
    NeighbourObject: 7,
    RouteObject: 8,
    RuleObject: 9,
    ServiceObject: 10,
}
_RANK_OF_INTERFACE_SETTINGS = 4
_INTERFACE_SETTINGS = ("conf", "neigh")
_EVERY_INTERFACE = ("all", "default")


def difference(wanted: State, found: State) -> list[Step]:
    """Return the steps from `found` to `wanted`: removals in reverse order, then what is made or changed.

    What has a successor goes last of all: connections would miss it in the meantime.
    """
    gone = _gone(wanted, found)
    removals = [
        Step(each, None)
        for key, each in found.objects.items()
        if (key not in wanted.objects or key in gone.remade) and not gone.takes(each, key)
    ]
    standing = _Heights(found)
    removals.sort(key=lambda step: (rank(step.subject), standing.of(step.subject)), reverse=True)
    makings = list(_makings(wanted, found, gone))
    standing = _Heights(wanted)
    makings.sort(key=lambda step: (rank(step.subject), standing.of(step.subject)))
    if not removals:
        return makings
    succeeding = {_office(step.subject) for step in makings if step.old is None} - {None}
    late = [step for step in removals if _office(step.subject) in succeeding]
    return [step for step in removals if _office(step.subject) not in succeeding] + makings + late


def _office(each: Object) -> Key | None:
    """Return what two routes, or two addresses, have in common of which one takes the other's place.

    The kernel has both at a time: routes that differ in their metric, addresses of IPv4 that differ in
    their prefix or interface.
    """
    match each:
        case RouteObject(namespace, route) if route.kind == "unicast" and route.to is not None:
            return ("route", namespace, str(route.table), str(route.to))
        case Address(namespace, _, address) if address.version == 4:
            return ("address", namespace, str(address.ip))
        case _:
            return None


class _Heights:
    """How high interfaces stand, above parents and masters; a pair is made at once and stands as one."""

    def __init__(self, state: State) -> None:
        interfaces = (each for each in state.objects.values() if isinstance(each, Interface))
        self._interfaces = {(each.namespace, each.name): each for each in interfaces}
        self._known: dict[tuple[str, str], int] = {}

    def of(self, each: Object) -> int:
        """Return how many interfaces an interface stands on; 0 for anything else."""
        return self._at((each.namespace, each.name)) if isinstance(each, Interface) else 0

    def _at(self, place: tuple[str, str]) -> int:
        if place not in self._known:
            # Also what ends a circle, which no file can have.
            self._known[place] = 0
            self._known[place] = max((1 + self._at(each) for each in self._beneath(place)), default=0)
        return self._known[place]

    def _beneath(self, place: tuple[str, str]) -> Iterator[tuple[str, str]]:
        near = self._interfaces.get(place)
        far = self._interfaces.get(near.peer) if near is not None and near.peer is not None else None
        for each in (near, far):
            if each is not None and each.parent is not None:
                yield each.parent
            if each is not None and each.master is not None:
                yield each.namespace, each.master


def _makings(wanted: State, found: State, gone: _Gone) -> Iterator[Step]:
    for key, want in wanted.objects.items():
        have = found.objects.get(key)
        if have is None or key in gone.remade or gone.takes(have, key):
            yield Step(None, want)
        elif not satisfies(have, want):
            yield Step(have, want)


def rank(subject: Object) -> int:
    """Say how early an object is made; it is removed as late."""
    if isinstance(subject, Sysctl) and interface_of_setting(subject.name) is not None:
        return _RANK_OF_INTERFACE_SETTINGS
    return _RANKS[type(subject)]


def interface_of_setting(name: str) -> str | None:
    """Return the interface that a setting such as net.ipv4.conf.eth0.rp_filter belongs to."""
    parts = name.split(".")
    if len(parts) > 4 and parts[2] in _INTERFACE_SETTINGS and parts[3] not in _EVERY_INTERFACE:
        return ".".join(parts[3:-1])
    return None


def default_of_setting(name: str) -> str | None:
    """Return the setting that gives a new interface this one, None for a setting of no interface."""
    interface = interface_of_setting(name)
    return None if interface is None else name.replace(f".{interface}.", ".default.", 1)


class _Gone:
    """What will not be there when the makings begin: spaces, interfaces, and what goes with them."""

    def __init__(self) -> None:
        self.spaces: set[str] = set()
        self.remade: set[Key] = set()
        self.interfaces: set[tuple[str, str]] = set()

    def takes(self, each: Object, key: Key) -> bool:
        """Say whether an object goes by itself, because that which it belongs to goes."""
        match each:
            case SpaceObject() | ServiceObject():
                return False
            case Interface():
                # A device outlives its namespace, under whatever name: it is moved back first.
                return each.namespace in self.spaces and each.origin is None
            case _:
                belongs = each.namespace in self.spaces
                return belongs or _interface_of(each) in self.interfaces


def _gone(wanted: State, found: State) -> _Gone:
    gone = _Gone()
    for key, each in found.objects.items():
        if isinstance(each, SpaceObject):
            want = wanted.objects.get(key)
            if want is None or not can_change(each, want):
                gone.spaces.add(each.space.name)
                if want is not None:
                    gone.remade.add(key)
    while _spread(wanted, found, gone):
        pass
    return gone


def _spread(wanted: State, found: State, gone: _Gone) -> bool:
    """Add the interfaces that go, and those that stand on them; say whether any was added."""
    before = len(gone.interfaces)
    for key, each in found.objects.items():
        if not isinstance(each, Interface) or (each.namespace, each.name) in gone.interfaces:
            continue
        want = wanted.objects.get(key)
        loses = (
            want is None
            or each.namespace in gone.spaces
            or not can_change(each, want)
            or each.peer in gone.interfaces
            or each.parent in gone.interfaces
        )
        if loses and each.kind != "loopback":
            gone.interfaces.add((each.namespace, each.name))
            if want is not None:
                gone.remade.add(key)
    return len(gone.interfaces) > before


def _interface_of(each: Object) -> tuple[str, str] | None:
    match each:
        case Address() | Queue():
            return each.namespace, each.interface
        case RouteObject(namespace, route):
            return (namespace, route.device) if route.device else None
        case NeighbourObject(namespace, neighbour):
            return namespace, neighbour.device
        case Sysctl(namespace, name):
            interface = interface_of_setting(name)
            return (namespace, interface) if interface else None
        case _:
            return None


def can_change(found: Object, wanted: Object) -> bool:
    """Say whether a found object can become the wanted one without being removed first."""
    match found, wanted:
        case SpaceObject(), SpaceObject():
            return found.space.net == wanted.space.net
        case Interface(), Interface():
            return _interface_can_change(found, wanted)
        case _:
            return True


def _interface_can_change(found: Interface, wanted: Interface) -> bool:
    if found.kind != wanted.kind or found.peer != wanted.peer or found.origin != wanted.origin:
        return False
    kind = KINDS.get(found.kind)
    if kind is None:
        return True
    if found.parent != wanted.parent and (wanted.parent is not None or kind.module == "vxlan"):
        return False
    if "mtu" in found.given and wanted.mtu is None and kind.mtu is None:
        return False
    have = dict(found.settings)
    return all(
        name in kind.live or _is_so(have.get(name), name, value, kind) for name, value in wanted.settings
    )


def _is_so(found: Setting, name: str, wanted: Setting, kind: Kind) -> bool:
    """Say whether a setting is as wanted: None leaves it open, but where it means that there is none."""
    return found == wanted or (wanted is None and name not in kind.absent)


def satisfies(found: Object, wanted: Object) -> bool:
    """Say whether a found object is as wanted; what the wanted one leaves open does not matter."""
    match found, wanted:
        case Interface(), Interface():
            return _interface_satisfies(found, wanted)
        case RouteObject(), RouteObject():
            have, want = found.route, wanted.route
            return (
                have.via == want.via
                and have.kind == want.kind
                and have.on_link == want.on_link
                and want.device in (None, have.device)
                and want.source in (None, have.source)
            )
        case ServiceObject(), ServiceObject():
            # One that has ended as it was meant to is not started again.
            return found.fingerprint == wanted.fingerprint and found.state not in ("failed", "stopped")
        case Queue(), Queue():
            return alike(wanted.shaping, found.shaping)
        case _:
            return found == wanted


def _interface_satisfies(found: Interface, wanted: Interface) -> bool:
    have = dict(found.settings)
    return (
        _interface_can_change(found, wanted)
        and all(_is_so(have.get(name), name, value, KINDS[found.kind]) for name, value in wanted.settings)
        and found.up == wanted.up
        and found.master == wanted.master
        and wanted.mac in (None, found.mac)
        and wanted.mtu in (None, found.mtu)
        and _vlans(found.port) == _vlans(wanted.port)
        and found.given == wanted.given
        and not found.begun
    )


def _vlans(port: BridgePort | None) -> BridgePort:
    """Say which VLANs a port is in; the kernel puts a new one into VLAN 1, untagged."""
    return port or BridgePort(untagged=1)
