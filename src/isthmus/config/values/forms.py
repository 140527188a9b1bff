"""What an address may turn out to be (manual 11). Parsing is in `addresses`."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from isthmus.config.values.ports import PortRange, Ports
from isthmus.config.values.rules import Family, Transport
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class InetAddress:
    """An internet address. `host` is an address, or a str that is a name to be resolved.

    `version` is 4 or 6 where a prefix or the address itself says so, else None. `*` and an empty host are
    the unspecified address, of IPv4 unless the prefix says IPv6.
    """

    host: IPv4Address | IPv6Address | str
    ports: Ports
    version: Literal[4, 6] | None
    transport: Transport

    @property
    def is_any(self) -> bool:
        """Whether the host is the unspecified address: `*`, `0.0.0.0`, `::` or nothing."""
        return not isinstance(self.host, str) and self.host.is_unspecified

    @property
    def port(self) -> int | None:
        """The port, where it is one port."""
        return self.ports.first if isinstance(self.ports, PortRange) and self.ports.count == 1 else None


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket in the file system."""

    path: str
    transport: Transport


@dataclass(frozen=True, slots=True)
class AbstractAddress:
    """A socket in Linux's abstract name space.

    `padded` names (`abns@`) are filled with NULs to the whole length of sun_path; the others (`abnsz@`)
    end where the name ends, as most other programs have it.
    """

    name: str
    padded: bool
    transport: Transport


@dataclass(frozen=True, slots=True)
class FdAddress:
    """A file descriptor inherited from the parent."""

    fd: int
    transport: Transport


@dataclass(frozen=True, slots=True)
class SockpairAddress:
    """A connected unix socket over which connections arrive as descriptors."""

    fd: int


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """Something of this program with a name: `stdout`, `stderr`, a ring, a backend, a reverse connection."""

    family: Family
    name: str


Address = InetAddress | UnixAddress | AbstractAddress | FdAddress | SockpairAddress | NamedAddress
