"""One tenant of a lab: a process that holds a network namespace, and in it an origin and a client.

The leader forks it; it names its namespace under /run/netns, gives it addresses, serves, and asks what
the leader tells it to ask, over a socket pair that carries one JSON document a line.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Interface
from typing import Never

import msgspec

from isthmus import kernel
from isthmus.lab.errors import LabError
from isthmus.lab.interfaces import raise_loopback
from isthmus.lab.isolation import NETNS_FOLDER
from isthmus.lab.origin import Fetched, current_namespace, fetch_all, start_origin
from isthmus.lab.stopping import leave_stopping_to_the_leader, signals_held
from isthmus.records import dataclass

ORIGIN_PORT = 80


@dataclass(frozen=True, slots=True)
class Tenant:
    """A network that the demo makes: the namespace's name and its origin's address."""

    name: str
    address: IPv4Interface

    @property
    def origin(self) -> str:
        """The origin's address and port, as a server line has it."""
        return f"{self.address.ip}:{ORIGIN_PORT}"


class Ready(msgspec.Struct, frozen=True):
    """The first line from a tenant: its namespace, or why it could not be made."""

    namespace: str = ""
    failure: str = ""


class LiveTenant:
    """A tenant's process, as the leader holds it."""

    def __init__(self, tenant: Tenant, process: int, control: socket.socket) -> None:
        self.tenant = tenant
        self.process = process
        self._control = control
        self._lines = control.makefile("rwb")
        self.namespace = ""

    def await_ready(self) -> None:
        """Return when the origin answers; LabError says why it never will."""
        ready = msgspec.json.decode(self._lines.readline() or b"{}", type=Ready)
        if not ready.namespace:
            why = ready.failure or "its process ended"
            raise LabError(f"the namespace of tenant {self.tenant.name} could not be made: {why}")
        self.namespace = ready.namespace

    def fetch_all(self, targets: list[tuple[str, int]]) -> list[Fetched]:
        """Have a client in the tenant's namespace ask all targets at once."""
        self._lines.write(msgspec.json.encode(targets) + b"\n")
        self._lines.flush()
        line = self._lines.readline()
        if not line:
            raise LabError(f"the process of tenant {self.tenant.name} ended")
        return msgspec.json.decode(line, type=list[Fetched])

    def end(self) -> None:
        """Kill the process; its namespace goes when the last socket in it does."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        # A question may be half written, where a signal interrupted the writing.
        with suppress(OSError):
            self._lines.close()
        self._control.close()


@contextmanager
def inhabited(tenants: tuple[Tenant, ...]) -> Iterator[dict[str, LiveTenant]]:
    """Every tenant with its namespace made and its origin answering; gone afterwards."""
    alive: dict[str, LiveTenant] = {}
    try:
        for tenant in tenants:
            alive[tenant.name] = _fork_tenant(tenant)
        for live in alive.values():
            live.await_ready()
        yield alive
    finally:
        for live in alive.values():
            live.end()


def _fork_tenant(tenant: Tenant) -> LiveTenant:
    leader = os.getpid()
    ours, theirs = socket.socketpair()
    # What the leader has buffered must not be written a second time by the child.
    sys.stdout.flush()
    with signals_held():
        process = os.fork()
        if process == 0:
            ours.close()
            _live_as(tenant, theirs, leader)
    theirs.close()
    return LiveTenant(tenant, process, ours)


def _live_as(tenant: Tenant, control: socket.socket, leader: int) -> Never:
    try:
        kernel.die_with(leader)
        leave_stopping_to_the_leader()
        try:
            _make_namespace(tenant)
        except OSError as error:
            control.sendall(msgspec.json.encode(Ready(failure=str(error))) + b"\n")
            os._exit(1)
        asyncio.run(_serve(tenant, control))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _make_namespace(tenant: Tenant) -> None:
    kernel.unshare(kernel.CLONE_NEWNET)
    name = NETNS_FOLDER / tenant.name
    name.touch(mode=0o444, exist_ok=False)
    # What `ip netns add` does; that command itself leaves the host's network namespace for good
    # when it runs in a user namespace.
    kernel.mount("/proc/self/ns/net", str(name), flags=kernel.MS_BIND)
    raise_loopback([tenant.address])


async def _serve(tenant: Tenant, control: socket.socket) -> None:
    """Answer as the tenant's origin, and ask what the leader wants asked, until the leader is gone."""
    reader, writer = await asyncio.open_connection(sock=control)
    async with await start_origin(tenant.name, str(tenant.address.ip), ORIGIN_PORT):
        writer.write(msgspec.json.encode(Ready(namespace=current_namespace())) + b"\n")
        while line := await reader.readline():
            answers = await fetch_all(msgspec.json.decode(line, type=list[tuple[str, int]]))
            writer.write(msgspec.json.encode(answers) + b"\n")
            await writer.drain()
