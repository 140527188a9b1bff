"""A configuration that runs with one server more, or one less (`add server`, `del server`).

Everything else stays as it was built: no host name is looked up again, no file is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from isthmus import records
from isthmus.config import Diagnostics
from isthmus.keywords.codes import NOT_AT_RUN_TIME
from isthmus.keywords.world import World
from isthmus.model.configuration import Configuration
from isthmus.model.proxy import Proxy
from isthmus.model.server import Server
from isthmus.plan import document
from isthmus.plan.built import Built
from isthmus.plan.expressions import Names
from isthmus.plan.health import check
from isthmus.plan.names import Namespaces, Proxies
from isthmus.plan.servers import ServerMaker, host_names
from isthmus.plan.tls_lines import with_lines


class PointedToError(Exception):
    """A server that something else in the configuration names cannot be taken out."""


def backend_index(plan: document.Plan, name: str) -> int | None:
    """Return the index of a backend, None where the plan has none of that name."""
    return next((at for at, each in enumerate(plan.backends) if each.name == name), None)


def with_server(built: Built, at: int, server: Server, world: World, diagnostics: Diagnostics) -> Built:
    """Return the configuration with a server more, behind the others of the backend with index `at`.

    Its check waits for `enable health`. What is wrong goes to `diagnostics`; where they have `failed`
    afterwards, the result is not to be used.
    """
    backend = built.engine.backends[at].name
    configuration, proxy = _with(built.configuration, backend, server)
    # What is to be said of the other lines was said when they were read.
    plan, tls = with_lines(built.engine, configuration, Diagnostics())
    tls.tell(diagnostics)
    namespaces = Namespaces(plan.namespaces)
    names = Names(Proxies(configuration.proxies), diagnostics)
    maker = ServerMaker(names, namespaces, world, diagnostics, tls)
    number = server.settings.id or free_id(each.id for each in plan.backends[at].servers)
    made = maker.make(server, proxy, number)
    if names.lists.files() or names.acls():
        message = "an expression cannot look into files of patterns or ACLs here"
        diagnostics.alert(NOT_AT_RUN_TIME, message, server.span)
    health = built.health
    if server.settings.check.enabled:
        checked = records.replace(check(server, made, proxy, diagnostics), waits=True)
        health = records.replace(health, checks=(*health.checks, checked))
    backends = _changed(plan.backends, at, servers=(*plan.backends[at].servers, made))
    alone = records.replace(proxy, servers=(server,))
    return records.replace(
        built,
        engine=replace(plan, namespaces=namespaces.all(), backends=backends, tls=tls.documents()),
        tls_spans=tls.files.spans(),
        health=health,
        host_names={**built.host_names, **host_names((alone,))},
        texts={},
        configuration=configuration,
        added=built.added | {(backend, server.name)},
    )


def without_server(built: Built, at: int, server: str) -> Built:
    """Return the configuration without one server of a backend. Namespaces that it used alone stay.

    Raises PointedToError where a rule, an expression or another server names it.
    """
    plan = built.engine
    backend = plan.backends[at].name
    place = next(i for i, each in enumerate(plan.backends[at].servers) if each.name == server)
    shifted: document.Plan = _Shift(at, place).over(plan, -1)
    left = tuple(each for each in shifted.backends[at].servers if each.name != server)
    key = (backend, server)
    proxies = tuple(
        records.replace(each, servers=tuple(s for s in each.servers if s.name != server))
        if each.is_backend and each.name == backend
        else each
        for each in built.configuration.proxies
    )
    checks = tuple(each for each in built.health.checks if (each.backend, each.server) != key)
    return records.replace(
        built,
        engine=replace(shifted, backends=_changed(shifted.backends, at, servers=left)),
        health=records.replace(built.health, checks=checks),
        host_names={each: name for each, name in built.host_names.items() if each != key},
        texts={},
        configuration=records.replace(built.configuration, proxies=proxies),
        added=built.added - {key},
    )


def free_id(taken: Iterable[int]) -> int:
    """Return the lowest number that no server of a backend has."""
    used = set(taken)
    return next(number for number in range(1, len(used) + 2) if number not in used)


def _with(said: Configuration, backend: str, server: Server) -> tuple[Configuration, Proxy]:
    """Return the configuration and the proxy with a server more."""
    at = next(i for i, each in enumerate(said.proxies) if each.is_backend and each.name == backend)
    proxy = records.replace(said.proxies[at], servers=(*said.proxies[at].servers, server))
    proxies = (*said.proxies[:at], proxy, *said.proxies[at + 1 :])
    return records.replace(said, proxies=proxies), proxy


def _changed(
    backends: tuple[document.Backend, ...], at: int, **changes: object
) -> tuple[document.Backend, ...]:
    return (*backends[:at], replace(backends[at], **changes), *backends[at + 1 :])


class _Shift:
    """Moves the indexes of the servers behind one that goes, wherever a plan holds any."""

    def __init__(self, backend: int, server: int) -> None:
        self._backend = backend
        self._server = server

    def over(self, value: Any, backend: int) -> Any:  # noqa: ANN401  (any part of a plan)
        """Return a part of a plan with the indexes moved; `backend` is the one that the part belongs to."""
        match value:
            case document.ArgServer(of, server):
                return replace(value, server=self._moved(of, server))
            case document.FixedServer(server):
                return replace(value, server=self._moved(backend, server))
            case document.Server(track=(of, server)):
                value = replace(value, track=(of, self._moved(of, server)))
            case document.Plan():
                backends = tuple(self.over(each, at) for at, each in enumerate(value.backends))
                return replace(self._fields(value, ("backends",), -1), backends=backends)
            case tuple():
                changed = [self.over(each, backend) for each in value]
                same = all(a is b for a, b in zip(changed, value, strict=True))
                return value if same else tuple(changed)
        return self._fields(value, ("track",), backend) if isinstance(value, Struct) else value

    def _fields(self, value: Struct, but: tuple[str, ...], backend: int) -> Any:  # noqa: ANN401
        changes = {}
        for name in value.__struct_fields__:
            held = getattr(value, name)
            if name not in but and isinstance(held, Struct | tuple):
                changed = self.over(held, backend)
                if changed is not held:
                    changes[name] = changed
        return replace(value, **changes) if changes else value

    def _moved(self, backend: int, server: int) -> int:
        if backend != self._backend or server < self._server:
            return server
        if server == self._server:
            raise PointedToError
        return server - 1
