"""The life of one service: what to do next, given what happened and what time it is.

    stopped ─start▶ initialize ▶ pre-start ▶ starting ▶ post-start ▶ running
                        │            │           │           │          │ ended by itself
                        ▼            ▼           ▼           ▼          ▼
                      failed ◀──────────── post-stop ◀── stopping   post-stop ▶ waiting ▶ pre-start
    running ─stop▶ pre-stop ▶ stopping ▶ post-stop ▶ stopped        (or ended, failed: the policy)

Holds no process and reads no clock: `Keeper` feeds it events and does what it says. Whatever got as
far as pre-start is followed by the post-stop hooks, which clean up behind it.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from isthmus.network.model import Phase, Restart
from isthmus.network.services.definition import Definition, HookDefinition
from isthmus.records import dataclass

STEADY = 10.0
"""Seconds after which a service that ran counts as healthy: earlier restarts then delay the next no more."""
LONGEST_DELAY = 60.0
_SHORTEST_REPEATED_DELAY = 0.1
"""Without it `restart-delay: 0s` and a command that fails at once would keep a processor busy."""


class State(StrEnum):
    """Where in its life a service is."""

    STOPPED = "stopped"
    INITIALIZE = "initialize"
    PRE_START = "pre-start"
    STARTING = "starting"
    POST_START = "post-start"
    RUNNING = "running"
    PRE_STOP = "pre-stop"
    STOPPING = "stopping"
    POST_STOP = "post-stop"
    WAITING = "waiting"
    ENDED = "ended"
    FAILED = "failed"


SETTLED = frozenset({State.STOPPED, State.RUNNING, State.WAITING, State.ENDED, State.FAILED})
IDLE = frozenset({State.STOPPED, State.ENDED, State.FAILED})
_PHASES = {
    State.INITIALIZE: Phase.INITIALIZE,
    State.PRE_START: Phase.PRE_START,
    State.POST_START: Phase.POST_START,
    State.PRE_STOP: Phase.PRE_STOP,
    State.POST_STOP: Phase.POST_STOP,
}


@dataclass(frozen=True, slots=True)
class Start:
    """The service is wanted."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The service is not wanted any more."""


@dataclass(frozen=True, slots=True)
class HookEnded:
    """The hook that ran is over; `failure` says how, None where it succeeded."""

    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Spawned:
    """The command runs, or could not be run."""

    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Probed:
    """The service is ready, or was not within its time."""

    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The process is over: its exit status, or minus the signal that killed it."""

    status: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by; counts where the deadline is reached."""


Event = Start | Stop | HookEnded | Spawned | Probed | Ended | Tick


@dataclass(frozen=True, slots=True)
class RunHook:
    """Run a hook; answer with HookEnded."""

    hook: HookDefinition


@dataclass(frozen=True, slots=True)
class AbortHook:
    """Kill the hook that runs; HookEnded comes all the same."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """Run the command; answer with Spawned, and with Ended when it is over."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Find out whether the service is ready; answer with Probed unless it ends first."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Ask the process group to end (SIGTERM)."""


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process group (SIGKILL)."""


@dataclass(frozen=True, slots=True)
class Initialized:
    """The initialize hooks succeeded and need never run again in this network's life."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the service's log."""

    text: str


Action = RunHook | AbortHook | Spawn | Probe | Terminate | Kill | Initialized | Note


def restart_delay(wanted: float, attempt: int) -> float:
    """Return the seconds before the restart that is the `attempt`th in a row, doubling each time."""
    if attempt <= 1:
        return wanted
    doubled = max(wanted, _SHORTEST_REPEATED_DELAY) * float(2 ** min(attempt - 1, 30))
    return min(doubled, max(LONGEST_DELAY, wanted))


