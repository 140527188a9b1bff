"""Services: commands that run inside a namespace, and what happens around them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from isthmus.config import Span
from isthmus.records import dataclass, field


class Phase(StrEnum):
    """When a hook runs. `initialize` once, before the first start since the network was made."""

    INITIALIZE = "initialize"
    PRE_START = "pre-start"
    POST_START = "post-start"
    PRE_STOP = "pre-stop"
    POST_STOP = "post-stop"


class HookPlace(StrEnum):
    """Whose namespaces a hook runs in."""

    SERVICE = "service"
    HOST = "host"


class Restart(StrEnum):
    """When a service that ended is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Hook:
    """A command at one point of a service's life."""

    phase: Phase
    command: tuple[str, ...]
    place: HookPlace = HookPlace.SERVICE
    timeout: float = 30.0
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Readiness:
    """When a service counts as started.

    A TCP port that accepts (in its namespace), or a command that succeeds;
    `timeout` and `interval` in seconds. Without either: when the process runs.
    """

    tcp: tuple[str, int] | None = None
    command: tuple[str, ...] = ()
    timeout: float = 30.0
    interval: float = 0.1


@dataclass(frozen=True, slots=True)
class Service:
    """A command in a namespace. Several may share one. Times are in seconds.

    `command` is a vector: there is no shell unless it names one.
    """

    name: str
    namespace: str
    command: tuple[str, ...]
    hooks: tuple[Hook, ...] = ()
    readiness: Readiness | None = None
    needs: tuple[str, ...] = ()
    restart: Restart = Restart.NO
    restart_delay: float = 1.0
    environment: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    folder: Path | None = None
    stop_timeout: float = 10.0
    span: Span | None = field(default=None, compare=False)
