import pytest

from isthmus.config.expansion import LexicalError, expand

from .builders import words

EXPANSIONS = [
    ('"$X"', "1"),
    ('"${X}"', "1"),
    ('"a$X-b"', "a1-b"),
    ('"a$X.b"', "a1.b"),
    ('"$NONE|"', "|"),
    ('"${NONE}|"', "|"),
    ('"${NONE-d e}"', "d e"),
    ('"${X-d}"', "1"),
    ('"${EMPTY-d}|"', "|"),
    ('"${NONE-}|"', "|"),
    ('"${NONE--d}"', "-d"),
    ('"${NONE-a}b}"', "ab}"),
    ('"${NONE-$X}"', "$X"),
    (r'"${NONE-\x41"#}"', r'\x41"#'),
    ('"${NONE-a b[*]}"', "a b[*]"),
    ('"$X[*]"', "1[*]"),
    ('"$_y1"', "2"),
    ('"$DOLLAR"', "$X\\n"),
    ("\"$X\"$X'$X'", "1$X$X"),
]


@pytest.mark.parametrize(("text", "expected"), EXPANSIONS)
def test_variables_are_replaced_in_double_quotes_only(text, expected):
    assert words(text, X="1", EMPTY="", _y1="2", DOLLAR="$X\\n") == [expected]


BAD = [
    ("$", "E0004"),
    ("$1", "E0004"),
    ("$ x", "E0004"),
    ("$-", "E0004"),
    ("${}", "E0004"),
    ("${ X}", "E0004"),
    ("$é", "E0004"),
    ("$.NOPE", "E0004"),
    ("$.LINEx", "E0004"),
    ("${.NOPE-x}", "E0004"),
    ("${X", "E0005"),
    ("${X!}", "E0005"),
    ("${X:-d}", "E0005"),
    ("${X-d", "E0005"),
    ("${X[*]x}", "E0005"),
    ("${X[x]}", "E0006"),
    ("${X[", "E0006"),
]


@pytest.mark.parametrize(("text", "code"), BAD)
def test_a_malformed_variable_is_told_by_its_code(text, code):
    with pytest.raises(LexicalError) as caught:
        expand(text, 0, {"X": "1"}.get)
    assert caught.value.code == code
