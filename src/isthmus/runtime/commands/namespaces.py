"""`show namespaces`: the network namespaces that the configuration names, and how they stand."""

from __future__ import annotations

from isthmus.engine.report import FrontendFacts, ListenerFacts, NamespaceFacts
from isthmus.runtime.registry import Request, command

_COLUMNS = "name path state optional listed inode reentered sockets ready listeners sessions error"


_REFUSALS = "frontend bind namespace bad_proxy_headers unlisted_namespaces"


@command("show namespaces", "list the network namespaces that the configuration names")
def show_namespaces(request: Request) -> str:
    """Return a line for each namespace and for each bind that refused PROXY headers; `-` is nothing."""
    snapshot = request.instance.engine.snapshot()
    refusals = (
        _refusals(frontend, bind)
        for frontend in snapshot.frontends
        for bind in frontend.listeners
        if bind.counters.bad_proxy_headers
    )
    return f"# {_COLUMNS}\n{''.join(map(_line, snapshot.namespaces))}# {_REFUSALS}\n{''.join(refusals)}"


def _refusals(frontend: FrontendFacts, bind: ListenerFacts) -> str:
    """Return how many headers were refused, and how many of these for an unlisted namespace."""
    counts = f"{bind.counters.bad_proxy_headers} {bind.counters.unlisted_namespaces}"
    return f"{frontend.name} {bind.name} {bind.namespace or '-'} {counts}\n"


def _line(each: NamespaceFacts) -> str:
    flags = ("yes" if each.optional else "no", "yes" if each.listed else "no")
    counts = (
        each.inode,
        each.reentered,
        each.sockets_created,
        each.sockets_ready,
        each.listeners,
        each.sessions,
    )
    state = "present" if each.present else "absent"
    error = each.error.replace(" ", "_") or "-"
    return " ".join([each.name, each.path, state, *flags, *map(str, counts), error]) + "\n"
