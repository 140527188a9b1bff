import pytest

from isthmus.config import ArgumentError, split_arguments

ARGUMENTS = [
    ("(a)", ["a"]),
    ("()", [""]),
    ("(,)", ["", ""]),
    ("(a,b,c)rest", ["a", "b", "c"]),
    ("( a , b )", [" a ", " b "]),
    ('("a,b",c)', ["a,b", "c"]),
    ("('a,b)',\"c\"d)", ["a,b)", "cd"]),
    (r"(a\ b,\n\r\t,\",\',\\)", ["a b", "\n\r\t", '"', "'", "\\"]),
    (r"(\#\$\x41\q)", [r"\#\$\x41\q"]),
    (r"(a\,b)", ["a\\", "b"]),
    (r"('\n')", [r"\n"]),
    ("(a(b)", ["a(b"]),
]


@pytest.mark.parametrize(("text", "expected"), ARGUMENTS)
def test_arguments_are_split_at_commas_outside_quotes(text, expected):
    arguments, end = split_arguments(text, 0)
    assert [each.text for each in arguments] == expected
    assert text[end - 1] == ")"


def test_offsets_point_at_each_argument_with_its_quotes():
    text = 'streq("a,b",c)'
    arguments, end = split_arguments(text, 5)
    assert [text[each.start : each.end] for each in arguments] == ['"a,b"', "c"]
    assert end == len(text)


@pytest.mark.parametrize(("text", "offset"), [("(a", 0), ("(a,b", 0), ('(a,"b)', 3), ("(a,'b)", 3), ("(", 0)])
def test_what_is_never_closed_is_pointed_at(text, offset):
    with pytest.raises(ArgumentError) as caught:
        split_arguments(text, 0)
    assert caught.value.offset == offset
