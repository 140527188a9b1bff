import pytest

from isthmus.config.values import parse_integer, parse_percentage

from .builders import fault


def test_an_integer_keeps_to_its_limits():
    assert (parse_integer("0"), parse_integer("007"), parse_integer("-3", minimum=-5)) == (0, 7, -3)
    for text in ["", "x", "1x", "1.0", "-1", "256", "9" * 5000]:
        found = fault(parse_integer, text, maximum=255)
        assert (found.code, found.expected) == ("E0053", "an integer from 0 to 255")


def test_a_percentage_keeps_to_its_limits():
    assert (parse_percentage("0%"), parse_percentage("100%"), parse_percentage("50", sign=False)) == (
        0,
        100,
        50,
    )
    assert parse_percentage("150%", maximum=256) == 150


@pytest.mark.parametrize("text", ["", "%", "10", "101%", "-1%", "10%%", "1.5%", "x%"])
def test_what_is_no_percentage_is_refused(text):
    found = fault(parse_percentage, text)
    assert (found.code, found.expected) == ("E0054", "a percentage from 0% to 100%")
