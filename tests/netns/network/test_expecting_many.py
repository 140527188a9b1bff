"""`isthmus net check` where many namespaces have one and the same address: right, and no slower for it."""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from isthmus.network import spaces
from isthmus.network.expecting import Verdict, check
from isthmus.network.model import Expectation, Namespace, Network, Ping, Reach, ReachAs, Target
from isthmus.network.spaces import Space

from .world import in_world

SHARED = ip_address("10.0.0.1")
GATEWAY = Target(address=SHARED)
PORT = 8080


def tenants(start: int, count: int) -> dict[str, Space]:
    """Tenants, each on a cable to a gateway of its own; every gateway has the same address."""
    found: dict[str, Space] = {}
    for number in range(start, start + count):
        pair = {f"t{number}": own(number), f"g{number}": SHARED}
        tenant, gateway = pair
        ip(f"netns add {tenant}\nnetns add {gateway}")
        ip(f"link add eth0 netns {tenant} type veth peer name eth0 netns {gateway}")
        for name, address in pair.items():
            # Without addresses of IPv6, none of them is waited for.
            script = f"link set lo up\nlink set eth0 addrgenmode none up\naddr add {address}/24 dev eth0"
            ip(script, "-n", name)
            found[name] = Space(name, Path("/run/netns", name))
    return found


def own(number: int) -> str:
    return f"10.0.0.{number + 2}"


def ip(script: str, *options: str) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input=script, text=True, check=True)


def judged(found: dict[str, Space], meaning: Callable[[int], Any]) -> list[Verdict]:
    """Check what each tenant expects; `meaning` takes a tenant's number."""
    numbers = [int(name[1:]) for name in found if name.startswith("t")]
    expectations = tuple(Expectation(f"of t{number}", meaning(number)) for number in numbers)
    return check(Network("many", tuple(map(Namespace, found)), expectations=expectations), found)


def pings(number: int) -> Ping:
    return Ping(f"t{number}", GATEWAY)


def reaches(number: int) -> Reach:
    return Reach(f"t{number}", GATEWAY, "tcp", PORT)


def reaches_by_datagram(number: int) -> Reach:
    return Reach(f"t{number}", GATEWAY, "udp", PORT)


def cannot_reach(number: int) -> Reach:
    return Reach(f"t{number}", GATEWAY, "tcp", PORT, possible=False)


def is_seen(number: int) -> ReachAs:
    return ReachAs(f"t{number}", GATEWAY, PORT, ip_address(own(number)))


EVERY = (pings, reaches, reaches_by_datagram, is_seen)


@pytest.mark.parametrize("served", [False, True], ids=["nothing-listens", "services-listen"])
@in_world()
def test_every_one_of_many_tenants_reaches_its_own_gateway_at_their_common_address(served: bool) -> None:
    found = tenants(0, 20)
    with ExitStack() as listening:
        for name in found if served else ():
            if name.startswith("g"):
                listening.enter_context(found[name].call(socket.create_server, (str(SHARED), PORT)))
        for meaning in EVERY:
            assert [each for each in judged(found, meaning) if not each.ok] == []


@pytest.mark.parametrize("meaning", [*EVERY, cannot_reach])
@in_world()
def test_twice_as_many_tenants_with_one_address_are_twice_the_work(meaning: Callable[[int], Any]) -> None:
    found = tenants(0, 8)
    few = entered(found, meaning)
    found |= tenants(8, 8)
    many = entered(found, meaning)
    assert {name: many[name] - 2 * few[name] for name in many if many[name] > 2 * few[name]} == {}


def entered(found: dict[str, Space], meaning: Callable[[int], Any]) -> Counter[str]:
    """Count how often a check enters a namespace, by what it does there."""
    done: Counter[str] = Counter()
    real = spaces._in_thread

    def counted(descriptors: Any, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        done[function.__name__] += 1
        return real(descriptors, function, *args, **named)

    with mock.patch.object(spaces, "_in_thread", counted):
        judged(found, meaning)
    assert done, "a check enters namespaces"
    return done
