"""The supervisor's process: `python -m isthmus.network.services NETWORK`, started by `client`.

The first process ends, with status 0, as soon as the supervisor listens. An interpreter of its own,
not a fork of the builder: it inherits neither threads, netlink sockets nor the shell's environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

from isthmus.network.services.guard import Guard
from isthmus.network.services.listening import AlreadyThere, listen
from isthmus.network.services.paths import socket_path, supervisor_log_path
from isthmus.network.services.spawn import raise_files
from isthmus.network.services.supervisor import Supervisor
from isthmus.process.daemon import detach


def main(network: str) -> int:
    """Run the supervisor of a network in the background; 0 also where one runs already."""
    try:
        listener = listen(socket_path(network))
        errors = _open_log(network)
    except AlreadyThere:
        return 0
    except OSError as error:
        print(f"cannot supervise services: {error}", file=sys.stderr)
        return 1
    background = detach()
    if isinstance(background, int):
        return background
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    background.ready()
    guard = Guard.start(network)
    os.dup2(errors, 2)
    os.close(errors)
    raise_files()
    try:
        asyncio.run(_serve(network, guard, listener))
    finally:
        guard.release()
    return 0


async def _serve(network: str, guard: Guard, listener: socket.socket) -> None:
    await Supervisor(network, guard).serve(listener)


def _open_log(network: str) -> int:
    path = supervisor_log_path(network)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
