"""A section `resolvers` beside a name server that answers as it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from ipaddress import ip_address
from typing import Any, TypeVar

import pytest
from name_server import NameServer, changing, fails, forged, late, says, silent, truncated

from isthmus.model.resolvers import Carriage, Family, Hold, Nameserver, Resolvers
from isthmus.resolve.section import KEPT, Section

T = TypeVar("T")
V4, V6 = Family.IPV4, Family.IPV6
RETRY = 150

ZONE = {
    "four.test": says("A 192.0.2.1"),
    "six.test": says("AAAA 2001:db8::1"),
    "both.test": says("A 192.0.2.1", "AAAA 2001:db8::1"),
    "several.test": says("A 192.0.2.2", "A 192.0.2.1"),
    "alias.test": says("CNAME four.test.", "A 192.0.2.1"),
    "nowhere.test": says("CNAME nx.test."),
    "failing.test": fails("SERVFAIL"),
    "silent.test": silent,
    "late.test": late(1.5 * RETRY / 1000, "A 192.0.2.3"),
    "long.test": truncated("A 192.0.2.4"),
    "forged.test": forged("A 192.0.2.5"),
    "recovering.test": changing(fails("SERVFAIL"), fails("SERVFAIL"), says("A 192.0.2.6")),
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer(dict(ZONE))
    yield made
    made.close()


def nameserver(server: NameServer, carriage: Carriage = Carriage.EITHER, name: str = "n") -> Nameserver:
    return Nameserver(name, ip_address("127.0.0.1"), server.port, carriage)


def section(*servers: Nameserver, hold: int = 0, retries: int = 2, retry: int = RETRY) -> Section:
    said = Resolvers("r", servers, Hold(valid=hold), retries, retry)
    return Section(said, lambda *_place: pytest.fail("no namespace is named"))


def run(work: Coroutine[Any, Any, T]) -> T:
    async def alone() -> T:
        try:
            return await work
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing is left to run"

    return asyncio.run(alone())


@pytest.mark.parametrize(
    ("name", "prefer", "address", "asked"),
    [
        ("four.test", V4, "192.0.2.1", ["A"]),
        ("four.test", V6, "192.0.2.1", ["AAAA", "A"]),
        ("six.test", V4, "2001:db8::1", ["A", "AAAA"]),
        ("both.test", V4, "192.0.2.1", ["A"]),
        ("both.test", V6, "2001:db8::1", ["AAAA"]),
        ("several.test", V4, "192.0.2.2", ["A"]),
        ("alias.test", V4, "192.0.2.1", ["A"]),
        ("nowhere.test", V4, None, ["A", "AAAA"] * 2),
        ("failing.test", V4, None, ["A", "AAAA"] * 2),
        ("unknown.test", V6, None, ["AAAA", "A"] * 2),
        ("silent.test", V4, None, ["A"] * 2),
        ("late.test", V4, "192.0.2.3", ["A"] * 2),
        ("long.test", V4, "192.0.2.4", ["A", "A/tcp"]),
        ("forged.test", V4, "192.0.2.5", ["A"]),
        ("recovering.test", V4, "192.0.2.6", ["A", "AAAA", "A"]),
        ("a..b", V4, None, []),
    ],
)
def test_a_name_is_asked_for_until_an_answer_is_valid(
    server: NameServer, name: str, prefer: Family, address: str | None, asked: list[str]
) -> None:
    assert run(section(nameserver(server)).address(name, prefer)) == address
    assert server.kinds(name) == asked


@pytest.mark.parametrize(
    ("carriage", "address", "asked"),
    [
        (Carriage.EITHER, "192.0.2.4", ["A", "A/tcp"]),
        (Carriage.TCP, "192.0.2.4", ["A/tcp"]),
        (Carriage.UDP, None, ["A", "AAAA"]),
    ],
)
def test_tcp_is_used_where_it_may_be(
    server: NameServer, carriage: Carriage, address: str | None, asked: list[str]
) -> None:
    one = section(nameserver(server, carriage), retries=1)
    assert run(one.address("long.test", V4)) == address
    assert server.kinds("long.test") == asked


def test_the_size_of_datagrams_is_announced(server: NameServer) -> None:
    said = Resolvers("r", (nameserver(server),), payload=1400)
    run(Section(said, lambda *_place: -1).address("four.test", V4))
    assert [each.payload for each in server.asked] == [1400]


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that another thread does."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_first_valid_answer_of_several_servers_counts(server: NameServer) -> None:
    slower = NameServer({"failing.test": late(0.05, "A 192.0.2.9"), "four.test": says("A 192.0.2.1")})
    nobody = NameServer({})
    nobody.close()
    one = section(nameserver(nobody, name="a"), nameserver(server, name="b"), nameserver(slower, name="c"))
    try:
        assert run(one.address("failing.test", V4)) == "192.0.2.9"
        assert run(one.address("four.test", V4)) == "192.0.2.1"
        # It was asked, too, and may not have noticed yet.
        until(lambda: slower.kinds("four.test") == ["A"])
    finally:
        slower.close()


def test_nobody_waits_longer_than_retries_allow(server: NameServer) -> None:
    one = section(nameserver(server), retries=3, retry=50)
    began = time.monotonic()
    assert run(one.address("silent.test", V4)) is None
    assert 0.15 <= time.monotonic() - began < 2
    assert server.kinds("silent.test") == ["A"] * 3


def test_many_who_ask_for_the_same_are_answered_by_one_question(server: NameServer) -> None:
    server.zone["slow.test"] = late(0.05, "A 192.0.2.7")
    one = section(nameserver(server))

    async def many() -> list[str | None]:
        return await asyncio.gather(*(one.address(name, V4) for name in ("slow.test", "SLOW.test.") * 20))

    assert set(run(many())) == {"192.0.2.7"}
    assert len(server.asked) == 1


def test_an_answer_is_kept_for_hold_valid_and_an_error_is_not(server: NameServer) -> None:
    server.zone["moving.test"] = changing(says("A 192.0.2.1"), says("A 192.0.2.2"))
    server.zone["coming.test"] = changing(fails("NXDOMAIN"), fails("NXDOMAIN"), says("A 192.0.2.3"))
    one = section(nameserver(server), hold=200, retries=1)

    async def asked(name: str) -> list[str | None]:
        found = [await one.address(name, V4) for _ in range(2)]
        await asyncio.sleep(0.25)
        return [*found, await one.address(name, V4)]

    assert run(asked("moving.test")) == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    assert run(asked("coming.test")) == [None, "192.0.2.3", "192.0.2.3"]


def test_answers_that_are_kept_have_a_bound(server: NameServer) -> None:
    one = section(nameserver(server), hold=60_000)

    async def all_of_them() -> None:
        for number in range(KEPT + 5):
            one._keep((f"n{number}.test", V4), "192.0.2.1")

    run(all_of_them())
    assert len(one._kept) == KEPT
    assert ("n4.test", V4) not in one._kept


def test_a_question_ends_when_the_last_who_waits_leaves(server: NameServer) -> None:
    one = section(nameserver(server), retries=100)

    async def leaving() -> None:
        waiting = [asyncio.create_task(one.address("silent.test", V4)) for _ in range(2)]
        while not server.asked:
            await asyncio.sleep(0.01)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert one._running
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not one._running
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)

    run(leaving())


def test_what_came_of_questions_is_counted(server: NameServer) -> None:
    one = section(nameserver(server), retries=1)
    for name in ("four.test", "failing.test", "unknown.test", "silent.test", "forged.test", "long.test"):
        run(one.address(name, V4))
    counted = {name: number for name, number in one.servers[0].counters.rows() if number}
    assert counted == {
        "sent": 9,
        "valid": 3,
        "other": 2,
        "nx": 2,
        "timeout": 1,
        "invalid": 3,
        "truncated": 1,
    }


@pytest.mark.parametrize(
    ("accept", "prefer", "address", "asked"),
    [
        ({V4}, V6, "192.0.2.1", ["A"]),
        ({V6}, V4, "2001:db8::1", ["AAAA"]),
        ({V4, V6}, V6, "2001:db8::1", ["AAAA"]),
    ],
)
def test_only_families_that_are_accepted_are_asked_for(
    server: NameServer, accept: set[Family], prefer: Family, address: str, asked: list[str]
) -> None:
    said = Resolvers("r", (nameserver(server),), accept=frozenset(accept))
    assert run(Section(said, lambda *_place: -1).address("both.test", prefer)) == address
    assert server.kinds("both.test") == asked