def told(status: int) -> str:
    """Say how a process ended."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


class Machine:
    """One service. `deadline` is when a Tick is due, None for never.

    `failure` is why the last start failed or the service ended, `trouble` what its stop hooks met.
    """

    def __init__(self, definition: Definition, *, initialized: bool = False) -> None:
        self.definition = definition
        self.state = State.STOPPED
        self.deadline: float | None = None
        self.failure: str | None = None
        self.trouble: str | None = None
        self.attempts = 0
        self._initialized = initialized
        self._wanted = False
        self._came_up = False
        self._alive = False
        self._since = 0.0
        self._hooks: deque[HookDefinition] = deque()
        self._actions: list[Action] = []

    @property
    def settled(self) -> bool:
        """Whether the last Start or Stop has come to its end."""
        return self.state in SETTLED

    def on(self, event: Event, now: float) -> list[Action]:
        """Take an event at a time (seconds of any clock that never goes back); return what is to be done."""
        match event:
            case Start():
                self._on_start(now)
            case Stop():
                self._on_stop(now)
            case HookEnded(failure):
                self._on_hook_ended(failure, now)
            case Spawned(failure):
                self._on_spawned(failure, now)
            case Probed(failure):
                self._on_probed(failure, now)
            case Ended(status):
                self._on_ended(status, now)
            case Tick():
                self._on_tick(now)
        actions, self._actions = self._actions, []
        return actions

    def _on_start(self, now: float) -> None:
        if self.state not in IDLE:
            return
        self._wanted, self._came_up = True, False
        self.attempts, self.trouble = 0, None
        self._begin(now)

    def _begin(self, now: float) -> None:
        self.failure, self.deadline = None, None
        self._enter(State.PRE_START if self._initialized else State.INITIALIZE, now)

    def _on_stop(self, now: float) -> None:
        if not self._wanted:
            if self.state in IDLE:
                self.state = State.STOPPED
            return
        self._wanted = False
        match self.state:
            case State.WAITING | State.ENDED | State.FAILED:
                self.state, self.deadline = State.STOPPED, None
            case State.INITIALIZE | State.PRE_START | State.POST_START:
                self._actions.append(AbortHook())
            case State.STARTING:
                if self._alive:
                    self._terminate(now)
            case State.RUNNING:
                self._enter(State.PRE_STOP, now)
            case _:
                pass

    def _on_hook_ended(self, failure: str | None, now: float) -> None:
        if failure is None and (self._wanted or self.state in (State.PRE_STOP, State.POST_STOP)):
            self._next(now)
            return
        failure = failure or "was stopped while it started"
        match self.state:
            case State.INITIALIZE:
                self._fail(failure)
                self._settle(now)
            case State.PRE_START:
                self._fail(failure)
                self._enter(State.POST_STOP, now)
            case State.POST_START:
                self._fail(failure)
                self._terminate(now)
            case State.PRE_STOP | State.POST_STOP:
                # Whatever a hook thinks of it, the service stops; the failure is told at the end.
                self.trouble = self.trouble or failure
                self._next(now)
            case _:
                pass

    def _on_spawned(self, failure: str | None, now: float) -> None:
        if failure is not None:
            self._fail(failure)
            self._enter(State.POST_STOP, now)
            return
        self._alive, self._since = True, now
        if not self._wanted:
            self._terminate(now)
        elif self.definition.readiness is None:
            self._enter(State.POST_START, now)
        else:
            self._actions.append(Probe())

    def _on_probed(self, failure: str | None, now: float) -> None:
        if self.state is not State.STARTING or not self._alive:
            return
        if failure is None:
            self._enter(State.POST_START, now)
        else:
            self._fail(failure)
            self._terminate(now)

    def _on_ended(self, status: int, now: float) -> None:
        self._alive = False
        self._actions.append(Note(told(status)))
        match self.state:
            case State.STARTING:
                self._fail(f"{told(status)} before it was ready")
                self._enter(State.POST_STOP, now)
            case State.RUNNING:
                self.failure = told(status) if status else None
                if now - self._since >= STEADY:
                    self.attempts = 0
                self._enter(State.POST_STOP, now)
            case State.STOPPING:
                self._enter(State.POST_STOP, now)
            case _:
                # A hook runs; what comes behind it sees that the process is gone.
                if self.state is State.POST_START:
                    self._fail(f"{told(status)} while its post-start hook ran")

    def _on_tick(self, now: float) -> None:
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self.state is State.STOPPING:
            self._actions += [Note(f"did not end within {self.definition.stop_timeout:g} s: killed"), Kill()]
        elif self.state is State.WAITING:
            self._begin(now)

    def _enter(self, state: State, now: float) -> None:
        self.state, self.deadline = state, None
        self._hooks = deque(self.definition.of(_PHASES[state]))
        self._next(now)

    def _next(self, now: float) -> None:
        """Run the next hook of this phase, or go on behind the last."""
        if self._hooks:
            self._actions.append(RunHook(self._hooks.popleft()))
            return
        match self.state:
            case State.INITIALIZE:
                self._initialized = True
                if self.definition.of(Phase.INITIALIZE):
                    self._actions.append(Initialized())
                self._enter(State.PRE_START, now)
            case State.PRE_START:
                self.state = State.STARTING
                self._actions.append(Spawn())
            case State.POST_START:
                self._up(now)
            case State.PRE_STOP:
                self._terminate(now)
            case _:
                self._settle(now)

    def _up(self, now: float) -> None:
        if not self._alive:
            self._enter(State.POST_STOP, now)
            return
        self.state, self._came_up, self._since = State.RUNNING, True, now

    def _terminate(self, now: float) -> None:
        if not self._alive:
            self._enter(State.POST_STOP, now)
            return
        self.state, self.deadline = State.STOPPING, now + self.definition.stop_timeout
        self._actions.append(Terminate())

    def _fail(self, failure: str) -> None:
        self.failure = self.failure or failure

    def _settle(self, now: float) -> None:
        """Come to rest behind the post-stop hooks, or wait for the next attempt."""
        if not self._wanted:
            self.state = State.STOPPED
        elif self._came_up and self._restarts():
            self.attempts += 1
            delay = restart_delay(self.definition.restart_delay, self.attempts)
            self.state, self.deadline = State.WAITING, now + delay
            self._actions.append(Note(f"starts again in {delay:g} s"))
        else:
            self._wanted = False
            self.state = State.FAILED if self.failure else State.ENDED

    def _restarts(self) -> bool:
        policy = self.definition.restart
        return policy is Restart.ALWAYS or (policy is Restart.ON_FAILURE and self.failure is not None)
