"""The whole way of a described connection, from bind to server, and on where a server leads back."""

from __future__ import annotations

from msgspec.structs import replace as changed

from isthmus.engine import explain as seam
from isthmus.explaining import entering, leaving
from isthmus.explaining.connection import Connection
from isthmus.explaining.places import Place, address, behind
from isthmus.explaining.report import BackendFound, Hop, ServerFound, Step
from isthmus.explaining.walking import Rules, Walk
from isthmus.plan import document
from isthmus.plan.document import http
from isthmus.records import replace

MOST_HOPS = 64
"""Binds that are looked at in all: branches of a configuration full of loops would have no end."""

OF_THE_BUFFER = (
    *("req", "payload", "rdp_cookie", "distcc", "wait_end", "acl"),
    *("path", "url", "base", "query", "method", "hdr", "cook", "http_auth", "capture.req"),
)
"""How fetches begin that wait, in TCP mode, for what the client sends."""

BLIND = (
    "rules see nothing of what the client sends: that takes `tcp-request inspect-delay` and a `tcp-request "
    "content` rule that waits for it"
)


class Route:
    """Follows a connection through a plan."""

    def __init__(self, plan: document.Plan, rules: Rules) -> None:
        self._plan = plan
        self._rules = rules
        self._left = MOST_HOPS
        self._names = [each.name for each in plan.namespaces]
        self._listed = frozenset(self._names[index] for index in plan.namespace_list)

    def hop(self, place: Place, connection: Connection, before: tuple[Place, ...] = ()) -> Hop:
        """Return what becomes of a connection that a bind accepted."""
        frontend = self._plan.frontends[place[0]]
        bind = frontend.binds[place[1]]
        name = None if bind.namespace is None else self._names[bind.namespace]
        hop = Hop(
            frontend=frontend.name,
            mode="tcp" if _http(frontend) is None else "http",
            bind=address(bind.address),
            origin=bind.origin,
            namespace=name,
            client=connection.client(),
        )
        if not connection.told:
            connection = replace(connection, namespace=name)
        walk = Walk(place, connection, steps=hop.steps, possible=hop.possible)
        self._frontend(hop, walk, frontend, bind)
        hop.answer = walk.answer
        if walk.answer is None:
            hop.backends = self._backends(walk, frontend, (*before, place))
            if not hop.backends:
                hop.answer = "503: no backend" if _http(frontend) else "no backend: the connection is closed"
        return hop

    def _frontend(self, hop: Hop, walk: Walk, frontend: document.Frontend, bind: document.Bind) -> None:
        rules, own = self._rules, _http(frontend)
        rules.walk(walk, frontend.connection_rules)
        if walk.answer is None:
            entering.terminate(rules, walk, hop, bind, http=own is not None)
        if walk.answer is None:
            rules.walk(walk, frontend.session_rules)
        if walk.answer is not None:
            return
        walk.looks = own is not None or self._waits(frontend)
        rules.walk(walk, frontend.content_rules)
        if own is None:
            if not walk.looks and (hop.steps or any(each.condition for each in frontend.backend_choices)):
                hop.notes.append(BLIND)
            return
        request = walk.connection.request
        uri = own.monitor_uri
        if walk.answer is None and uri is not None and request and request.target == uri:
            walk.answer = "answered as monitor-uri"
        if walk.answer is None:
            rules.walk(walk, own.common.request_rules)

    def _backends(
        self, walk: Walk, frontend: document.Frontend, before: tuple[Place, ...]
    ) -> list[BackendFound]:
        found: list[BackendFound] = []
        doubts: list[str] = []
        for choice in frontend.backend_choices:
            step = self._rules.step(walk, choice.origin, choice.condition)
            if step.holds is False:
                continue
            index = self._chosen(walk, choice.target, step)
            if index is not None:
                step.does = f"backend {self._plan.backends[index].name}"
                chosen = (choice.origin, step.holds is True and not doubts)
                found.append(self._backend(walk, index, chosen, before))
            if step.holds is True:
                if index is None:
                    # A name that no backend has: the default one serves.
                    step.does = "no backend has this name"
                    break
                return found
            doubts.append(choice.origin)
        if frontend.default_backend is not None:
            chosen = ("default_backend", not doubts)
            found.append(self._backend(walk, frontend.default_backend, chosen, before))
        return found

    def _chosen(self, walk: Walk, target: document.BackendTarget, step: Step) -> int | None:
        """Return the backend of a line. Where its name is not known, neither is its verdict."""
        if isinstance(target, document.FixedBackend):
            return target.backend
        said = self._rules.ask(seam.AskFormat(walk.described(), target.format))
        if said.text is None:
            step.holds, step.needs = None, [*step.needs, *said.needs]
            step.does = "a backend whose name is not known"
            return None
        names = [each.name for each in self._plan.backends]
        step.does = f"backend {said.text}"
        return names.index(said.text) if said.text in names else None

    def _backend(
        self, before: Walk, index: int, chosen: tuple[str, bool], places: tuple[Place, ...]
    ) -> BackendFound:
        """Follow a connection into a backend, with a walk of its own."""
        backend = self._plan.backends[index]
        frontend = self._plan.frontends[before.place[0]]
        found = BackendFound(backend.name, chosen[1], chosen[0])
        waits = self._waits(backend)
        walk = Walk(
            before.place, before.connection, index, before.looks or waits, found.steps, found.possible
        )
        if backend.disabled:
            found.answer = "the backend is disabled"
            return found
        own = backend.name == frontend.name and backend.content_rules == frontend.content_rules
        if not own:
            # The rules of a `listen` were walked through on its client side.
            self._rules.walk(walk, backend.content_rules)
            if walk.answer is None and backend.http is not None:
                self._become_http(walk, frontend)
            if walk.answer is None and backend.http is not None:
                self._rules.walk(walk, backend.http.common.request_rules)
        if walk.answer is not None:
            found.answer = walk.answer
            return found
        for server in leaving.candidates(self._rules, walk, found, backend):
            found.servers.append(self._server(walk, server, backend, places))
        if not found.servers:
            found.answer = "503: no server" if backend.http else "no server: the connection is closed"
        return found

    def _become_http(self, walk: Walk, frontend: document.Frontend) -> None:
        """Let a connection of a TCP frontend become HTTP, which then obeys the frontend's rules of HTTP."""
        if not frontend.switches or frontend.http is None:
            return
        wire = walk.connection.wire
        if isinstance(wire, seam.Hello):
            walk.answer = "TLS is no HTTP: answered with 400"
        elif isinstance(wire, seam.Bytes):
            walk.answer = "answered with 400 unless the bytes are a request"
        else:
            self._rules.walk(walk, frontend.http.common.request_rules)

    def _waits(self, proxy: document.Frontend | document.Backend) -> bool:
        """Whether content rules wait for what the client sends: some line must look at it."""
        return proxy.inspect_delay > 0 and any(map(self._looks, proxy.content_rules))

    def _looks(self, rule: document.Rule) -> bool:
        if isinstance(rule.action, document.Capture | document.Track):
            return True
        alternatives = rule.condition.any_of if rule.condition else ()
        acls = (self._plan.acls[term.acl] for terms in alternatives for term in terms)
        fetches = (test.expression.fetch for acl in acls for test in acl.tests)
        return any(fetch.name.startswith(OF_THE_BUFFER) for fetch in fetches)

    def _server(
        self, walk: Walk, server: document.Server, backend: document.Backend, places: tuple[Place, ...]
    ) -> ServerFound:
        found = leaving.told(self._rules, walk, server)
        source = walk.connection.namespace
        namespace = None if source is None else self._names.index(source)
        place = behind(self._plan, server, walk.connection.dst.port, namespace)
        if place is None:
            return found
        if place in places or self._left == 0:
            found.notes.append("leads back to a bind that the connection has passed: it goes in circles")
            return found
        self._left -= 1
        next_bind = self._plan.frontends[place[0]].binds[place[1]]
        now = leaving.arrived(self._rules, walk, server, found, next_bind)
        header = server.proxy_header
        if header is not None and header.version == 2 and next_bind.accept_proxy and source in self._listed:
            now = replace(now, told=True)
        if backend.http is not None:
            now = forwarded(now, self._plan.frontends[walk.place[0]], backend, server)
        found.next = self.hop(place, now, places)
        return found


def forwarded(
    now: Connection, frontend: document.Frontend, backend: document.Backend, server: document.Server
) -> Connection:
    """Return a request as it is sent on: with the headers that the proxy adds by itself."""
    request = now.request
    if request is None:
        return now
    sides = [side.common for side in (frontend.http, backend.http) if side is not None]
    added = [each.name for side in sides for each in (side.forwardfor, side.originalto) if each is not None]
    if frontend.http is not None and frontend.http.unique_id_header is not None:
        added.append(frontend.http.unique_id_header)
    if backend.http is not None:
        added += [backend.http.name_header or "", "forwarded" if backend.http.forwarded else ""]
    blurred = tuple((each.lower(), "what the proxy adds") for each in added if each)
    version = {http.ServerProtocol.H1: 1, http.ServerProtocol.H2: 2}.get(server.http.protocol)
    return replace(now, request=changed(request, version=version, changed=(*request.changed, *blurred)))


def _http(frontend: document.Frontend) -> document.http.HttpFrontend | None:
    """Return what a frontend that speaks HTTP from a connection's first byte says of it."""
    return None if frontend.switches else frontend.http
