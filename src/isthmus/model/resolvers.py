"""Name servers, and how patiently they are asked (manual 5.3). Times are milliseconds."""

from __future__ import annotations

from enum import Enum

from isthmus.config import Span
from isthmus.model.address import Ip, Namespace
from isthmus.records import dataclass, field


class Carriage(Enum):
    """How questions travel to a name server.

    `EITHER` is UDP, and TCP for what does not fit into a datagram; `UDP` and `TCP` are that alone.
    """

    EITHER = "either"
    UDP = "udp"
    TCP = "tcp"


class Family(Enum):
    """A family of IP addresses, and its number in the names of the protocols."""

    IPV4 = 4
    IPV6 = 6


@dataclass(frozen=True, slots=True)
class Nameserver:
    """Who is asked; the socket is made in `namespace`, None being the default one."""

    name: str
    ip: Ip
    port: int
    carriage: Carriage = Carriage.EITHER
    namespace: Namespace | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Hold:
    """How long an answer of each status stands."""

    valid: int = 10_000
    obsolete: int = 0
    nx: int = 30_000
    refused: int = 30_000
    timeout: int = 30_000
    other: int = 30_000


@dataclass(frozen=True, slots=True)
class Resolvers:
    """A section `resolvers`.

    `retries` is how often a name is asked for before it is given up, `retry` how long each time may last,
    `resolve` the time between two resolutions where no other is said, `payload` the size of datagrams that
    name servers are told to keep to.
    """

    name: str
    nameservers: tuple[Nameserver, ...] = ()
    hold: Hold = Hold()
    retries: int = 3
    retry: int = 1000
    resolve: int = 1000
    payload: int = 512
    accept: frozenset[Family] = frozenset(Family)
    """The families of addresses that are asked for (`dns-accept-family`)."""
    accept_routed: bool = False
    """Whether IPv6 is one of them only while the machine has a default route for it."""
    span: Span | None = field(default=None, compare=False)

    @property
    def patience(self) -> int:
        """How long asking for one name lasts at most."""
        return max(1, self.retries) * max(1, self.retry)
