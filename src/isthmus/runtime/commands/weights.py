"""Commands that change servers: states, health, weights. Names are resolved here."""

from __future__ import annotations

import re

from isthmus.engine.command import AdminState, Command, SetServerAdmin, SetServerHealth, SetServerWeight
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_USAGE = "usage: set server <backend>/<server> health | state | weight"
_NOT_YET = (
    "addr",
    "agent",
    "agent-addr",
    "agent-port",
    "agent-send",
    "check-addr",
    "check-port",
    "fqdn",
    "ssl",
)


@command("get weight", "report a server's current weight", syntax="<bk>/<srv>")
def get_weight(request: Request) -> str:
    """Return the weight that an operator set, and the configured one."""
    _, server = request.instance.server(request.argument(0))
    return f"{server.user_weight} (initial {server.initial_weight})\n"


@command(
    "set weight",
    "change a server's weight (use 'set server' instead)",
    syntax="<bk>/<srv>  (DEPRECATED)",
    level=Level.ADMIN,
)
def set_weight(request: Request) -> str:
    """Change a server's weight."""
    backend, server = request.instance.server(request.argument(0))
    return _weight(request, backend, server, request.argument(1))


@command(
    "disable server",
    "disable a server for maintenance (use 'set server' instead)",
    syntax="(DEPRECATED)",
    level=Level.ADMIN,
)
def disable_server(request: Request) -> str:
    """Put a server into maintenance."""
    backend, server = request.instance.server(request.argument(0))
    return _state(request, backend, server, AdminState.MAINT)


@command(
    "enable server",
    "enable a disabled server (use 'set server' instead)",
    syntax=" (DEPRECATED)",
    level=Level.ADMIN,
)
def enable_server(request: Request) -> str:
    """Take a server out of maintenance. A drained one keeps draining, as with HAProxy."""
    backend, server = request.instance.server(request.argument(0))
    draining = bool(server.admin_state & 8)
    return _state(request, backend, server, AdminState.DRAIN if draining else AdminState.READY)


@command(
    "set server",
    "change a server's state, weight or health",
    syntax="<bk>/<srv> [opts]",
    level=Level.ADMIN,
)
def set_server(request: Request) -> str:
    """Change one thing about a server."""
    backend, server = request.instance.server(request.argument(0))
    what, value = request.argument(1), request.argument(2)
    if what == "weight":
        return _weight(request, backend, server, value)
    if what == "state":
        if value not in tuple(AdminState):
            raise CommandError("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
        return _state(request, backend, server, AdminState(value))
    if what == "health":
        return _health(request, backend, server, value)
    if what in _NOT_YET:
        raise CommandError(f"'set server <srv> {what}' is not implemented.")
    raise CommandError(_USAGE)


def _state(request: Request, backend: BackendFacts, server: ServerFacts, state: AdminState) -> str:
    if state is not AdminState.MAINT and request.instance.checker.returns_down(backend.name, server.name):
        _command(request.instance, SetServerHealth(backend.name, server.name, False, "init-state"))
    _command(request.instance, SetServerAdmin(backend.name, server.name, state))
    request.instance.checker.set_maintenance(backend.name, server.name, state is AdminState.MAINT)
    return ""


def _health(request: Request, backend: BackendFacts, server: ServerFacts, value: str) -> str:
    if server.tracked:
        raise CommandError("cannot change health on a tracking server.")
    if value == "stopping":
        raise CommandError("'set server <srv> health stopping' is not implemented; use 'state drain'.")
    if value not in ("up", "down"):
        raise CommandError("'set server <srv> health' expects 'up', 'stopping', or 'down'.")
    up = value == "up"
    wanted = SetServerHealth(backend.name, server.name, up, "changed from CLI")
    _command(request.instance, wanted, wanted.reason)
    request.instance.checker.set_health(backend.name, server.name, up)
    return ""


def _weight(request: Request, backend: BackendFacts, server: ServerFacts, text: str) -> str:
    weight = parse_weight(text, server.initial_weight)
    if backend.algorithm in ("static-rr", "source", "hash") and weight not in (0, server.initial_weight):
        # Observed: the map-based algorithms lay their map out at start, and take a weight back or off only.
        raise CommandError("Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.")
    _command(request.instance, SetServerWeight(backend.name, server.name, weight))
    return ""


def parse_weight(text: str, initial: int) -> int:
    """Read `N`, 0 to 256, or `N%` of the initial weight. Raises CommandError in HAProxy's words."""
    if not text:
        raise CommandError("Require <weight> or <weight%>.")
    found = re.match(r"(-?\d{1,9})(%?)", text, re.ASCII)
    if found is None:
        raise CommandError("Empty weight string empty or preceded by garbage")
    number, relative = int(found[1]), bool(found[2])
    if found.end() != len(text):
        raise CommandError("Trailing garbage in weight string")
    if relative and number < 0:
        raise CommandError("Relative weight must be positive.")
    if not relative and not 0 <= number <= 256:
        raise CommandError("Absolute weight can only be between 0 and 256 inclusive.")
    return min(256, initial * number // 100) if relative else number


def _command(instance: Instance, wanted: Command, reason: str = "") -> None:
    """Ask the engine; what it refuses is told to the operator."""
    try:
        instance.announcer.change(wanted, reason)
    except LookupError:
        # Between looking and asking, a new configuration took the server away.
        raise CommandError("No such server.") from None
    except ValueError as error:
        raise CommandError(str(error)) from None
