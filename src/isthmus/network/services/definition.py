"""A service as its supervisor knows it: the model's service with its namespace resolved to files.

It is what travels over the control socket. Two services are the same where their fingerprints are.
"""

from __future__ import annotations

import hashlib

import msgspec

from isthmus.network.model import OUTSIDE, Hook, HookPlace, Namespace, Network, Phase, Readiness, Restart
from isthmus.network.model import Service as ServiceModel
from isthmus.network.spaces import OUTSIDE_PATH, Space, locate


class HookDefinition(msgspec.Struct, frozen=True):
    """A command at one point of a service's life; `timeout` in seconds."""

    phase: Phase
    command: tuple[str, ...]
    place: HookPlace
    timeout: float


class ReadinessDefinition(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a service counts as started.

    A port that accepts, a command that succeeds, or (`notify`) READY=1 sent to NOTIFY_SOCKET.
    """

    tcp: tuple[str, int] | None = None
    command: tuple[str, ...] = ()
    notify: bool = False
    timeout: float = 30.0
    interval: float = 0.1


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that the supervisor needs to run a service.

    `net` None stays in the supervisor's own namespace, which is the one outside. `content` stands
    for files that the service reads at its start: where they change, it is another service.
    """

    name: str
    namespace: str
    command: tuple[str, ...]
    net: str | None = None
    uts: str | None = None
    hooks: tuple[HookDefinition, ...] = ()
    readiness: ReadinessDefinition | None = None
    needs: tuple[str, ...] = ()
    restart: Restart = Restart.NO
    restart_delay: float = 1.0
    environment: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    folder: str | None = None
    stop_timeout: float = 10.0
    content: str = ""

    def of(self, phase: Phase) -> tuple[HookDefinition, ...]:
        """Return the hooks of one phase, in the order of the file."""
        return tuple(hook for hook in self.hooks if hook.phase is phase)

    @property
    def fingerprint(self) -> str:
        """A short text that changes when anything of the definition does."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


def define(service: ServiceModel, space: Space | None = None, content: str = "") -> Definition:
    """Make the definition of a service that runs in `space` (None: outside)."""
    outside = space is None or space.net == OUTSIDE_PATH
    return Definition(
        name=service.name,
        namespace=service.namespace,
        command=service.command,
        net=None if outside or space is None else str(space.net),
        uts=str(space.uts) if space is not None and space.uts is not None else None,
        hooks=tuple(_hook(hook) for hook in service.hooks),
        readiness=_readiness(service.readiness),
        needs=service.needs,
        restart=service.restart,
        restart_delay=service.restart_delay,
        environment=service.environment,
        user=service.user,
        # The supervisor has a working directory of its own.
        folder=str(service.folder.absolute()) if service.folder is not None else None,
        stop_timeout=service.stop_timeout,
        content=content,
    )


def fingerprint(service: ServiceModel, space: Space | None = None) -> str:
    """Return what changes when a service's definition or the place of its namespace does."""
    return define(service, space).fingerprint


def space_of(network: Network, name: str) -> Space:
    """Return the namespace that a service of the network names; `host` and `outside` need no entry."""
    for namespace in network.namespaces:
        if namespace.name == name:
            return locate(namespace, network.name)
    return locate(Namespace(name or OUTSIDE), network.name)


def _hook(hook: Hook) -> HookDefinition:
    return HookDefinition(hook.phase, hook.command, hook.place, hook.timeout)


def _readiness(said: Readiness | None) -> ReadinessDefinition | None:
    if said is None:
        return None
    return ReadinessDefinition(said.tcp, said.command, timeout=said.timeout, interval=said.interval)
