"""The demo: three tenants that share addresses, one proxy in front of them, two proxies in a chain.

Knows what is built and what is expected of it; how it is told is the command's business.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Interface
from pathlib import Path

from isthmus.lab.configuration import TENANT_PORT, Ports, core_configuration, edge_configuration
from isthmus.lab.expectation import (
    Expectation,
    expect_answer,
    expect_distinct,
    expect_each,
    expect_silence,
)
from isthmus.lab.isolation import isolate
from isthmus.lab.origin import fetch_all
from isthmus.lab.proxy import free_ports, running_proxy
from isthmus.lab.tenant import LiveTenant, Tenant, inhabited
from isthmus.lab.workspace import workspace
from isthmus.records import dataclass

RED = Tenant("red", IPv4Interface("10.0.0.10/24"))
BLUE = Tenant("blue", IPv4Interface("10.0.0.10/24"))
GREEN = Tenant("green", IPv4Interface("10.0.0.20/16"))
TENANTS = (RED, BLUE, GREEN)

# How many connections a tenant gets at once, to see that none ends in another tenant.
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's network while it stands."""

    rootless: bool
    folder: Path
    ports: Ports
    alive: dict[str, LiveTenant]

    @property
    def edge_file(self) -> Path:
        """The first proxy's configuration."""
        return self.folder / "edge.cfg"

    @property
    def core_file(self) -> Path:
        """The second proxy's configuration."""
        return self.folder / "core.cfg"


@contextmanager
def standing_demo(command: list[str]) -> Iterator[Demo]:
    """Build the network, with `command` as the proxy; nothing of it is left afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(workspace())
        rootless = isolate()
        alive = stack.enter_context(inhabited(TENANTS))
        *first, core = free_ports(len(TENANTS) + 1)
        demo = Demo(rootless, folder, Ports(tuple(first), core), alive)
        _start_proxies(stack, demo, command)
        yield demo


def _start_proxies(stack: ExitStack, demo: Demo, command: list[str]) -> None:
    demo.core_file.write_text(core_configuration(TENANTS, demo.ports))
    demo.edge_file.write_text(edge_configuration(TENANTS, demo.ports))
    host = os.getpid()
    stack.enter_context(running_proxy(command, demo.core_file, {host: {demo.ports.core}}))
    awaited = {live.process: {TENANT_PORT} for live in demo.alive.values()}
    awaited[host] = set(demo.ports.tenants)
    stack.enter_context(running_proxy(command, demo.edge_file, awaited))


def check(demo: Demo) -> list[Expectation]:
    """Send traffic every way and compare who answered with who should have."""
    return [*_through_the_host(demo), *_through_the_chain(demo)]


def _through_the_host(demo: Demo) -> list[Expectation]:
    targets = [("127.0.0.1", port) for port in demo.ports.tenants]
    answers = asyncio.run(fetch_all(targets))
    many = asyncio.run(fetch_all(targets * _AT_ONCE))
    return [
        *(
            expect_answer(f"the host reaches {tenant.name}", _identity(tenant), answer)
            for tenant, answer in zip(TENANTS, answers, strict=True)
        ),
        expect_distinct("red and blue share an address and nothing else", answers[:2]),
        expect_each(
            "no connection of many ends in another tenant",
            [_identity(tenant) for tenant in TENANTS] * _AT_ONCE,
            many,
        ),
    ]


def _through_the_chain(demo: Demo) -> list[Expectation]:
    found = []
    for tenant in TENANTS:
        fetched = demo.alive[tenant.name].fetch_all([(str(tenant.address.ip), TENANT_PORT)])
        name = f"a client in {tenant.name} reaches its own origin through two proxies"
        found.append(expect_answer(name, _identity(tenant), fetched[0]))
    astray = demo.alive[RED.name].fetch_all([(str(GREEN.address.ip), TENANT_PORT)])
    found.append(expect_silence("a client in red does not reach green's address", astray[0]))
    return found


def _identity(tenant: Tenant) -> str:
    return f"{tenant.name} at {tenant.origin}"
