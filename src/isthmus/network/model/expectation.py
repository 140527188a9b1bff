"""What a network promises: who reaches whom, as whom, how fast."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from isthmus.config import Span
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """Where an expectation points: a namespace (one of its addresses is chosen) or an address."""

    name: str | None = None
    address: IPv4Address | IPv6Address | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits: a round trip takes at most `latency` seconds, at least `throughput` bits per second pass."""

    latency: float | None = None
    throughput: float | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """`red can ping blue`, `red cannot ping 10.0.0.1`, `red can ping blue within 5ms`."""

    source: str
    target: Target
    possible: bool = True
    bound: Bound = Bound()


@dataclass(frozen=True, slots=True)
class Reach:
    """`red can reach blue:5432/tcp within 5ms at 100mbit`, `red cannot reach 10.0.0.1:53/udp`."""

    source: str
    target: Target
    protocol: str
    port: int
    possible: bool = True
    bound: Bound = Bound()


@dataclass(frozen=True, slots=True)
class ReachAs:
    """`red reaches 10.0.0.1:80 as 10.0.0.7`: the address that the far end sees."""

    source: str
    target: Target
    port: int
    seen: IPv4Address | IPv6Address
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of `expect:`: the sentence as written and what it means."""

    sentence: str
    meaning: Ping | Reach | ReachAs
    span: Span | None = field(default=None, compare=False)
