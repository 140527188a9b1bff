import pytest

from isthmus.config.values import Duration, TimeUnit, parse_time

from .builders import fault

TIMES = [
    ("0", 0),
    ("10", 10_000),
    ("010", 10_000),
    ("10us", 10),
    ("10ms", 10_000),
    ("10s", 10_000_000),
    ("10m", 600_000_000),
    ("1h", 3_600_000_000),
    ("24d", 24 * 86_400_000_000),
    ("2147483647", 2_147_483_647_000),
    ("2147483s", 2_147_483_000_000),
]


@pytest.mark.parametrize(("text", "microseconds"), TIMES)
def test_a_time_is_an_integer_with_a_unit(text, microseconds):
    assert parse_time(text) == Duration(microseconds)


def test_without_a_unit_a_time_counts_in_the_keyword_s_own():
    assert parse_time("3", TimeUnit.SECONDS) == parse_time("3s")
    assert parse_time("100d", TimeUnit.SECONDS).seconds == 8_640_000


def test_a_time_that_is_not_zero_is_never_rounded_to_zero():
    assert (parse_time("1us").milliseconds, parse_time("0us").milliseconds) == (1, 0)
    assert (parse_time("1001us").milliseconds, parse_time("1500ms").in_units(TimeUnit.SECONDS)) == (2, 2)


BAD = [
    ("", 0, None),
    ("s", 0, None),
    ("-1", 0, None),
    ("+1", 0, None),
    ("1.5s", 1, None),
    ("10S", 2, "did you mean `10s`?"),
    ("10sec", 2, "did you mean `10s`?"),
    ("5min", 1, "did you mean `5m`?"),
    ("2days", 1, "did you mean `2d`?"),
    ("1d1h", 1, None),
    ("1ss", 1, None),
    ("10w", 2, None),
    ("10 s", 2, None),
    ("1٣", 1, None),
]


@pytest.mark.parametrize(("text", "offset", "hint"), BAD)
def test_what_is_no_time_is_pointed_at(text, offset, hint):
    found = fault(parse_time, text)
    assert (found.code, found.offset, found.hint) == ("E0050", offset, hint)
    assert found.expected == "an integer with a unit: us, ms, s, m, h or d"


@pytest.mark.parametrize("text", ["25d", "597h", "35792m", "2147484s", "2147483648", "9" * 5000])
def test_a_time_over_the_limit_of_24_8_days_is_refused(text):
    found = fault(parse_time, text)
    assert (found.code, found.expected) == ("E0051", "at most 2147483647 milliseconds")
