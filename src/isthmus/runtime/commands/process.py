"""Commands about the process: its version, environment, threads."""

from __future__ import annotations

import time

from isthmus import product
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


@command("show version", "show version of the current process", of_process=True)
def show_version(request: Request) -> str:
    """Return the version, in HAProxy's form."""
    return product.FULL_VERSION + "\n"


@command(
    "show env",
    "dump environment variables known to the process",
    syntax="[var]",
    level=Level.OPERATOR,
    of_process=True,
)
def show_env(request: Request) -> str:
    """Return the environment as the configuration left it, or one variable of it."""
    known = request.instance.environment
    name = request.argument(0)
    if not name:
        return "".join(f"{each}={value}\n" for each, value in known.items())
    if name not in known:
        raise CommandError("Variable not found")
    return f"{name}={known[name]}\n"


@command("show startup-logs", "report logs emitted during the start", of_process=True)
def show_startup_logs(request: Request) -> str:
    """Return what the process said on its console until it served."""
    return request.instance.startup


@command("show activity", "show per-thread activity stats (for support/developers)")
def show_activity(request: Request) -> str:
    """Return what the workers did. The fields are those of HAProxy that mean something here."""
    facts = request.instance.engine.snapshot().process
    fields = {
        "thread_id": f"1 (1..{facts.nbthread})",
        "date_now": f"{time.time():.6f}",
        "accepted": facts.cum_conns,
        "idle_pct": facts.idle_percent,
        "generation": facts.generation,
        "failed_sessions": facts.failed_sessions,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())
