"""Namespaces and what belongs to a namespace rather than to one of its links."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from isthmus.config import Span
from isthmus.network.model.filtering import Firewall, Interception, Nat
from isthmus.records import dataclass, field

HOST = "host"
"""The name of the namespace that `isthmus net` was started in. It is never made and never removed;
in a rootless lab the lab's own namespace stands for it, as nobody but root may change the host's."""

OUTSIDE = "outside"
"""The namespace that listeners for the machine itself belong to, with and without root: where `isthmus net`
was started. Services, the proxy and expectations may name it; without root nothing in it can be changed."""


@dataclass(frozen=True, slots=True)
class AttachedProcess:
    """The network namespace of a process that runs already."""

    pid: int


@dataclass(frozen=True, slots=True)
class AttachedPath:
    """A namespace file, such as /proc/PID/ns/net or a bind mount of one."""

    path: Path


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `to` None is the default route; its family is then that of `via`, or IPv4.

    `table` is a number (254 is main); `kind` is one of unicast, local, blackhole, unreachable,
    prohibit, throw (ip-route(8)).
    """

    to: IPv4Network | IPv6Network | None
    via: IPv4Address | IPv6Address | None = None
    device: str | None = None
    source: IPv4Address | IPv6Address | None = None
    table: int = 254
    metric: int | None = None
    kind: str = "unicast"
    on_link: bool = False
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One routing policy rule (ip-rule(8)): which table is asked for which packets.

    `family` is 4 or 6. `action` is lookup, blackhole, unreachable or prohibit; `table` serves lookup.
    """

    priority: int
    family: int = 4
    source: IPv4Network | IPv6Network | None = None
    destination: IPv4Network | IPv6Network | None = None
    mark: int | None = None
    mask: int | None = None
    incoming: str | None = None
    outgoing: str | None = None
    table: int | None = None
    action: str = "lookup"
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A permanent entry of the neighbour table: an address that is not asked for by ARP or ND."""

    address: IPv4Address | IPv6Address
    device: str
    mac: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace and all that it holds beside links.

    `attach` None: made by apply and removed by down. A namespace that is `named` is bind-mounted
    under /run/netns and lives without processes; another is kept by a process. `hostname` gives it
    a UTS namespace of its own.
    """

    name: str
    named: bool = True
    attach: AttachedProcess | AttachedPath | None = None
    loopback_up: bool = True
    hostname: str | None = None
    sysctls: tuple[tuple[str, str], ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    nat: Nat | None = None
    firewall: Firewall | None = None
    interceptions: tuple[Interception, ...] = ()
    span: Span | None = field(default=None, compare=False)
