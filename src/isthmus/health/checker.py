"""Checks every server at its pace and tells the engine and the logs what comes of it.

One task per checked server, asleep between checks. It may be given another list of checks while it
runs: a server that stays keeps its count.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress

from isthmus.engine import Engine
from isthmus.engine.command import SetServerHealth
from isthmus.health.announcing import Announcer
from isthmus.health.counting import Counting
from isthmus.health.greeting import Greeting
from isthmus.health.messages import result
from isthmus.health.outcome import Outcome, Verdict
from isthmus.health.probe import SocketMaker, probe
from isthmus.plan import Check, Health
from isthmus.records import dataclass, field

Key = tuple[str, str]
"""A server, by the names of its backend and itself."""
_NOT_YET = Outcome(Verdict.INITIALIZING)
_NO_ADDRESS = Outcome(Verdict.NO_CONNECTION, "No address")


@dataclass(slots=True)
class Checked:
    """One server's check and what it knows. `failures` counts the failed checks of a server that was up.

    It is `paused` while the server is in maintenance, `stopped` by an operator (`disable health`).
    """

    check: Check
    counting: Counting
    outcome: Outcome = _NOT_YET
    failures: int = 0
    paused: bool = False
    stopped: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Checker:
    """The checks of a running configuration."""

    def __init__(self, engine: Engine, announcer: Announcer, make_socket: SocketMaker) -> None:
        self._engine = engine
        self._make_socket = make_socket
        self._announcer = announcer
        self._checked: dict[Key, Checked] = {}
        self._never_local = False

    def __iter__(self) -> Iterator[tuple[Key, Checked]]:
        return iter(self._checked.items())

    def find(self, backend: str, server: str) -> Checked | None:
        """Return what is known of a server, None if it is not checked."""
        return self._checked.get((backend, server))

    def use(self, health: Health) -> None:
        """Check these servers from now on, and no others. Needs a running loop."""
        self._never_local = health.never_local
        wanted = {(check.backend, check.server): check for check in health.checks}
        for key in self._checked.keys() - wanted.keys():
            self._cancel(self._checked.pop(key))
        first = _starts(health)
        for key, check in wanted.items():
            known = self._checked.get(key)
            if known is not None and known.check == check:
                continue
            if known is not None:
                self._cancel(known)
            same = known and (known.check.rise, known.check.fall) == (check.rise, check.fall)
            counting = known.counting if known and same else Counting(check.rise, check.fall, check.initial)
            entry = Checked(check, counting, paused=known.paused if known else False)
            entry.stopped = known.stopped if known else check.waits
            self._checked[key] = entry
            entry.task = asyncio.get_running_loop().create_task(
                self._run(entry, next(first), health.spread_percent), name=f"check {'/'.join(key)}"
            )

    def stop(self) -> None:
        """Check nothing more."""
        self.use(Health())

    def set_maintenance(self, backend: str, server: str, paused: bool) -> None:
        """Pause the checks of a server in maintenance; one that comes back counts as healthy."""
        entry = self._checked.get((backend, server))
        if entry is None or entry.paused == paused:
            return
        entry.paused = paused
        if paused or (entry.stopped and entry.outcome is _NOT_YET):
            return
        if entry.counting.initial.is_down:
            entry.counting.begin()
        else:
            entry.counting.fill()

    def returns_down(self, backend: str, server: str) -> bool:
        """Whether a server in maintenance waits for its check when that ends (`init-state`)."""
        entry = self._checked.get((backend, server))
        return entry is not None and entry.paused and entry.counting.initial.is_down

    def set_stopped(self, backend: str, server: str, stopped: bool) -> bool:
        """Stop the check of a server, or go on with it; what it found last stays. False: there is none."""
        entry = self._checked.get((backend, server))
        if entry is None:
            return False
        entry.stopped = stopped
        return True

    def set_health(self, backend: str, server: str, up: bool) -> None:
        """Take an operator's word for a server's health until the next results (`set server health`)."""
        entry = self._checked.get((backend, server))
        if entry is not None:
            (entry.counting.fill if up else entry.counting.empty)()

    def _cancel(self, entry: Checked) -> None:
        if entry.task is not None:
            entry.task.cancel()

    async def _run(self, entry: Checked, delay: float, spread: int) -> None:
        """Check one server for as long as the task lives."""
        while True:
            await asyncio.sleep(delay)
            began = time.monotonic()
            if not (entry.paused or entry.stopped):
                self._count(entry, await self._probe(entry.check))
            # The pace is from start to start: a check that waits for its timeout does not slow it.
            pace = _interval(entry) * (1 + random.uniform(0, spread) / 100)
            delay = max(0.0, began + pace - time.monotonic())

    async def _probe(self, check: Check) -> Outcome:
        if check.target is None:
            return _NO_ADDRESS
        handshake = None
        if check.tls is not None:
            try:
                handshake = self._engine.check_handshake(check.backend, check.server, check.tls.sni)
            except LookupError as error:
                return Outcome(Verdict.TLS_FAILED, str(error))
        greeting = Greeting(
            check.header,
            handshake,
            named=check.tls is not None and check.tls.sni is not None,
            never_local=self._never_local,
        )
        return await probe(check.target, _timeout(check), self._make_socket, greeting)

    def _count(self, entry: Checked, outcome: Outcome) -> None:
        """Count a result, and tell about it where it is news."""
        if entry.paused or entry.stopped:
            # That began while the check was under way: its result no longer counts.
            return
        check, counting = entry.check, entry.counting
        before, was_up, first = counting.health, counting.up, entry.outcome is _NOT_YET
        change = counting.on_result(outcome.passed)
        entry.outcome = outcome
        entry.failures += was_up and not outcome.passed
        if check.log and (first or counting.health != before):
            self._announcer.log(result(check, outcome, backup=self._is_backup(check), shown=counting.shown))
        if change is not None:
            wanted = SetServerHealth(check.backend, check.server, counting.up, outcome.verdict.words)
            # A new configuration may have taken the server away while the check was under way.
            with suppress(LookupError):
                self._announcer.change(wanted, "" if check.log else outcome.reason())

    def _is_backup(self, check: Check) -> bool:
        return any(
            server.backup
            for backend in self._engine.snapshot().backends
            if backend.name == check.backend
            for server in backend.servers
            if server.name == check.server
        )


def _timeout(check: Check) -> float:
    """Return how long a connect may take, in seconds (`timeout check`)."""
    limit = check.inter
    if check.timeout is not None and check.connect_timeout:
        limit = min(limit, check.connect_timeout)
    return limit / 1000


def _interval(entry: Checked) -> float:
    """Return the time to the next check in seconds: `inter`, `fastinter` or `downinter`."""
    check, counting = entry.check, entry.counting
    if not counting.steady:
        return check.fastinter / 1000
    return (check.inter if counting.up else check.downinter) / 1000


def _starts(health: Health) -> Iterator[float]:
    """Return when each check begins, in seconds from now.

    As HAProxy, the first ones are spread over the shortest interval, or `max-spread-checks`, so that a
    start does not reach for every server at once.
    """
    if not health.checks:
        return
    window = min(check.inter for check in health.checks)
    if health.max_spread is not None:
        window = min(window, health.max_spread)
    for place in range(len(health.checks)):
        yield window * place / len(health.checks) / 1000
