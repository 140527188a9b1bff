"""Commands that list backends and servers for programs: `show servers state` and its kin."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.registry import Request, command

_STATE_VERSION = 1
_STATE_COLUMNS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port "
    "srv_check_addr srv_agent_addr srv_agent_port srv_netns"
)
"""HAProxy's columns, and behind them the namespace: who reads by position finds what was there before."""
_FORCED, _CONFIGURED, _UNRESOLVED = 1, 4, 32
"""Bits of `srv_admin_state`. As HAProxy, a server that its line disables has the first two."""
_NOT_CHECKED = (1, 0, 2, 0)
"""Status, result, health and state of a server without a check, as HAProxy prints them."""


@command("show backend", "list backends in the current running config")
def show_backend(request: Request) -> str:
    """Return the backends' names."""
    return "# name\n" + "".join(f"{each.name}\n" for each in request.instance.engine.snapshot().backends)


@command(
    "show servers state",
    "dump volatile server information (all or for a single backend)",
    syntax="[<backend>]",
)
def show_servers_state(request: Request) -> str:
    """Return the states of servers in the form of HAProxy's state file, version 1."""
    lines = (_state(request.instance, backend, server) for backend, server in _chosen(request))
    return f"{_STATE_VERSION}\n# {_STATE_COLUMNS}\n" + "".join(lines)


@command(
    "show servers conn",
    "dump server connections status (all or for a single backend)",
    syntax="[<backend>]",
)
def show_servers_conn(request: Request) -> str:
    """Return how many connections servers have: used, waiting for the next request, needed at once."""
    threads = request.instance.engine.snapshot().process.nbthread
    head = (
        "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb "
        f"idle_lim idle_cur idle_per_thr[{threads}]\n"
    )
    lines = []
    for backend, server in _chosen(request):
        host, port = split_address(server.address)
        said = server.counters
        words = (
            f"{backend.name}/{server.name}",
            f"{backend.id}/{server.id}",
            host,
            port,
            "-",
            server.idle_purge_ms,
            said.used_connections,
            said.needed_connections,
            said.needed_connections,
            said.fresh_connections,
            said.proven_connections,
            server.idle_limit,
            said.fresh_connections + said.proven_connections,
            *server.idle_by_worker,
        )
        lines.append(" ".join(map(str, words)) + "\n")
    return head + "".join(lines)


def _chosen(request: Request) -> Iterator[tuple[BackendFacts, ServerFacts]]:
    """Return the servers of the backend that the argument names, or of all. Raises CommandError."""
    backends = request.instance.engine.snapshot().backends
    wanted = request.argument(0)
    if wanted and all(each.name != wanted for each in backends):
        raise CommandError("Can't find backend.")
    return ((each, server) for each in backends if wanted in ("", each.name) for server in each.servers)


def _state(instance: Instance, backend: BackendFacts, server: ServerFacts) -> str:
    host, port = split_address(server.address)
    name = instance.host_names.get((backend.name, server.name))
    unresolved = host == name
    admin = server.admin_state | (_FORCED if server.admin_state & _CONFIGURED else 0)
    checked = instance.checker.find(backend.name, server.name)
    if checked is None:
        status, result, health, state = _NOT_CHECKED
    else:
        # Result: 1 nothing yet, 2 failed, 3 passed. State: 2 configured, 4 enabled.
        passed = checked.outcome.passed
        status, health = checked.outcome.verdict.number, checked.counting.health
        if status == 1 and checked.check.waits:
            health = 0
        result = 0 if status == 1 else (3 if passed else 2)
        state = 2 if checked.paused or checked.stopped else 6
    words = (
        backend.id,
        backend.name,
        server.id,
        server.name,
        "-" if unresolved else host or "-",
        server.op_state,
        admin | (_UNRESOLVED if unresolved else 0),
        server.user_weight,
        server.initial_weight,
        server.last_change,
        status,
        result,
        health,
        state,
        0,
        0,
        0,
        name or "-",
        port,
        "-",
        0,
        0,
        "-",
        "-",
        0,
        server.namespace or "-",
    )
    return " ".join(map(str, words)) + "\n"


def split_address(address: str) -> tuple[str, str]:
    """Split `host:port` at its last colon; a path or another form without a port has port 0."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.lstrip("+").isdecimal():
        return address, "0"
    return host.strip("[]"), port
