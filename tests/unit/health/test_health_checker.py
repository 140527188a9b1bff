"""Checks against real listeners on the loopback; the engine is a stand-in."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fake_native import FakeNative, facts
from free_ports import free_port

from isthmus.engine import Engine
from isthmus.health.announcing import Announcer
from isthmus.health.checker import Checker
from isthmus.health.messages import Message
from isthmus.health.outcome import Verdict
from isthmus.health.probe import probe
from isthmus.plan import Check, CheckTarget, Health, document


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        yield made


def check(port: int, name: str = "s1") -> Check:
    target = CheckTarget(document.Inet("127.0.0.1", port), None)
    return Check("b", name, target, 20, 10, 10, 2, 3, None, None, False, "x.cfg:1")


class Watched:
    """A checker, its engine, and what it logged."""

    def __init__(self, *names: str) -> None:
        self.native = FakeNative()
        servers = tuple(
            document.Server(
                name,
                place,
                "x.cfg:1",
                document.ServerInet("127.0.0.1", document.FixedPort(1)),
                checked=True,
            )
            for place, name in enumerate(names or ("s1",), 1)
        )
        self.native.facts = facts(_plan(servers), 1)
        self.messages: list[str] = []
        engine = Engine(self.native)
        self.checker = Checker(engine, Announcer(engine, self.log), engine.socket)

    def log(self, message: Message) -> None:
        self.messages.append(message.text)

    def health(self) -> list[bool]:
        return [bool(each["up"]) for each in self.native.commands if each["kind"] == "set_server_health"]


def _plan(servers: tuple[document.Server, ...]) -> document.Plan:
    from paper import built

    plan = built("defaults\n mode tcp\nbackend b\n server x 127.0.0.1:1\n").engine
    import msgspec

    backend = msgspec.structs.replace(plan.backends[0], servers=servers)
    return msgspec.structs.replace(plan, backends=(backend,))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def test_a_server_that_answers_stays_up_and_nothing_is_said(listener: socket.socket) -> None:
    watched = Watched()

    async def run() -> None:
        watched.checker.use(Health((check(listener.getsockname()[1]),)))
        entry = watched.checker.find("b", "s1")
        assert entry is not None
        await until(lambda: entry.outcome.verdict is Verdict.PASSED)
        watched.checker.stop()

    asyncio.run(run())
    assert watched.health() == []
    assert watched.messages == []


def test_a_server_that_refuses_goes_down_and_comes_back() -> None:
    watched = Watched()
    port = free_port()

    async def run() -> None:
        watched.checker.use(Health((check(port),)))
        await until(lambda: watched.health() == [False])
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            await until(lambda: watched.health() == [False, True])
        watched.checker.stop()

    asyncio.run(run())
    down, emergency, up = watched.messages
    assert down.startswith(
        'Server b/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused"'
    )
    assert emergency == "backend b has no server available!"
    assert up.startswith("Server b/s1 is UP, reason: Layer4 check passed, check duration: ")


def test_option_log_health_checks_tells_each_step_once(listener: socket.socket) -> None:
    watched = Watched()

    async def run() -> None:
        watched.checker.use(Health((replace(check(listener.getsockname()[1]), log=True),)))
        await until(lambda: len(watched.messages) == 1)
        listener.close()
        await until(lambda: watched.health() == [False])
        watched.checker.stop()

    asyncio.run(run())
    assert [each.rpartition("status: ")[2] for each in watched.messages[:4]] == [
        "3/3 UP.",
        "2/3 UP.",
        "1/3 UP.",
        "0/2 DOWN.",
    ]
    assert watched.messages[4].startswith("Server b/s1 is DOWN. ")


def test_a_server_in_maintenance_is_not_checked_and_counts_as_healthy_afterwards() -> None:
    watched = Watched()

    async def run() -> None:
        watched.checker.use(Health((check(free_port()),)))
        watched.checker.set_maintenance("b", "s1", True)
        entry = watched.checker.find("b", "s1")
        assert entry is not None
        await asyncio.sleep(0.05)
        assert entry.outcome.verdict is Verdict.INITIALIZING
        watched.checker.set_maintenance("b", "s1", False)
        assert entry.counting.shown == "3/3 UP"
        watched.checker.stop()

    asyncio.run(run())


def test_a_new_configuration_keeps_the_count_of_a_server_that_stays() -> None:
    watched = Watched("s1", "s2")
    port = free_port()

    async def run() -> None:
        watched.checker.use(Health((check(port), check(port, "s2"))))
        await until(lambda: watched.health() == [False, False])
        watched.checker.use(Health((replace(check(port), inter=30),)))
        assert [key for key, _ in watched.checker] == [("b", "s1")]
        entry = watched.checker.find("b", "s1")
        assert entry is not None
        assert entry.counting.shown == "0/2 DOWN"
        watched.checker.stop()
        assert list(watched.checker) == []

    asyncio.run(run())


def test_a_check_that_hears_nothing_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        place = full.getsockname()

        async def run() -> Verdict:
            waiting = [socket.socket() for _ in range(8)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(place)
            target = CheckTarget(document.Inet(*place), None)
            outcome = await probe(target, 0.1, lambda *_: -1)
            for each in waiting:
                each.close()
            return outcome.verdict

        assert asyncio.run(run()) is Verdict.TIMEOUT


def test_a_check_in_a_namespace_uses_a_socket_made_there(listener: socket.socket) -> None:
    asked: list[tuple[str, int, int]] = []

    def make(namespace: str, family: int, kind: int) -> int:
        asked.append((namespace, family, kind))
        return socket.socket(family, kind).detach()

    target = CheckTarget(document.Inet(*listener.getsockname()), "/run/netns/red")
    outcome = asyncio.run(probe(target, 5, make))
    assert outcome.passed
    assert asked == [("/run/netns/red", socket.AF_INET, socket.SOCK_STREAM)]


def test_a_namespace_that_is_gone_is_a_connection_problem() -> None:
    def make(namespace: str, family: int, kind: int) -> int:
        raise FileNotFoundError(2, "No such file or directory")

    target = CheckTarget(document.Inet("127.0.0.1", 1), "/run/netns/gone")
    outcome = asyncio.run(probe(target, 5, make))
    assert (outcome.verdict, outcome.info) == (Verdict.NO_CONNECTION, "No such file or directory")


def test_a_server_on_an_abstract_socket_can_be_checked() -> None:
    name = f"isthmus-check-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(b"\0" + name.encode().ljust(107, b"\0"))
        listener.listen()
        outcome = asyncio.run(probe(CheckTarget(document.Abstract(name, False), None), 5, lambda *_: -1))
    assert outcome.passed


def test_a_check_that_waits_does_not_begin_before_it_is_enabled(listener: socket.socket) -> None:
    watched = Watched("s1", "s2")

    async def run() -> None:
        port = listener.getsockname()[1]
        watched.checker.use(Health((replace(check(port), waits=True), check(port, "s2"))))
        waiting, other = watched.checker.find("b", "s1"), watched.checker.find("b", "s2")
        assert waiting is not None
        assert other is not None
        await until(lambda: other.outcome.verdict is Verdict.PASSED)
        assert waiting.outcome.verdict is Verdict.INITIALIZING
        assert watched.checker.set_stopped("b", "s1", stopped=False)
        await until(lambda: waiting.outcome.verdict is Verdict.PASSED)
        watched.checker.stop()

    asyncio.run(run())


def test_a_stopped_check_asks_nothing_more_and_keeps_what_it_found(listener: socket.socket) -> None:
    watched = Watched("s1", "s2")

    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as asked:
            asked.setblocking(False)
            watched.checker.use(
                Health((check(listener.getsockname()[1]), check(asked.getsockname()[1], "s2")))
            )
            entry = watched.checker.find("b", "s1")
            assert entry is not None
            await until(lambda: entry.outcome.passed)
            watched.checker.set_stopped("b", "s1", stopped=True)
            listener.close()
            for _ in range(4):
                await asyncio.wait_for(asyncio.get_running_loop().sock_accept(asked), 10)
            assert entry.outcome.passed
            assert entry.failures == 0
            watched.checker.stop()

    asyncio.run(run())


def test_a_server_that_is_not_checked_has_no_check_to_stop() -> None:
    assert not Watched().checker.set_stopped("b", "s1", stopped=True)
