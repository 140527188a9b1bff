"""Certificates that authorities issue: `acme renew`, `acme status`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from isthmus.engine import describe_certificates
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_COLUMNS = (
    *("certificate", "section", "state", "expiration date (UTC)", "expires in"),
    *("scheduled date (UTC)", "scheduled in"),
)


@command("acme renew", "ask for a certificate now", syntax="<certfile>", level=Level.ADMIN)
def acme_renew(request: Request) -> str:
    """Ask for a certificate at once; the log tells what comes of it."""
    name = request.argument(0)
    if not name:
        raise CommandError("'acme renew' expects a certificate name")
    keeper = request.instance.keeper
    kept = keeper.kept.get(name) if keeper is not None else None
    if kept is None:
        raise CommandError(f"Can't renew the certificate: no `load` line has '{name}' issued by ACME!")
    if kept.running:
        raise CommandError(f"Can't renew the certificate: '{name}' is being asked for already!")
    kept.wanted.set()
    return ""


@command("acme status", "show the certificates that authorities issue", level=Level.OPERATOR)
def acme_status(request: Request) -> str:
    """Return a line for each certificate, tabs between its columns."""
    keeper = request.instance.keeper
    known = request.instance.certificates.certificates.all()
    lines = ["# " + "\t".join(_COLUMNS)]
    for kept in keeper.kept.values() if keeper is not None else ():
        held = known.get(kept.name)
        if held is None or held.ordered is None:
            continue
        found = describe_certificates(held.chain)
        expires = float(found[0].not_after) if found and not held.ordered.interim else None
        state = "Running" if kept.running else "Stopped" if kept.due is None else "Scheduled"
        lines.append("\t".join((kept.name, held.ordered.section, state, *_when(expires), *_when(kept.due))))
    return "".join(f"{line}\n" for line in lines)


def _when(second: float | None) -> tuple[str, str]:
    """Return a second since 1970 as a date, and how long it is until then."""
    if second is None:
        return "-", "-"
    left = max(0, int(second - time.time()))
    at = datetime.fromtimestamp(second, UTC)
    return (
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        f"{left // 86400}d {left // 3600 % 24}h{left // 60 % 60:02}m{left % 60:02}s",
    )
