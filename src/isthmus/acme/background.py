"""Work that waits for the network, beside the control loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_background(act: Callable[[], T]) -> T:
    """Return what a function returns, or raise what it raises.

    It has a thread of its own that does not keep the process from ending, as one of a pool would.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def failed(error: BaseException) -> None:
        if not outcome.done():
            outcome.set_exception(error)

    def done(found: T) -> None:
        if not outcome.done():
            outcome.set_result(found)

    def run() -> None:
        # A loop that has ended waits for nothing any more.
        with suppress(RuntimeError):
            try:
                found = act()
            except BaseException as error:
                loop.call_soon_threadsafe(failed, error)
            else:
                loop.call_soon_threadsafe(done, found)

    threading.Thread(target=run, name="acme", daemon=True).start()
    return await outcome
