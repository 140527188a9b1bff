"""When certificates are asked for: by a clock that stands still while anything happens, and jumps between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from types import SimpleNamespace
from typing import Any, cast

import pytest

pytest.importorskip("acme", reason="the package acme is not installed")

from isthmus.acme import asking, keeping
from isthmus.acme.asking import AskingError, Issued
from isthmus.acme.keeping import FIRST_PAUSE, LONGEST_PAUSE, Keeper
from isthmus.config import Span
from isthmus.model.acme import Authority, Ordered
from isthmus.model.tls import Certificate, GlobalTls

START = 1_700_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NAME = "site.pem"
SPAN = Span("web.cfg", 1, 1, 1)


class Jumping(asyncio.SelectorEventLoop):
    """A loop whose clock goes on only where nothing is left to do, and then to the next timer at once."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0
        # After months, less than this is lost in the sum.
        self._clock_resolution = 1e-3

    def time(self) -> float:
        """Return how many seconds went by."""
        return self.passed

    def _run_once(self) -> None:
        loop = cast(Any, self)
        waiting = [timer.when() for timer in loop._scheduled if not timer.cancelled()]
        if not loop._ready and waiting:
            # Up to a part of a second that dates can hold too, so that no rest is too small for them.
            self.passed = max(self.passed, ceil(min(waiting) * 1024) / 1024)
        cast(Any, super())._run_once()


@dataclass
class Play:
    """One certificate, an authority that answers as it is told to, and what was asked when."""

    chain: bytes
    answers: Callable[[int], bytes | None]
    scheduled: bool = True
    interim: bool = False
    asked: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    wall: float = START

    def __post_init__(self) -> None:
        self.loop = Jumping()
        ordered = Ordered("LE", ("a.test",), interim=self.interim)
        self.held = {NAME: Certificate(NAME, self.chain, b"key", SPAN, ordered=ordered)}
        said = SimpleNamespace(
            global_=SimpleNamespace(tls=GlobalTls(scheduled=self.scheduled)),
            acme=(Authority("LE", "https://le.test/dir", "le.key", challenge="TLS-ALPN-01"),),
        )
        shelf = SimpleNamespace(all=lambda: self.held, approve=lambda _: None, put=self._put)
        running = SimpleNamespace(built=SimpleNamespace(configuration=said))
        store: Any = SimpleNamespace(certificates=shelf, running=running)
        engine: Any = SimpleNamespace()
        self.keeper = Keeper(store, engine, lambda message, _wrong: self.told.append(message))

    def _put(self, file: Certificate) -> None:
        self.held[file.name] = file

    def now(self) -> float:
        return self.wall + self.loop.passed

    async def ask(self) -> Issued:
        self.asked.append(self.now() - START)
        chain = self.answers(len(self.asked))
        if chain is None:
            raise AskingError("the authority is away")
        return Issued(chain, b"key")

    def run(self, seconds: float, meanwhile: Callable[[], None] = lambda: None, at: float = 0) -> list[float]:
        """Let so much time go by; return when the authority was asked, from the start."""

        async def play() -> None:
            keeping_it = asyncio.create_task(self.keeper.run())
            await asyncio.sleep(at)
            meanwhile()
            await asyncio.sleep(seconds - at)
            keeping_it.cancel()
            with suppress(asyncio.CancelledError):
                await keeping_it

        self.loop.run_until_complete(play())
        self.loop.close()
        return self.asked


def certificate(first: float, last: float, names: str = "a.test") -> bytes:
    """What stands for a chain: its dates, from the start, and names."""
    return f"{first + START} {last + START} {names}".encode()


def described(chain: bytes) -> list[SimpleNamespace]:
    first, last, names = chain.decode().split(" ", 2)
    listed = ", ".join(f"DNS:{each}" for each in names.split(" "))
    return [SimpleNamespace(not_before=float(first), not_after=float(last), names=listed)]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Play]:
    made: list[Play] = []

    def start(chain: bytes, answers: Callable[[int], bytes | None], **others: bool) -> Play:
        made.append(Play(chain, answers, **others))
        return made[-1]

    async def instead_of_a_thread(work: Callable[[], object]) -> object:
        return await cast(Any, work())

    monkeypatch.setattr(keeping, "describe_certificates", described)
    monkeypatch.setattr(keeping, "in_background", instead_of_a_thread)
    monkeypatch.setattr(keeping.time, "time", lambda: made[-1].now())
    monkeypatch.setattr(asking, "ask", lambda _order, _answering: made[-1].ask())
    return start


