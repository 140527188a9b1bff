"""How a section asks for a name: every server at once, the other family, and once more (manual 5.3.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import dns.name

from isthmus.model.resolvers import Resolvers
from isthmus.resolve.messages import TIMEOUT, Kind, Outcome, Status, question
from isthmus.resolve.nameserver import Server

_Task = asyncio.Task[Outcome]


class Asking:
    """One name that is being asked for. The first valid answer counts, whichever question it answers."""

    def __init__(self, said: Resolvers, servers: Sequence[Server], name: dns.name.Name) -> None:
        self._said = said
        self._servers = servers
        self._name = name
        self._open: dict[_Task, tuple[Server, Kind]] = {}

    async def run(self, kinds: Sequence[Kind]) -> Outcome:
        """Ask for records of the first kind, and of the next where there are none, and again."""
        retry = max(1, self._said.retry) / 1000
        loop = asyncio.get_running_loop()
        outcome = TIMEOUT
        try:
            for left in reversed(range(max(1, self._said.retries))):
                until = loop.time() + retry
                outcome = await self._round(kinds, until)
                if outcome.status is Status.VALID:
                    break
                if left and outcome.status is not Status.TIMEOUT:
                    late = await self._rest(until)
                    if late is not None:
                        return late
        finally:
            await self._end()
        return outcome

    async def _round(self, kinds: Sequence[Kind], until: float) -> Outcome:
        """Ask for one kind after the other until a moment; return the last outcome."""
        outcome = TIMEOUT
        for kind in kinds:
            outcome = await self._ask(kind, until)
            if outcome.status in (Status.VALID, Status.TIMEOUT):
                break
        return outcome

    async def _ask(self, kind: Kind, until: float) -> Outcome:
        """Ask every server; return the first valid answer, or the last error where each has one."""
        silent = set(self._servers)
        for server in self._servers:
            task = asyncio.create_task(server.ask(question(self._name, kind, self._said.payload)))
            self._open[task] = (server, kind)
        outcome = TIMEOUT
        while True:
            done = await self._wait(until)
            if not done:
                return TIMEOUT
            for each, server, asked in done:
                if each.status is Status.VALID:
                    return each
                if asked is kind:
                    # What it says to the same question of an earlier round it would say again.
                    silent.discard(server)
                    outcome = each
            if not silent:
                return outcome

    async def _rest(self, until: float) -> Outcome | None:
        """Wait for what is left of a round; an earlier question may still be answered."""
        while True:
            done = await self._wait(until)
            if not done:
                return None
            for each, *_ in done:
                if each.status is Status.VALID:
                    return each

    async def _wait(self, until: float) -> list[tuple[Outcome, Server, Kind]]:
        """Return what the answered questions came to; nothing where the moment came first."""
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            return []
        if not self._open:
            await asyncio.sleep(left)
            return []
        done, _ = await asyncio.wait(self._open, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return [(task.result(), *self._open.pop(task)) for task in done]

    async def _end(self) -> None:
        """Give up what is still open."""
        for task, (server, _) in self._open.items():
            server.late()
            task.cancel()
        for task in self._open:
            with suppress(asyncio.CancelledError):
                await task
        self._open.clear()
