"""Namespaces that the control plane itself uses: those of stats sockets, health checks and name servers.

The engine makes sockets in the namespaces of its plan, which it knows by name; here they are files.
"""

from __future__ import annotations

from msgspec.structs import replace

from isthmus import records
from isthmus.engine import Engine
from isthmus.plan import Built
from isthmus.plan.document import Namespace

_FOLDER = "/run/netns/"


def complete(built: Built) -> Built:
    """Return a configuration whose plan names those namespaces too that only the control plane uses.

    They stand behind the others, whose indexes therefore stay. They count as optional for the engine: one
    that is missing is told by the socket, the check or the question that needs it.
    """
    wanted = [socket.namespace.path for socket in built.runtime.sockets if socket.namespace is not None]
    wanted += [
        check.target.namespace
        for check in built.health.checks
        if check.target is not None and check.target.namespace is not None
    ]
    wanted += [
        each.namespace.path
        for section in built.resolvers
        for each in section.nameservers
        if each.namespace is not None
    ]
    known = {each.path for each in built.engine.namespaces}
    more = tuple(
        Namespace(path.removeprefix(_FOLDER), path, True)
        for path in dict.fromkeys(wanted)
        if path not in known
    )
    if not more:
        return built
    plan = replace(built.engine, namespaces=built.engine.namespaces + more)
    return records.replace(built, engine=plan)


class NamespaceSockets:
    """Makes sockets in namespaces that are given by their files."""

    def __init__(self, engine: Engine, built: Built) -> None:
        self._engine = engine
        self._names: dict[str, str] = {}
        self.use(built)

    def use(self, built: Built) -> None:
        """Follow another configuration from now on."""
        self._names = {each.path: each.name for each in built.engine.namespaces}

    def make(self, file: str, family: int, kind: int) -> int:
        """Return the descriptor of a fresh non-blocking socket in the namespace of a file; raises OSError."""
        return self._engine.socket(self._names.get(file, file), family, kind)
