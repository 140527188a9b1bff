"""What an address may be where it stands, and the rules of the statements that share them."""

from __future__ import annotations

from enum import Enum, Flag, auto

from isthmus.records import dataclass, replace


class Transport(Enum):
    """How bytes travel to and from an address."""

    STREAM = "stream"
    DATAGRAM = "datagram"
    MPTCP = "mptcp"
    QUIC = "quic"


class Family(Flag):
    """What kind of address it is."""

    INET = auto()
    UNIX = auto()
    ABSTRACT = auto()
    FD = auto()
    SOCKPAIR = auto()
    STANDARD = auto()
    RING = auto()
    BACKEND = auto()
    REVERSE = auto()


class PortNeed(Enum):
    """Whether a port is written."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What is accepted. `transport` is the default, `transports` what prefixes may ask for.

    `ranges` allows `:8000-8010`, `shifts` allows `:+N` and `:-N`, `names` host names. `longest_path` is
    in bytes: sun_path holds 107 and a NUL, and binding keeps some of it for a temporary name.
    """

    families: Family
    port: PortNeed
    transport: Transport = Transport.STREAM
    transports: frozenset[Transport] = frozenset({Transport.STREAM})
    ranges: bool = False
    shifts: bool = False
    names: bool = True
    longest_path: int = 107


_CONNECTED = frozenset({Transport.STREAM, Transport.MPTCP, Transport.QUIC})
_EITHER = frozenset({Transport.STREAM, Transport.DATAGRAM})
_SOCKETS = Family.INET | Family.UNIX | Family.ABSTRACT

BIND = AddressRules(
    _SOCKETS | Family.FD | Family.SOCKPAIR | Family.REVERSE,
    PortNeed.REQUIRED,
    transports=_CONNECTED,
    ranges=True,
    longest_path=97,
)
"""`bind` and `stats socket`; several addresses may be joined with commas (`parse_addresses`)."""

SERVER = AddressRules(
    _SOCKETS | Family.SOCKPAIR | Family.REVERSE, PortNeed.OPTIONAL, transports=_CONNECTED, shifts=True
)
"""`server`. The unspecified address (`*`) is the client's destination, as is a port that is not given."""

SOURCE = AddressRules(_SOCKETS, PortNeed.OPTIONAL)
"""`source`, and `usesrc` with an address."""

LOG = AddressRules(
    _SOCKETS | Family.FD | Family.STANDARD | Family.RING | Family.BACKEND,
    PortNeed.OPTIONAL,
    Transport.DATAGRAM,
    _EITHER,
)
"""`log`."""

NAMESERVER = AddressRules(_SOCKETS, PortNeed.REQUIRED, Transport.DATAGRAM, _EITHER)
"""`nameserver`."""

DGRAM_BIND = AddressRules(
    Family.INET | Family.UNIX | Family.FD,
    PortNeed.REQUIRED,
    Transport.DATAGRAM,
    frozenset({Transport.DATAGRAM}),
    ranges=True,
    longest_path=97,
)
"""`dgram-bind`."""

PEER = replace(SERVER, port=PortNeed.REQUIRED, shifts=False)
"""`peer` lines and their like, which name a port."""

HOST = AddressRules(Family.INET, PortNeed.FORBIDDEN)
"""A lone address or host name, as behind `addr`."""
