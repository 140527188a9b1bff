"""What a network is made of, in the kernel's terms: flat objects with a key and settings.

`desired` makes them from a model, `observed` reads them from the kernel, `difference` compares the
two. An object is wanted or found whole; its key says which one it is, the rest how it is.
None in a wanted object means that anything will do.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface

from isthmus.network.model import BridgePort, Neighbour, Route, Rule, Shaping
from isthmus.network.spaces import Space
from isthmus.records import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Secret:
    """A key in base64. Its text is for the kernel alone: no message and no picture shows it."""

    text: str = field(repr=False)


Setting = int | str | bool | None | tuple[object, ...] | Secret

ROUTE_SIGN = ">"
"""Stands between the parts of a route in `Before`."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a device was like where it came from: it is put back so.

    `addresses` have their prefixes; a route is `TO>VIA>METRIC`, of the main table, VIA or METRIC empty
    where it has none, and `TO>VIA>METRIC>SOURCE` where it says from which address one is to send.
    """

    up: bool
    mtu: int | None = None
    mac: str | None = None
    master: str | None = None
    addresses: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpaceObject:
    """A namespace that the network owns: made by apply, removed by down.

    `hostname` None: the namespace has no UTS namespace of its own.
    """

    space: Space
    hostname: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The namespace's name."""
        return ("namespace", self.space.name)


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A setting under /proc/sys/net of one namespace, dots for slashes, whitespace folded to one space."""

    namespace: str
    name: str
    value: str

    @property
    def key(self) -> tuple[str, ...]:
        """The namespace and the setting."""
        return ("sysctl", self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface.

    `kind` is the kernel's (veth, bridge, macvlan, ipvlan, vlan, vxlan, dummy, wireguard,
    vrf, loopback, device); `settings` are the kind's own, sorted by name.

    `peer` is the other end of a pair and `parent` what it stands on: (namespace, name). `origin` is
    where a device that was moved in came from, and goes back to; `before`, found alone, is how it was
    there. `given` are the properties that the kernel would choose and the file does (`mac`, `mtu`,
    `forward_delay`). `begun`: found without the mark that an interface is given as it is settled, since a
    crash came in between; never wanted.
    """

    namespace: str
    name: str
    kind: str
    settings: tuple[tuple[str, Setting], ...] = ()
    peer: tuple[str, str] | None = None
    parent: tuple[str, str] | None = None
    origin: tuple[str, str] | None = None
    mac: str | None = None
    mtu: int | None = None
    up: bool = True
    master: str | None = None
    port: BridgePort | None = None
    given: frozenset[str] = frozenset()
    before: Before | None = field(default=None, compare=False)
    begun: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The namespace and the name."""
        return ("interface", self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its prefix, on an interface."""

    namespace: str
    interface: str
    address: IPv4Interface | IPv6Interface

    @property
    def key(self) -> tuple[str, ...]:
        """All of it: an address is there or not."""
        return ("address", self.namespace, self.interface, str(self.address))


@dataclass(frozen=True, slots=True)
class RouteObject:
    """A route of one namespace. What makes it another route is its destination, table, metric and kind."""

    namespace: str
    route: Route

    @property
    def key(self) -> tuple[str, ...]:
        """What the kernel tells routes apart by."""
        route = self.route
        version = route.to.version if route.to else (route.via.version if route.via else 4)
        to = str(route.to) if route.to else f"default/{version}"
        return ("route", self.namespace, str(route.table), to, str(route.metric or 0))


@dataclass(frozen=True, slots=True)
class RuleObject:
    """A routing policy rule of one namespace."""

    namespace: str
    rule: Rule

    @property
    def key(self) -> tuple[str, ...]:
        """Its priority and family; several rules of one priority differ in what they match."""
        return ("rule", self.namespace, str(self.rule.family), str(self.rule.priority), self._matched)

    @property
    def _matched(self) -> str:
        return repr(replace(self.rule, span=None))


@dataclass(frozen=True, slots=True)
class NeighbourObject:
    """A permanent neighbour entry of one namespace."""

    namespace: str
    neighbour: Neighbour

    @property
    def key(self) -> tuple[str, ...]:
        """The interface and the address."""
        return ("neighbour", self.namespace, self.neighbour.device, str(self.neighbour.address))


@dataclass(frozen=True, slots=True)
class Queue:
    """The shaping of an interface (its root queueing discipline)."""

    namespace: str
    interface: str
    shaping: Shaping

    @property
    def key(self) -> tuple[str, ...]:
        """The interface."""
        return ("queue", self.namespace, self.interface)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The network's nftables table in one namespace, as the canonical text that `filtering` compares."""

    namespace: str
    text: str

    @property
    def key(self) -> tuple[str, ...]:
        """The namespace: one table each."""
        return ("ruleset", self.namespace)


@dataclass(frozen=True, slots=True)
class ServiceObject:
    """A service as its supervisor runs it; `fingerprint` changes when its definition does.

    `state` is what `show` prints: wanted services have "running".
    """

    name: str
    namespace: str
    fingerprint: str
    state: str = "running"

    @property
    def key(self) -> tuple[str, ...]:
        """The service's name."""
        return ("service", self.name)


Object = (
    SpaceObject
    | Sysctl
    | Interface
    | Address
    | RouteObject
    | RuleObject
    | NeighbourObject
    | Queue
    | Ruleset
    | ServiceObject
)


@dataclass(frozen=True, slots=True)
class State:
    """All objects of one network, by key, in the order in which they are made."""

    network: str
    objects: dict[tuple[str, ...], Object]

    def of(self, kind: str) -> tuple[Object, ...]:
        """Return the objects of one kind, the first word of their keys."""
        return tuple(each for key, each in self.objects.items() if key[0] == kind)
