import pytest

from isthmus.config import nearest

WORDS = ["global", "defaults", "frontend", "backend", "listen", "namespace", "name", "mode", "mss"]

PAIRS = [
    ("fronted", "frontend"),
    ("frontnd", "frontend"),
    ("forntend", "frontend"),
    ("frontends", "frontend"),
    ("namespce", "namespace"),
    ("MODE", "mode"),
    ("moed", "mode"),
    ("x", None),
    ("", None),
    ("completely", None),
    ("bind", None),
]


@pytest.mark.parametrize(("word", "expected"), PAIRS)
def test_the_nearest_word_is_a_few_slips_away(word, expected):
    assert nearest(word, WORDS) == expected
    assert nearest(word, reversed(WORDS)) == expected


def test_a_word_is_not_its_own_correction():
    assert nearest("mode", ["mode"]) is None
