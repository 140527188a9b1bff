"""Keeps one service: does what its machine says and tells the machine what happened."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import Coroutine

from isthmus.network.services.children import kill_group
from isthmus.network.services.definition import Definition, HookDefinition
from isthmus.network.services.environment import PATH
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.initialized import is_initialized, mark_initialized
from isthmus.network.services.launching import Household, Launcher, Process
from isthmus.network.services.logs import Log
from isthmus.network.services.machine import (
    IDLE,
    AbortHook,
    Action,
    Ended,
    Event,
    HookEnded,
    Initialized,
    Kill,
    Machine,
    Note,
    Probe,
    Probed,
    RunHook,
    Spawn,
    Spawned,
    Start,
    State,
    Stop,
    Terminate,
    Tick,
)
from isthmus.network.services.paths import log_path
from isthmus.network.services.protocol import Running
from isthmus.network.services.readiness import Notice, wait_ready


class Keeper:
    """One service, from its first start to its last stop. Usable again after a stop."""

    def __init__(self, definition: Definition, household: Household) -> None:
        self.definition = definition
        self._household = household
        self._log = Log(log_path(household.network, definition.name))
        self._launcher = Launcher(definition, household, self._log)
        self._machine = Machine(definition, initialized=is_initialized(household.network, definition))
        self._events: deque[Event] = deque()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hook: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._notice: Notice | None = None
        self._changed = asyncio.Event()

    @property
    def network(self) -> str:
        """The network that the service belongs to."""
        return self._household.network

    @property
    def state(self) -> State:
        """Where in its life the service is."""
        return self._machine.state

    @property
    def idle(self) -> bool:
        """Whether it must be started to be as it is wanted: it ended, or its namespace was made anew."""
        return self.state in IDLE or not self._launcher.inside.is_of(self.definition)

    def running(self) -> Running:
        """Tell how it stands."""
        state = "astray" if self.idle and self.state not in IDLE else str(self.state)
        process = self._process
        pid = process.pid if process is not None and not process.ended.done() else 0
        return Running(self.definition, self.definition.fingerprint, state, pid)

    async def start(self) -> None:
        """Start it and wait until it is ready; ServiceError where it is not, and then it is stopped."""
        self._log.forget()
        try:
            self._launcher.open()
        except LookupError:
            raise self._error(f"there is no user {self.definition.user} here") from None
        self._feed(Start())
        await self._settled()
        self.complain()

    def complain(self) -> None:
        """Raise ServiceError where the service came to nothing at its start, or soon after it."""
        if self.state is not State.RUNNING and self._machine.failure is not None:
            raise self._error(self._machine.failure)

    async def stop(self) -> None:
        """Stop it and wait until it is; ServiceError where a hook failed, though it is stopped then too.

        What it put out of its process group, as daemons do, may still run.
        """
        self._feed(Stop())
        await self._settled()
        trouble = self._machine.trouble
        self._launcher.inside.close()
        if trouble:
            raise self._error(trouble)

    def close(self) -> None:
        """Let go of everything; the service must be stopped."""
        self._log.close()

    async def _settled(self) -> None:
        while not self._machine.settled:
            self._changed.clear()
            await self._changed.wait()

    def _error(self, failure: str) -> ServiceError:
        name = self.definition.name
        path = log_path(self._household.network, name)
        return ServiceError(
            f"service {name}: {failure}",
            service=name,
            log=self._log.last(),
            hint=_hint(failure, self.definition, str(path)),
        )

    def _feed(self, event: Event) -> None:
        """Tell the machine; whatever its actions bring about at once waits for its turn."""
        self._events.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            loop = asyncio.get_running_loop()
            while self._events:
                for action in self._machine.on(self._events.popleft(), loop.time()):
                    self._do(action)
        finally:
            self._busy = False
        self._set_timer()
        self._changed.set()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._machine.deadline is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._machine.deadline, self._feed, Tick())

    def _do(self, action: Action) -> None:
        match action:
            case RunHook(hook):
                self._hook = self._spawn_task(self._run_hook(hook))
            case AbortHook():
                if self._hook is not None:
                    self._hook.cancel()
            case Spawn():
                self._spawn_task(self._run())
            case Probe():
                self._spawn_task(self._probe())
            case Terminate():
                self._signal(signal.SIGTERM)
            case Kill():
                self._signal(signal.SIGKILL)
            case Initialized():
                mark_initialized(self._household.network, self.definition)
            case Note(text):
                self._log.note(text)

    def _spawn_task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run_hook(self, hook: HookDefinition) -> None:
        try:
            failure = await self._launcher.hook(hook)
        except asyncio.CancelledError:
            failure = f"{hook.phase} hook was stopped"
        except OSError as error:
            failure = f"{hook.phase} hook could not be run: {error}"
        if failure:
            self._log.note(failure)
        self._feed(HookEnded(failure))

    async def _run(self) -> None:
        """Run the service's command, from its start to its end."""
        try:
            self._process = process = self._start_process()
        except OSError as error:
            self._feed(Spawned(f"cannot run {self.definition.command[0]}: {error}"))
            return
        refused = await process.executed
        if refused is None:
            self._log.note(f"started as process {process.pid}")
        self._feed(Spawned(refused))
        status = await process.ended
        process.output.close()
        if self._notice is not None:
            self._notice.close()
            self._notice = None
        if refused is None:
            self._feed(Ended(status))

    def _start_process(self) -> Process:
        readiness = self.definition.readiness
        if readiness is None or not readiness.notify:
            return self._launcher.service({})
        self._notice = Notice(self._launcher.inside, self.definition.name)
        return self._launcher.service({"NOTIFY_SOCKET": self._notice.name})

    async def _probe(self) -> None:
        readiness, process = self.definition.readiness, self._process
        if readiness is None or process is None:
            return
        probing = asyncio.ensure_future(wait_ready(self.definition, readiness, self._launcher, self._notice))
        await asyncio.wait((probing, process.ended), return_when=asyncio.FIRST_COMPLETED)
        if process.ended.done():
            probing.cancel()
        try:
            self._feed(Probed(await probing))
        except asyncio.CancelledError:
            return
        except OSError as error:
            self._feed(Probed(f"cannot be asked whether it is ready: {error}"))

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and not self._process.ended.done():
            kill_group(self._process.pid, number)


def _hint(failure: str, definition: Definition, log: str) -> str:
    if "No such file" in failure and "cannot run" in failure:
        return f"install the program or give its full path; the search went along {_search(definition)}"
    if "become user" in failure:
        return "only root may change the user; a lab without root has no other users"
    if "there is no user" in failure:
        return "`getent passwd` lists the users"
    return f"all that it printed is in {log}"


def _search(definition: Definition) -> str:
    return dict(definition.environment).get("PATH", PATH)
