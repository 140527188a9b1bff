"""Changing what a supervisor runs: all of it, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from isthmus.network.services.definition import Definition
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.keeper import Keeper
from isthmus.network.services.leftovers import kill_leftovers
from isthmus.network.services.machine import IDLE
from isthmus.network.services.order import Change, compare

Say = Callable[[str], None]
Keepers = dict[str, Keeper]

_SETTLE = 0.1
"""Seconds that a service without readiness must live for its start to count: long enough for a program
that dislikes its arguments to say so, and spent once for all of them."""


async def apply(
    former: Keepers, wanted: tuple[Definition, ...], make: Callable[[Definition], Keeper], say: Say
) -> Keepers:
    """Run `wanted` (in starting order) in place of `former`; return its keepers.

    Raises ServiceError, or CancelledError where it is cancelled, after `former` runs again.
    """
    running = {name: keeper.definition.fingerprint for name, keeper in former.items()}
    idle = frozenset(name for name, keeper in former.items() if keeper.idle)
    change = compare(running, wanted, idle)
    kept = {name: keeper for name, keeper in former.items() if name not in change.stop}
    keepers = {each.name: kept.get(each.name) or make(each) for each in wanted}
    begun = {name: keepers[name] for name in change.start}
    active = {name: former[name] for name in change.stop if former[name].state not in IDLE}
    try:
        await stop_all({name: former[name] for name in change.stop}, say)
        await start_all(begun, say)
        await _settle(begun)
    except (ServiceError, asyncio.CancelledError) as error:
        await _put_back(begun, active, change, say, error)
        raise
    return keepers


async def start_all(keepers: Mapping[str, Keeper], say: Say) -> None:
    """Start services, each when what it needs is ready; the first ServiceError ends it."""

    async def start(name: str) -> None:
        await keepers[name].start()
        ready = keepers[name].definition.readiness is not None
        say(f"service {name} {'is ready' if ready else 'started'}")

    await _in_order(keepers, {name: keeper.definition.needs for name, keeper in keepers.items()}, start)


async def stop_all(keepers: Mapping[str, Keeper], say: Say) -> None:
    """Stop services, each when what needs it has stopped; all stop, then the first ServiceError is raised."""
    dependents: dict[str, list[str]] = {name: [] for name in keepers}
    for name, keeper in keepers.items():
        for need in keeper.definition.needs:
            dependents.get(need, []).append(name)
    troubles: list[ServiceError] = []

    async def stop(name: str) -> None:
        try:
            await keepers[name].stop()
        except ServiceError as error:
            troubles.append(error)
        keepers[name].close()
        say(f"service {name} stopped")

    await _in_order(keepers, dependents, stop)
    for network in {keeper.network for keeper in keepers.values()}:
        # Once for all: it reads about every process of the machine.
        kill_leftovers(network, keepers)
    if troubles:
        raise troubles[0]


async def _in_order(
    names: Iterable[str], before: Mapping[str, Iterable[str]], act: Callable[[str], Awaitable[None]]
) -> None:
    """Do something for each name, at once but not before it is done for the names before it."""
    done = {name: asyncio.Event() for name in names}

    async def one(name: str) -> None:
        for other in before[name]:
            if other in done:
                await done[other].wait()
        await act(name)
        done[name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for name in done:
                group.create_task(one(name))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _settle(begun: Mapping[str, Keeper]) -> None:
    if any(keeper.definition.readiness is None for keeper in begun.values()):
        await asyncio.sleep(_SETTLE)
    for keeper in begun.values():
        keeper.complain()


async def _put_back(
    begun: Mapping[str, Keeper], active: Mapping[str, Keeper], change: Change, say: Say, error: BaseException
) -> None:
    say("putting the services back as they were")
    # What failed first is what is told; a hook that fails on the way back is in the log.
    with suppress(ServiceError):
        await stop_all(begun, say)
    try:
        await start_all({name: active[name] for name in reversed(change.stop) if name in active}, say)
    except ServiceError as second:
        if isinstance(error, ServiceError):
            raise ServiceError(
                f"{error.what}\nand what ran before could not be started again: {second.what}",
                service=error.service,
                log=error.log,
                hint=error.hint,
            ) from None
