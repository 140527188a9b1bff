"""Commands that change how many connections there may be: `set maxconn` and its kin."""

from __future__ import annotations

import re

from isthmus.engine.command import (
    Command,
    RateLimit,
    SetFrontendMaxconn,
    SetMaxconn,
    SetRateLimit,
    SetServerMaxconn,
)
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_GARBAGE = "maxconn string empty or preceded by garbage"
_RATE_LIMITS = (
    "'set rate-limit' only supports :\n"
    "   - 'connections global' to set the per-process maximum connection rate\n"
    "   - 'sessions global' to set the per-process maximum session rate\n"
    "   - 'ssl-sessions global' to set the per-process maximum SSL session rate\n"
    "   - 'http-compression global' to set the per-process maximum compression speed in kB/s"
)
_MOST = 2**31 - 1
"""HAProxy's limits are ints."""


@command(
    "set maxconn server", "change a server's maxconn setting", syntax="<bk>/<srv> <value>", level=Level.ADMIN
)
def set_server_maxconn(request: Request) -> str:
    """Change the limit of a server's connections; those who wait come in at once where it allows more."""
    backend, server = request.instance.server(request.argument(0))
    text = request.argument(1)
    if not text:
        raise CommandError("Require <maxconn>.")
    found = re.match(r"\d{1,10}", text, re.ASCII)
    if found is None or found.end() != len(text):
        # HAProxy ends these two without an empty line.
        return "Trailing garbage in maxconn string" if found else _GARBAGE
    return _ask(request.instance, SetServerMaxconn(backend.name, server.name, _within(int(text), _MOST)))


@command(
    "set maxconn frontend",
    "change a frontend's maxconn setting",
    syntax="<frontend> <value>",
    level=Level.ADMIN,
)
def set_frontend_maxconn(request: Request) -> str:
    """Change the limit of a frontend's connections."""
    name = request.instance.frontend(request.argument(0)).name
    value = _number(request.argument(1), "Integer value expected.")
    return _ask(request.instance, SetFrontendMaxconn(name, _within(value, _MOST)))


@command("set maxconn global", "change the per-process maxconn setting", syntax="<value>", level=Level.ADMIN)
def set_global_maxconn(request: Request) -> str:
    """Change the limit of all client connections, to no more than what the configuration says."""
    hard = request.instance.engine.snapshot().process.hard_maxconn
    value = _number(request.argument(0), "Expects an integer value.")
    return _ask(request.instance, SetMaxconn(_within(value, hard or _MOST)))


@command("set rate-limit", "change a rate limiting value", syntax="<setting> <value>", level=Level.ADMIN)
def set_rate_limit(request: Request) -> str:
    """Change how many connections or sessions the process begins in a second, or how much it compresses.

    0 is any number.
    """
    what = request.argument(0)
    if what not in tuple(RateLimit) or request.argument(1) != "global":
        raise CommandError(_RATE_LIMITS)
    value = _within(_number(request.argument(2), "Expects an integer value."), _MOST)
    unit = 1024 if what == RateLimit.HTTP_COMPRESSION else 1
    return _ask(request.instance, SetRateLimit(RateLimit(what), value * unit))


def _number(text: str, complaint: str) -> int:
    if re.fullmatch(r"-?\d{1,19}", text, re.ASCII) is None:
        raise CommandError(complaint)
    return int(text)


def _within(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise CommandError("Value out of range.")
    return value


def _ask(instance: Instance, wanted: Command) -> str:
    try:
        instance.engine.command(wanted)
    except (LookupError, ValueError) as error:
        # Between looking and asking, a new configuration may have taken it away.
        raise CommandError(str(error)) from None
    return ""
