"""The log lines about servers' states, in HAProxy's words, with their syslog severities."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.engine.report import Snapshot
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.health.outcome import Outcome
from isthmus.plan import Check
from isthmus.records import dataclass

EMERGENCY = 0
ALERT = 1
NOTICE = 5
_MAINTENANCE = 1 | 2 | 4
"""Bits of `srv_admin_state`: by an operator, inherited by tracking, by the configuration."""
_DRAIN = 8 | 16


@dataclass(frozen=True, slots=True)
class Message:
    """A line for the logs of a proxy."""

    proxy: str
    level: int
    text: str


def result(check: Check, outcome: Outcome, *, backup: bool, shown: str) -> Message:
    """Return the line of `option log-health-checks` about one result."""
    kind = "backup server" if backup else "server"
    verb = "succeeded" if outcome.passed else "failed"
    name = f"{kind} {check.backend}/{check.server}"
    text = f"Health check for {name} {verb}, {outcome.reason()}, status: {shown}."
    return Message(check.backend, NOTICE, text)


def warmed(backend: BackendFacts, server: ServerFacts) -> Message:
    """Return the line about the end of a server's slow start: as HAProxy, that it is up, once more."""
    via = f" via {server.tracked}" if server.tracked else ""
    return Message(backend.name, NOTICE, f"{_named(backend, server)} is UP{via}. {_online(backend)}")


def changes(before: Snapshot, after: Snapshot, reason: str) -> Iterator[Message]:
    """Return the lines about every server whose state changed between two moments.

    `reason` is why the one that was meant did; one that tracks it names it instead. `reason` is empty
    where it was logged already.
    """
    was = {each.name: {server.name: server for server in each.servers} for each in before.backends}
    for backend in after.backends:
        for server in backend.servers:
            earlier = was.get(backend.name, {}).get(server.name)
            if earlier is not None:
                for level, text in _change(backend, earlier, server, reason):
                    yield Message(backend.name, level, text)
    left = {each.name: each.active + each.backup for each in before.backends}
    for backend in after.backends:
        if backend.active + backend.backup == 0 and left.get(backend.name, 0) > 0:
            yield Message(backend.name, EMERGENCY, f"backend {backend.name} has no server available!")


def _change(
    backend: BackendFacts, earlier: ServerFacts, server: ServerFacts, reason: str
) -> Iterator[tuple[int, str]]:
    name = _named(backend, server)
    via = f" via {server.tracked}" if server.tracked else ""
    now = "UP" if server.op_state else "DOWN"
    serious = NOTICE if _draining(earlier) else ALERT
    if _maintained(server) and not _maintained(earlier):
        if earlier.op_state:
            yield serious, f"{name} is going DOWN for maintenance{via}. {_left(backend, server)}"
        else:
            yield NOTICE, f"{name} was DOWN and now enters maintenance{via}."
    elif _maintained(earlier) and not _maintained(server):
        kind = "DRAIN" if _draining(server) else "READY"
        forced = "" if server.tracked else "forced "
        yield NOTICE, f"{name} is {now}/{kind} (leaving {forced}maintenance)."
        if _draining(server):
            yield NOTICE, f"{name} remains in forced drain mode."
    elif _draining(server) and not _draining(earlier):
        counts = _online(backend) if server.op_state else _left(backend, server)
        yield NOTICE, f"{name} enters drain state{via}. {counts}"
    elif _draining(earlier) and not _draining(server):
        yield NOTICE, f"{name} is {now} (leaving forced drain)."
    elif bool(earlier.op_state) != bool(server.op_state) and not _maintained(server):
        why = via or (f", {reason}" if reason else "")
        if server.op_state:
            yield NOTICE, f"{name} is UP{why}. {_online(backend)}"
        else:
            yield serious, f"{name} is DOWN{why}. {_left(backend, server)}"


def _named(backend: BackendFacts, server: ServerFacts) -> str:
    return f"{'Backup ' if server.backup else ''}Server {backend.name}/{server.name}"


def _maintained(server: ServerFacts) -> bool:
    return bool(server.admin_state & _MAINTENANCE)


def _draining(server: ServerFacts) -> bool:
    return bool(server.admin_state & _DRAIN)


def _online(backend: BackendFacts) -> str:
    return f"{_counts(backend, 'online')} 0 sessions requeued, {backend.counters.qcur} total in queue."


def _left(backend: BackendFacts, server: ServerFacts) -> str:
    sessions = f"{server.counters.scur} sessions active, 0 requeued"
    return f"{_counts(backend, 'left')} {sessions}, {backend.counters.qcur} remaining in queue."


def _counts(backend: BackendFacts, word: str) -> str:
    spare = " Running on backup." if backend.backup and not backend.active else ""
    return f"{backend.active} active and {backend.backup} backup servers {word}.{spare}"
