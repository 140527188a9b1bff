"""What nftables does for a namespace: translation of addresses, a firewall, interception."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from isthmus.config import Span
from isthmus.records import dataclass, field

AnyNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of one protocol (tcp or udp), both ends included."""

    protocol: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Masquerade:
    """What leaves by `out` (any link where None) from `sources` (all where empty) gets its address."""

    out: str | None = None
    sources: tuple[AnyNetwork, ...] = ()
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PortForward:
    """Connections to `listen` on this namespace's addresses go to `to` (its port: the same where None).

    `incoming` restricts it to what enters by one link, `address` to one of the namespace's addresses.
    """

    listen: Ports
    to: IPv4Address | IPv6Address
    to_port: int | None = None
    incoming: str | None = None
    address: IPv4Address | IPv6Address | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Nat:
    """Address translation of one namespace."""

    masquerades: tuple[Masquerade, ...] = ()
    forwards: tuple[PortForward, ...] = ()


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """One line of a firewall. An empty tuple means any.

    `sources` and `destinations` are named networks resolved to their prefixes, or prefixes. `icmp`
    matches ICMP and ICMPv6 in place of ports.
    """

    allow: bool
    sources: tuple[AnyNetwork, ...] = ()
    destinations: tuple[AnyNetwork, ...] = ()
    ports: tuple[Ports, ...] = ()
    icmp: bool = False
    incoming: str | None = None
    outgoing: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """One direction of a firewall: first rule that matches decides, else the policy."""

    allow_by_default: bool = True
    rules: tuple[FirewallRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Firewall:
    """The filter of one namespace. Stateful: what answers an allowed connection is allowed.

    Loopback is never filtered, nor are neighbour and router discovery of IPv6.
    """

    input: Chain | None = None
    forward: Chain | None = None
    output: Chain | None = None
    stateful: bool = True
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Interception:
    """TPROXY: connections passing through the namespace to `ports` reach the listener at `listener_port`.

    The listener is a transparent bind. `address` None leaves the wildcard address. `mark` selects
    the policy rule and the table (both made with it) that deliver the packets locally.
    """

    ports: Ports
    listener_port: int
    address: IPv4Address | IPv6Address | None = None
    sources: tuple[AnyNetwork, ...] = ()
    destinations: tuple[AnyNetwork, ...] = ()
    incoming: str | None = None
    mark: int = 0x1
    table: int = 100
    span: Span | None = field(default=None, compare=False)
