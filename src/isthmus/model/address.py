"""Addresses as a configuration means them: where it listens, where servers are, in which namespace."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from isthmus.config import Span
from isthmus.records import dataclass

Ip = IPv4Address | IPv6Address
"""An IP address of either family."""


@dataclass(frozen=True, slots=True)
class Inet:
    """TCP on an IP address; an unspecified address means every one of its family."""

    ip: Ip
    port: int


@dataclass(frozen=True, slots=True)
class Unix:
    """A stream socket in the file system."""

    path: str


@dataclass(frozen=True, slots=True)
class Abstract:
    """A Linux abstract socket: `abns@`, or `abnsz@` whose address ends behind the name."""

    name: str
    zero_terminated: bool = False


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`fd@N`: an inherited listening (bind) or established (server) socket."""

    fd: int


@dataclass(frozen=True, slots=True)
class SocketPair:
    """`sockpair@N`: a half of a socketpair(2) over which descriptors are passed."""

    fd: int


Listen = Inet | Unix | Abstract | Descriptor | SocketPair
"""Where a bind or stats socket listens."""


@dataclass(frozen=True, slots=True)
class HostName:
    """A name to look up; `family` 4 or 6 asks for addresses of that family alone."""

    name: str
    family: int | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """The port of a server: `number`, or the client's destination port shifted by it (`relative`)."""

    number: int
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Remote:
    """A server's IP address or host name; None is `*`, the client's destination address."""

    host: Ip | HostName | None
    port: Port


ServerAddress = Remote | Unix | Abstract | Descriptor | SocketPair
"""Where a server is."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace that a line names: its name, the file behind it, whether it may be missing, and where."""

    name: str
    path: str
    optional: bool
    span: Span


@dataclass(frozen=True, slots=True)
class ClientNamespace:
    """`namespace *`: the client connection's source namespace."""

    span: Span
