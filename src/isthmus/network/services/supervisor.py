"""The supervisor of one network's services: answers on its socket until there is nothing to keep.

    starts ──apply──▶ keeps ──stop, SIGTERM, an apply that leaves nothing──▶ ends

One change at a time. A client that goes away in the middle of its change has it undone.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Coroutine
from contextlib import suppress

import msgspec

from isthmus.network.services.children import Children
from isthmus.network.services.definition import Definition
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.guard import Guard
from isthmus.network.services.initialized import forget_initialized
from isthmus.network.services.keeper import Keeper
from isthmus.network.services.launching import Household
from isthmus.network.services.order import in_order
from isthmus.network.services.paths import socket_path
from isthmus.network.services.protocol import (
    LIMIT,
    Apply,
    Done,
    Failed,
    Progress,
    Request,
    Services,
    Status,
    Stop,
    request_decoder,
    send,
)
from isthmus.network.services.transaction import Keepers, Say, apply, stop_all


class Supervisor:
    """Keeps the services of one network."""

    def __init__(self, network: str, guard: Guard) -> None:
        self._network = network
        self._children = Children()
        self._household = Household(network, self._children, guard.tell)
        self._keepers: Keepers = {}
        self._turn = asyncio.Lock()
        self._end = asyncio.Event()
        self._changes: set[asyncio.Task[None]] = set()
        self._hidden = False

    async def serve(self, listener: socket.socket) -> None:
        """Serve until the end; then no service runs."""
        loop = asyncio.get_running_loop()
        self._children.watch()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        server = await asyncio.start_unix_server(self._on_client, sock=listener, limit=LIMIT)
        await self._end.wait()
        server.close()
        for change in self._changes:
            change.cancel()
        async with self._turn:
            with suppress(ServiceError):
                await stop_all(self._reversed(), lambda _: None)
        self._remove_socket()

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = request_decoder.decode(await reader.readline())
        except (msgspec.MsgspecError, ValueError) as error:
            hint = "`isthmus net down` of the version that started the services ends them"
            send(
                writer, Failed(f"the supervisor does not understand what it is asked for: {error}", hint=hint)
            )
            writer.close()
            return
        with suppress(ConnectionError):
            await self._answer(request, reader, writer)
            await writer.drain()
        if not self._end.is_set():
            # Else the end of the process closes it, so that the client sees that end.
            writer.close()

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        def say(text: str) -> None:
            send(writer, Progress(text))

        match request:
            case Status():
                send(writer, Services(tuple(keeper.running() for keeper in self._keepers.values())))
            case Apply(services):
                await self._change(self._apply(services, say), reader, writer)
            case Stop():
                await self._change(self._stop(say), None, writer)

    async def _change(
        self,
        work: Coroutine[None, None, None],
        reader: asyncio.StreamReader | None,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Do a change in its turn, for as long as the client wants it."""
        change = asyncio.create_task(self._in_turn(work))
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)
        gone = asyncio.create_task(reader.read(1)) if reader is not None else None
        await asyncio.wait({change, gone} if gone else {change}, return_when=asyncio.FIRST_COMPLETED)
        if gone is not None and not change.done():
            change.cancel()
        try:
            await change
            send(writer, Done())
        except ServiceError as error:
            send(writer, Failed(error.what, error.service, error.log, error.hint))
        except asyncio.CancelledError:
            send(writer, Failed("the services were stopped meanwhile"))
        if gone is not None:
            gone.cancel()
        if not self._keepers and not self._changes - {change}:
            self._finish()

    async def _in_turn(self, work: Coroutine[None, None, None]) -> None:
        try:
            async with self._turn:
                await work
        finally:
            work.close()

    async def _apply(self, services: tuple[Definition, ...], say: Say) -> None:
        former = self._keepers
        self._keepers = await apply(former, in_order(services), self._keeper, say)

    async def _stop(self, say: Say) -> None:
        keepers, self._keepers = self._reversed(), {}
        await stop_all(keepers, say)

    def _keeper(self, definition: Definition) -> Keeper:
        return Keeper(definition, self._household)

    def _reversed(self) -> Keepers:
        return {name: self._keepers[name] for name in reversed(self._keepers)}

    def _finish(self) -> None:
        """Nothing is kept any more: the network's life, as far as services know of it, is over."""
        forget_initialized(self._network)
        self._remove_socket()
        self._end.set()

    def _remove_socket(self) -> None:
        """Be found no longer; once, since the next supervisor's socket has the same name."""
        if not self._hidden:
            self._hidden = True
            socket_path(self._network).unlink(missing_ok=True)
