"""The lines in which HAProxy tells of proxies and servers: at SIGHUP and when it stops."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.engine.report import FrontendFacts, Snapshot
from isthmus.engine.served import BackendFacts, ServerFacts


def lines(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Return proxy and line of the state of every proxy and server, as at SIGHUP."""
    backends = {backend.name: backend for backend in snapshot.backends}
    fronts = {frontend.name: frontend for frontend in snapshot.frontends}
    for name in _in_order(snapshot):
        yield name, f"SIGHUP received, dumping servers states for proxy {name}."
        backend = backends.get(name)
        for server in backend.servers if backend else ():
            yield name, _server(name, server)
        yield name, _proxy(name, fronts.get(name), backend)


def farewells(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Return proxy and line of every proxy that stops."""
    backends = {backend.name: backend for backend in snapshot.backends}
    fronts = {frontend.name: frontend for frontend in snapshot.frontends}
    for name in _in_order(snapshot):
        front, back = fronts.get(name), backends.get(name)
        came = front.counters.conn_tot if front else 0
        went = back.counters.stot if back else 0
        yield name, f"Proxy {name} stopped (cumulated conns: FE: {came}, BE: {went})."


def _in_order(snapshot: Snapshot) -> list[str]:
    """Return the names of the proxies once each, in the order of their numbers."""
    numbered = [(each.id, each.name) for each in snapshot.frontends]
    numbered += [(each.id, each.name) for each in snapshot.backends]
    return list(dict.fromkeys(name for _, name in sorted(numbered)))


def _server(backend: str, server: ServerFacts) -> str:
    said = server.counters
    state = "UP" if server.op_state else "DOWN"
    return (
        f"SIGHUP: Server {backend}/{server.name} is {state}. "
        f"Conn: {said.scur} act, {said.qcur} pend, {said.stot} tot."
    )


def _proxy(name: str, front: FrontendFacts | None, back: BackendFacts | None) -> str:
    if back is None or not back.servers:
        state = "has no servers"
    elif back.active + back.backup == 0:
        state = "has no server available !"
    else:
        kind = "active" if back.active else "backup"
        state = f"has {back.active} active servers and {back.backup} backup servers available"
        state += "" if kind == "active" else ", running on backup servers"
    state = state if state.endswith("!") else f"{state}."
    now = (front.counters.scur if front else 0, back.counters.scur if back else 0)
    ever = (front.counters.stot if front else 0, back.counters.stot if back else 0)
    queued = back.counters.qcur if back else 0
    unassigned = queued - sum(each.counters.qcur for each in back.servers) if back else 0
    return (
        f"SIGHUP: Proxy {name} {state} Conn: act(FE+BE): {now[0]}+{now[1]}, "
        f"{queued} pend ({max(0, unassigned)} unass), tot(FE+BE): {ever[0]}+{ever[1]}."
    )
