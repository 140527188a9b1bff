import pytest

from isthmus.config.values import parse_size

from .builders import fault

SIZES = [
    ("0", 0),
    ("1024", 1024),
    ("16k", 16384),
    ("16K", 16384),
    ("1m", 1 << 20),
    ("3g", 3 << 30),
    ("4294967295", 2**32 - 1),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size_is_an_integer_with_a_power_of_1024(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "k", "1kb", "1.5k", "-5", "1t", "x", "1 k", "4g", "4294967296", "9" * 5000]
)
def test_garbage_and_overflow_are_refused(text):
    assert fault(parse_size, text).code == "E0052"


def test_a_keyword_s_limits_are_named():
    assert parse_size("4g", maximum=2**40) == 4 << 30
    assert fault(parse_size, "10", minimum=16, maximum=1024).expected == "16 to 1024"
