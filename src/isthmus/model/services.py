"""What section `global` says about services written in Python. Times are milliseconds."""

from __future__ import annotations

from isthmus.records import dataclass
from isthmus.services.registry import Service


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The services that `python-load` files registered, and how they are run.

    `threads` is how many plain ones run at once, `queue` how many requests may wait for a service to begin,
    `timeout` how long one may stay silent; 0 is for ever.
    """

    registered: tuple[Service, ...] = ()
    threads: int = 16
    queue: int = 1000
    timeout: int = 60_000
