"""What became of one expectation. Pure data; `checking` makes it, `matrix` prints it."""

from __future__ import annotations

import errno
import os
from ipaddress import IPv4Address, IPv6Address

from isthmus.network.model import Expectation
from isthmus.records import dataclass

IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Verdict:
    """An expectation, whether it held, what was observed, and, where it did not hold, why."""

    expectation: Expectation
    ok: bool
    observed: str
    why: str = ""


_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ENETUNREACH: "no route",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ETIMEDOUT: "timed out",
    errno.EACCES: "prohibited",
    errno.EPERM: "not permitted to send",
    errno.EINVAL: "no way out (blackhole)",
}

SILENCE = "timed out"
"""What is observed where nothing came back, not even an error."""


def error_words(error: OSError) -> str:
    """Say what an error of a socket means, in an operator's words."""
    if error.errno is None:
        return SILENCE if isinstance(error, TimeoutError) else str(error).lower()
    return _WORDS.get(error.errno) or os.strerror(error.errno).lower()


def duration_words(seconds: float) -> str:
    """Write a duration with the unit that fits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def rate_words(bits: float) -> str:
    """Write a rate, in bits per second, with the unit that fits it."""
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{bits / size:.3g} {unit}" if bits < size * 100 else f"{bits / size:.0f} {unit}"
    return f"{bits:.0f} bit/s"
