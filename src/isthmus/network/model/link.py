"""Links: what joins namespaces, and what stands at each end."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from isthmus.config import Span
from isthmus.records import dataclass, field

AnyInterface = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class GeneratedMac:
    """The address 02:VV:VV:CC:CC:NN: locally administered, unicast, told apart by what it belongs to."""

    vlan: int
    context: int
    index: int

    def __str__(self) -> str:
        octets = (0x02, *divmod(self.vlan, 256), *divmod(self.context, 256), self.index)
        return ":".join(f"{octet:02x}" for octet in octets)


@dataclass(frozen=True, slots=True)
class Shaping:
    """What tc puts on the way out of a link.

    `rate` is in bits per second, `burst` in bytes, times in microseconds, `loss` in percent.
    Rate alone is a token bucket; delay, jitter and loss need netem.
    """

    rate: int | None = None
    burst: int | None = None
    delay: int | None = None
    jitter: int | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class BridgePort:
    """How a link takes part in a bridge that filters VLANs: the untagged one, and the tagged ones."""

    untagged: int | None = None
    tagged: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """One interface: where it stands, how it is called, what it carries.

    `master` is a bridge or VRF in the same namespace; `mac` None leaves the kernel's choice.
    """

    namespace: str
    name: str
    addresses: tuple[AnyInterface, ...] = ()
    mac: str | None = None
    mtu: int | None = None
    up: bool = True
    master: str | None = None
    port: BridgePort | None = None
    shaping: Shaping | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Veth:
    """A pair: what enters `Link.end` leaves at `peer`."""

    peer: End


@dataclass(frozen=True, slots=True)
class Bridge:
    """A switch. `forward_delay` in seconds; None leaves the kernel's default."""

    stp: bool = False
    vlan_filtering: bool = False
    forward_delay: int | None = None


@dataclass(frozen=True, slots=True)
class Macvlan:
    """An interface with an address of its own on a parent's wire. Mode: bridge, private, vepa, passthru."""

    parent_namespace: str
    parent: str
    mode: str = "bridge"


@dataclass(frozen=True, slots=True)
class Ipvlan:
    """An interface that shares its parent's link address. Mode: l2, l3, l3s; flag: bridge, private, vepa."""

    parent_namespace: str
    parent: str
    mode: str = "l2"
    flag: str = "bridge"


@dataclass(frozen=True, slots=True)
class Vlan:
    """One 802.1Q VLAN of a parent (protocol 802.1Q, or 802.1ad for service tags)."""

    parent_namespace: str
    parent: str
    identifier: int
    protocol: str = "802.1Q"


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A layer 2 network over UDP (RFC 7348). `remote` is one peer or a multicast group."""

    identifier: int
    remote: IPv4Address | IPv6Address | None = None
    local: IPv4Address | IPv6Address | None = None
    port: int = 4789
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Dummy:
    """An interface that swallows what it is given; for addresses that belong to no wire."""


@dataclass(frozen=True, slots=True)
class WireguardPeer:
    """Who may speak, where it is found (host and port), what it may carry; keepalive in seconds."""

    public_key: str
    endpoint: tuple[IPv4Address | IPv6Address, int] | None = None
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    keepalive: int | None = None
    preshared_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Wireguard:
    """A wireguard tunnel. Keys are base64; a key read from a file is held here and never shown."""

    private_key: str = field(repr=False)
    listen_port: int | None = None
    mark: int | None = None
    peers: tuple[WireguardPeer, ...] = ()


@dataclass(frozen=True, slots=True)
class Vrf:
    """A routing domain: links that have it as master use `table`."""

    table: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device that exists (a physical one) and is moved in; on down it goes back to `origin`."""

    origin: str
    original_name: str


LinkKind = Veth | Bridge | Macvlan | Ipvlan | Vlan | Vxlan | Dummy | Wireguard | Vrf | Device


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the file: its near end and what kind of link it is."""

    end: End
    kind: LinkKind
    span: Span | None = field(default=None, compare=False)
