"""Commands that open and close frontends: `enable`, `disable`, `shutdown frontend`. Their sessions go on."""

from __future__ import annotations

from isthmus.engine.command import FrontendState, SetFrontendState
from isthmus.engine.report import FrontendFacts
from isthmus.health.messages import Message
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_WARNING = 4


@command("disable frontend", "temporarily disable specific frontend", syntax="<frontend>", level=Level.ADMIN)
def disable_frontend(request: Request) -> str:
    """Release the ports of a frontend until it is enabled again."""
    frontend = _living(request, "disable")
    if frontend.status == "PAUSED":
        raise CommandError("All sockets are already disabled.")
    _set(request.instance, frontend, FrontendState.PAUSED, f"Paused frontend {frontend.name}.")
    return ""


@command("enable frontend", "re-enable specific frontend", syntax="<frontend>", level=Level.ADMIN)
def enable_frontend(request: Request) -> str:
    """Open the ports of a frontend that was disabled."""
    frontend = _living(request, "enable")
    if frontend.status != "PAUSED":
        raise CommandError("All sockets are already enabled.")
    _set(request.instance, frontend, FrontendState.OPEN, f"Resumed frontend {frontend.name}.")
    return ""


@command("shutdown frontend", "stop a specific frontend", syntax="<frontend>", level=Level.ADMIN)
def shutdown_frontend(request: Request) -> str:
    """Release the ports of a frontend for good."""
    instance = request.instance
    frontend = instance.frontend(request.argument(0))
    if _shut(instance, frontend):
        raise CommandError("Frontend was already shut down.")
    backends = (each for each in instance.engine.snapshot().backends if each.name == frontend.name)
    served = sum(each.counters.stot for each in backends)
    counts = f"FE: {frontend.counters.conn_tot}, BE: {served}"
    text = f"Proxy {frontend.name} stopped (cumulated conns: {counts})."
    _set(instance, frontend, FrontendState.SHUT, text)
    return ""


def _living(request: Request, verb: str) -> FrontendFacts:
    frontend = request.instance.frontend(request.argument(0))
    if _shut(request.instance, frontend):
        raise CommandError(f"Frontend was previously shut down, cannot {verb}.")
    return frontend


def _shut(instance: Instance, frontend: FrontendFacts) -> bool:
    """Whether a frontend is closed for good. One whose listeners wait for namespaces shows STOP as well."""
    waiting = any(each.status == "WAITING" for each in frontend.listeners)
    return frontend.status == "STOP" and not waiting


def _set(instance: Instance, frontend: FrontendFacts, state: FrontendState, text: str) -> None:
    try:
        instance.engine.command(SetFrontendState(frontend.name, state))
    except LookupError as error:
        raise CommandError(f"Failed to change frontend {frontend.name}: {error}") from None
    instance.announcer.log(Message(frontend.name, _WARNING, text))
