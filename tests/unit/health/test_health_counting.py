"""Rise and fall, as HAProxy 2.6 was seen to count them with `option log-health-checks`."""

from __future__ import annotations

import pytest

from isthmus.health.counting import Change, Counting
from isthmus.model.server import InitState


@pytest.mark.parametrize(
    ("rise", "fall", "results", "shown"),
    [
        (2, 3, "+", "3/3 UP"),
        (2, 3, "+-", "2/3 UP"),
        (2, 3, "+--", "1/3 UP"),
        (2, 3, "+---", "0/2 DOWN"),
        (2, 3, "+---+", "1/2 DOWN"),
        (2, 3, "+---++", "3/3 UP"),
        (2, 3, "+---+-", "0/2 DOWN"),
        (2, 3, "+--+", "3/3 UP"),
        (2, 3, "-", "0/2 DOWN"),
        (2, 2, "+-", "1/2 UP"),
        (1, 1, "-", "0/1 DOWN"),
        (1, 1, "-+", "1/1 UP"),
        (3, 1, "-++", "2/3 DOWN"),
    ],
)
def test_the_count_is_that_of_haproxy(rise: int, fall: int, results: str, shown: str) -> None:
    counting = Counting(rise, fall)
    for each in results:
        counting.on_result(each == "+")
    assert counting.shown == shown


def test_the_first_failure_after_the_start_takes_a_server_out() -> None:
    assert Counting(2, 3).on_result(False) is Change.DOWN


def test_fall_three_needs_three_failures_in_a_row() -> None:
    counting = Counting(2, 3)
    results = [counting.on_result(each) for each in (True, False, False, True, False, False, False)]
    assert results == [None, None, None, None, None, None, Change.DOWN]


def test_rise_two_needs_two_passes_in_a_row() -> None:
    counting = Counting(2, 3)
    counting.empty()
    results = [counting.on_result(each) for each in (True, False, True, True)]
    assert results == [None, None, None, Change.UP]


def test_the_count_is_steady_at_its_ends_alone() -> None:
    counting = Counting(2, 3)
    steady = []
    for passed in (True, False, False, False, True, True):
        counting.on_result(passed)
        steady.append(counting.steady)
    assert steady == [True, False, False, True, False, True]


@pytest.mark.parametrize(
    ("initial", "results", "ups"),
    [
        (InitState.UP, [False, True, True], [True, False, False, True]),
        (InitState.FULLY_UP, [False, False, False], [True, True, True, False]),
        (InitState.DOWN, [True, False], [False, True, True]),
        (InitState.FULLY_DOWN, [True, True, False], [False, False, True, True]),
    ],
)
def test_it_begins_as_init_state_says(initial: InitState, results: list[bool], ups: list[bool]) -> None:
    counting = Counting(2, 3, initial)
    seen = [counting.up]
    for result in results:
        counting.on_result(result)
        seen.append(counting.up)
    assert seen == ups
