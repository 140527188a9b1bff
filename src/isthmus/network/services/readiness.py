"""Finding out whether a service is ready: a port, a command, or its own word (sd_notify(3))."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket

from isthmus.network.services.definition import Definition, ReadinessDefinition
from isthmus.network.services.inside import Inside
from isthmus.network.services.launching import Launcher

_ONE_TRY = 1.0


class Notice:
    """A socket that the service says READY=1 to.

    An abstract one, made in the service's namespace, so that it can be reached from a chroot and by
    any user; nobody can guess its name.
    """

    def __init__(self, inside: Inside, service: str) -> None:
        self.name = f"@isthmus-{service}-{secrets.token_hex(8)}"
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = inside.call(lambda: socket.socket(socket.AF_UNIX, kind))
        self._socket.bind("\0" + self.name[1:])

    async def said(self) -> None:
        """Wait until the service is ready."""
        loop = asyncio.get_running_loop()
        while b"READY=1" not in (await loop.sock_recv(self._socket, 4096)).split(b"\n"):
            pass

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


async def wait_ready(
    definition: Definition, wanted: ReadinessDefinition, launcher: Launcher, notice: Notice | None
) -> str | None:
    """Wait until a service is ready; return why it is not within its time, None where it is."""
    outcome = _Outcome()
    try:
        async with asyncio.timeout(wanted.timeout):
            if notice is not None:
                await notice.said()
            elif wanted.tcp is not None:
                await _until_accepting(launcher.inside, wanted.tcp, wanted.interval, outcome)
            elif wanted.command:
                await _until_succeeding(launcher, wanted, outcome)
    except TimeoutError:
        return f"was not ready within {wanted.timeout:g} s{_what(wanted)}{outcome}"
    return None


class _Outcome:
    """What the last try came to."""

    def __init__(self) -> None:
        self.text = ""

    def __str__(self) -> str:
        return f" ({self.text})" if self.text else ""


def _what(wanted: ReadinessDefinition) -> str:
    if wanted.tcp is not None:
        host, port = wanted.tcp
        return f": nothing accepts at {f'[{host}]' if ':' in host else host}:{port}"
    if wanted.command:
        return f": `{' '.join(wanted.command)}` does not succeed"
    return ": it did not say so"


async def _until_accepting(
    inside: Inside, target: tuple[str, int], interval: float, outcome: _Outcome
) -> None:
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    kind = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    loop = asyncio.get_running_loop()
    while True:
        with inside.call(lambda: socket.socket(family, kind)) as client:
            try:
                async with asyncio.timeout(_ONE_TRY):
                    await loop.sock_connect(client, target)
                return
            except OSError as error:
                outcome.text = os.strerror(error.errno) if error.errno else "no answer"
        await asyncio.sleep(interval)


async def _until_succeeding(launcher: Launcher, wanted: ReadinessDefinition, outcome: _Outcome) -> None:
    while True:
        failure = await launcher.run(wanted.command, launcher.inside, wanted.timeout)
        if failure is None:
            return
        outcome.text = failure
        await asyncio.sleep(wanted.interval)
