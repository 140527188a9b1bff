"""A section `resolvers` at work: one question for all who ask for the same, answers kept for `hold valid`."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from isthmus.model.resolvers import Family, Resolvers
from isthmus.records import dataclass
from isthmus.resolve.asking import Asking
from isthmus.resolve.messages import Kind, Outcome, Status, parse_name
from isthmus.resolve.nameserver import Server, SocketMaker
from isthmus.resolve.routes import Routes

AT_ONCE = 100
"""Names that a section asks for at the same time; further ones wait. Each takes a socket for every server."""
KEPT = 1000
"""Answers that a section keeps: names are chosen by clients, and memory is not theirs to fill."""

_Key = tuple[str, Family]


@dataclass(slots=True)
class _Running:
    """A name that is being asked for, and how many wait for it."""

    task: asyncio.Task[Outcome]
    waiting: int = 0


class Section:
    """Used from one event loop only, but for what is read of its counters."""

    def __init__(self, said: Resolvers, make_socket: SocketMaker) -> None:
        self.said = said
        self.servers = tuple(Server(each, make_socket) for each in said.nameservers)
        self._running: dict[_Key, _Running] = {}
        self._kept: OrderedDict[_Key, tuple[float, str]] = OrderedDict()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._routes = Routes()

    async def address(self, name: str, prefer: Family) -> str | None:
        """Return an address of a name, one of the preferred family if it has any."""
        key = (name.lower().removesuffix("."), prefer)
        kept = self._find(key)
        if kept is not None:
            return kept
        outcome = await self._share(key)
        if outcome.status is not Status.VALID:
            return None
        found = outcome.addresses[0]
        self._keep(key, found)
        return found

    async def ask(self, name: str, *kinds: Kind) -> Outcome:
        """Ask for records of a name: of the first kind, and of the next where there are none."""
        parsed = parse_name(name)
        if parsed is None or not kinds:
            return Outcome(Status.OTHER)
        async with self._room:
            return await Asking(self.said, self.servers, parsed).run(kinds)

    def _accepted(self) -> frozenset[Family]:
        """Return the families that are asked for now."""
        if not self.said.accept_routed or self._routes.to_ipv6(asyncio.get_running_loop().time()):
            return self.said.accept
        return self.said.accept - {Family.IPV6}

    async def _share(self, key: _Key) -> Outcome:
        """Ask, or wait for the answer to the same question; who waits last and leaves ends it."""
        running = self._running.get(key)
        if running is None:
            name, prefer = key
            other = Family.IPV4 if prefer is Family.IPV6 else Family.IPV6
            accepted = self._accepted()
            kinds = [Kind.of(family) for family in (prefer, other) if family in accepted]
            task = asyncio.create_task(self.ask(name, *kinds))
            running = self._running[key] = _Running(task)
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting:
                running.task.cancel()
                if self._running.get(key) is running:
                    del self._running[key]

    def _find(self, key: _Key) -> str | None:
        until, address = self._kept.get(key, (0.0, ""))
        return address if until > asyncio.get_running_loop().time() else None

    def _keep(self, key: _Key, address: str) -> None:
        hold = self.said.hold.valid / 1000
        if not hold:
            return
        self._kept[key] = (asyncio.get_running_loop().time() + hold, address)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
