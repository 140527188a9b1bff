"""Running the commands of one service: the service itself, its hooks, its readiness command."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping

from isthmus.network.model import HookPlace
from isthmus.network.services.children import Children, kill_group
from isthmus.network.services.definition import Definition, HookDefinition
from isthmus.network.services.environment import environment
from isthmus.network.services.inside import Inside
from isthmus.network.services.logs import Log
from isthmus.network.services.machine import told
from isthmus.network.services.output import Output
from isthmus.network.services.spawn import Command, Identity, spawn
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Household:
    """What all services of a supervisor share. `tell` hears of sessions that begin (True) or are over."""

    network: str
    children: Children
    tell: Callable[[int, bool], None]


@dataclass(slots=True)
class Process:
    """A process that was started: `executed` gives None, or why its command could not be run."""

    pid: int
    executed: asyncio.Future[str | None]
    ended: asyncio.Future[int]
    output: Output


class Launcher:
    """Starts processes for one service, in its namespaces while those are open."""

    def __init__(self, definition: Definition, household: Household, log: Log) -> None:
        self._definition = definition
        self._household = household
        self._log = log
        self._identity: Identity | None = None
        self.inside = Inside()

    def open(self) -> None:
        """Look up the user and open the namespaces; ServiceError, or LookupError for the user."""
        user = self._definition.user
        self._identity = Identity.named(user) if user is not None else None
        self.inside.close()
        self.inside = Inside.open(self._definition)

    def service(self, more: Mapping[str, str]) -> Process:
        """Start the service's command."""
        home = self._identity.home if self._identity is not None else _own_home()
        variables = {**environment(self._definition, self._household.network, home), **more}
        return self._start(self._definition.command, self.inside, variables, self._identity)

    async def hook(self, hook: HookDefinition) -> str | None:
        """Run a hook as the supervisor's own user; return what went wrong, None where nothing did.

        The host's place is the supervisor's own namespace, the one outside.
        """
        name = f"{hook.phase} hook `{' '.join(hook.command)}`"
        inside = self.inside if hook.place is HookPlace.SERVICE else Inside()
        failure = await self.run(hook.command, inside, hook.timeout)
        return f"{name} {failure}" if failure else None

    async def run(self, words: tuple[str, ...], inside: Inside, timeout: float) -> str | None:
        """Run a command to its end; return why it failed. A cancelled one is killed."""
        variables = environment(self._definition, self._household.network, _own_home())
        process = self._start(words, inside, variables, None)
        try:
            refused = await process.executed
            if refused is not None:
                return refused
            async with asyncio.timeout(timeout):
                status = await asyncio.shield(process.ended)
            return told(status) if status else None
        except TimeoutError:
            return f"did not end within {timeout:g} s"
        finally:
            if not process.ended.done():
                kill_group(process.pid, signal.SIGKILL)
            process.output.close()

    def _start(
        self, words: tuple[str, ...], inside: Inside, variables: dict[str, str], identity: Identity | None
    ) -> Process:
        output = Output(self._log)
        folder = self._definition.folder or "/"
        try:
            child = spawn(Command(words, variables, inside, output.writing, identity, folder))
        except OSError:
            output.started()
            output.close()
            raise
        output.started()
        ended = self._household.children.ended(child.pid)
        self._household.tell(child.pid, True)
        ended.add_done_callback(lambda _: self._household.tell(child.pid, False))
        return Process(child.pid, _executed(child.report), ended, output)


def _executed(report: int) -> asyncio.Future[str | None]:
    """Return what will hold the child's report: its end without a word means that the command runs."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str | None] = loop.create_future()

    def heard() -> None:
        said = os.read(report, 4096)
        loop.remove_reader(report)
        os.close(report)
        if not future.done():
            future.set_result(said.decode("utf-8", "replace") or None)

    loop.add_reader(report, heard)
    return future


def _own_home() -> str:
    return os.environ.get("HOME", "/")
