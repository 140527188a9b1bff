"""A request's body, read as it comes: what is not read yet stays with the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

MOST = 64 * 1024
"""Bytes of one piece at most."""


class Body:
    """The body for a function that waits where it stands. Iterating gives pieces, none of them empty.

    Raises ClientGoneError when the client goes before all was read.
    """

    def __init__(self, take: Callable[[int], bytes]) -> None:
        self._take = take

    def read(self, most: int = -1) -> bytes:
        """Return the next bytes, at least one and at most so many; none at the end.

        Without a number, all that is left: what a client sends then stands in memory.
        """
        if most == 0:
            return b""
        if most > 0:
            return self._take(most)
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._take(MOST):
            yield piece


class AsyncBody:
    """The body for an `async def` function. Raises ClientGoneError as `Body` does."""

    def __init__(self, take: Callable[[int], Coroutine[Any, Any, bytes]]) -> None:
        self._take = take

    async def read(self, most: int = -1) -> bytes:
        """Return the next bytes, at least one and at most so many; none at the end.

        Without a number, all that is left: what a client sends then stands in memory.
        """
        if most == 0:
            return b""
        if most > 0:
            return await self._take(most)
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._take(MOST):
            yield piece