def never(_count: int) -> None:
    return None


def test_a_certificate_is_renewed_when_a_twelfth_of_its_validity_is_left(play: Callable[..., Play]) -> None:
    life = 120 * DAY
    # It began ten days ago; each that is issued begins when it is asked for.
    first = certificate(-10 * DAY, life - 10 * DAY)
    found = play(first, lambda _: certificate(found.asked[-1], found.asked[-1] + life))
    asked = found.run(400 * DAY)
    assert asked == pytest.approx([100 * DAY, 210 * DAY, 320 * DAY])
    assert len(found.told) == 3


def test_one_that_is_near_its_end_or_over_is_renewed_at_the_start(play: Callable[..., Play]) -> None:
    for left in (9 * DAY, 1.0, -30 * DAY):
        found = play(certificate(left - 120 * DAY, left), lambda _: certificate(0, 120 * DAY))
        assert found.run(DAY) == [0]


def test_one_that_was_made_here_or_lacks_a_name_is_asked_for_at_once(play: Callable[..., Play]) -> None:
    good = certificate(0, 120 * DAY)
    assert play(good, lambda _: good, interim=True).run(DAY) == [0]
    assert play(certificate(0, 120 * DAY, "b.test"), lambda _: good).run(DAY) == [0]
    assert play(certificate(0, 120 * DAY, "b.test a.test"), lambda _: good).run(DAY) == []


def test_an_authority_that_leaves_out_a_name_is_asked_once_an_hour(play: Callable[..., Play]) -> None:
    lacking = certificate(0, 120 * DAY, "b.test")
    assert play(lacking, lambda _: lacking).run(3.5 * HOUR) == [0, HOUR, 2 * HOUR, 3 * HOUR]


def test_a_failed_order_is_tried_again_after_twice_as_long_each_time_up_to_six_hours(
    play: Callable[..., Play],
) -> None:
    found = play(certificate(-119 * DAY, DAY), never)
    asked = found.run(3 * DAY)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    for number, pause in enumerate(pauses):
        wanted = min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)
        assert wanted <= pause <= wanted * 1.1 + 1, number
    assert len(pauses) > 12
    assert pauses[-1] >= LONGEST_PAUSE
    assert f"the next try is in {pauses[0]:.0f} s" in found.told[0]


def test_pauses_begin_anew_behind_an_order_that_went_well(play: Callable[..., Play]) -> None:
    life = 10 * HOUR
    good = 5

    def answer(count: int) -> bytes | None:
        return certificate(found.asked[-1], found.asked[-1] + life) if count == good else None

    found = play(certificate(-life, 0), answer)
    asked = found.run(16 * HOUR)
    assert asked[good] - asked[good - 1] == pytest.approx(life * 11 / 12)
    assert MINUTE <= asked[good + 1] - asked[good] <= 1.1 * MINUTE + 1


def test_an_operator_need_not_wait_for_the_next_try(play: Callable[..., Play]) -> None:
    good = certificate(0, 120 * DAY)
    found = play(certificate(-1, 0), lambda count: good if count == 3 else None)
    asked = found.run(DAY, lambda: found.keeper.kept[NAME].wanted.set(), at=61 * 2.5)
    assert len(asked) == 3
    assert asked[2] == pytest.approx(61 * 2.5)


def test_without_a_scheduler_only_operators_ask(play: Callable[..., Play]) -> None:
    found = play(certificate(-1, 0), never, scheduled=False)
    asked = found.run(100 * DAY, lambda: found.keeper.kept[NAME].wanted.set(), at=DAY)
    assert asked == [pytest.approx(DAY)]
    assert "next try" not in found.told[0]


def test_a_clock_that_is_set_forward_is_noticed_within_an_hour(play: Callable[..., Play]) -> None:
    """As behind the sleep of a machine: timers stand still then, dates do not."""
    good = certificate(0, 1000 * DAY)
    found = play(certificate(-10 * DAY, 110 * DAY), lambda _: good)

    def sleep() -> None:
        found.wall += 105 * DAY

    asked = found.run(3 * HOUR, sleep, at=10 * MINUTE)
    assert len(asked) == 1
    assert 105 * DAY <= asked[0] <= 105 * DAY + HOUR
