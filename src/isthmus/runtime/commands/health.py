"""Commands that stop health checks and go on with them: `disable health`, `enable health`."""

from __future__ import annotations

from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


@command("disable health", "disable health checks", level=Level.ADMIN)
def disable_health(request: Request) -> str:
    """Stop the check of a server; the state that the last ones gave it stays."""
    backend, server = request.instance.server(request.argument(0))
    request.instance.checker.set_stopped(backend.name, server.name, stopped=True)
    return ""


@command("enable health", "enable health checks", level=Level.ADMIN)
def enable_health(request: Request) -> str:
    """Go on with the check of a server, or begin with that of one which was added at run time."""
    backend, server = request.instance.server(request.argument(0))
    if not request.instance.checker.set_stopped(backend.name, server.name, stopped=False):
        raise CommandError("Health check was not configured on this server, cannot enable.")
    return ""
