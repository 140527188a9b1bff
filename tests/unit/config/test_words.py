import pytest

from isthmus.config import quote, split_line

from .builders import words

PLAIN = [
    ("", []),
    ("  \t ", []),
    ("bind :80 name x", ["bind", ":80", "name", "x"]),
    ("\tbind\t :80  ", ["bind", ":80"]),
    ("a\vb\fc", ["a", "b", "c"]),
    ("# all of it", []),
    ("global#comment", ["global"]),
    ("a b #c d", ["a", "b"]),
    ('a"b"#c', ["ab"]),
]


@pytest.mark.parametrize(("text", "expected"), PLAIN)
def test_spaces_separate_words_and_a_hash_begins_a_comment(text, expected):
    assert words(text) == expected


QUOTED = [
    (r"a\ b", ["a b"]),
    (r"a\#b", ["a#b"]),
    (r"a\\b", ["a\\b"]),
    (r"\'a\"", ["'a\""]),
    (r"a\nb\rc\td", ["a\nb\rc\td"]),
    (r"\x41\x20\x23", ["A #"]),
    (r"a\$b", [r"a\$b"]),
    (r"\q\X41", [r"\q\X41"]),
    ("a\\\tb", ["a\\", "b"]),
    ("a\\", ["a\\"]),
    ('"a b"', ["a b"]),
    ('"a#b"', ["a#b"]),
    ('"it\'s"', ["it's"]),
    (r'"a\"b\\c\$d\ne\x41\ f\#\q"', ['a"b\\c$d\neA f#\\q']),
    ("'a b#c\"d\\n$X'", ['a b#c"d\\n$X']),
    ("a\"b\"'c'\\ d", ["abc d"]),
    ('""', [""]),
    ("a '' b", ["a", "", "b"]),
    ("$X ${X}", ["$X", "${X}"]),
]


@pytest.mark.parametrize(("text", "expected"), QUOTED)
def test_quotes_and_escapes_protect_characters(text, expected):
    assert words(text, X="value") == expected


def test_the_manual_s_five_ways_of_quoting_a_log_format_are_the_same():
    ways = [
        r"log-format %{+Q}o\ %t\ %s\ %{-Q}r",
        'log-format "%{+Q}o %t %s %{-Q}r"',
        "log-format '%{+Q}o %t %s %{-Q}r'",
        "log-format \"%{+Q}o %t\"' %s %{-Q}r'",
        "log-format \"%{+Q}o %t\"' %s'\\ %{-Q}r",
    ]
    assert {tuple(words(way)) for way in ways} == {("log-format", "%{+Q}o %t %s %{-Q}r")}


LISTS = [
    ('"${L[*]}"', "a  b c", ["a", "b", "c"]),
    ('x"${L[*]}"y', "a b", ["xa", "by"]),
    ('"${L[*]}" z', "a b ", ["a", "b", "z"]),
    ('x"${L[*]}"y', " a ", ["x", "a", "y"]),
    ('"${L[*]}"', 'q"x #y', ['q"x', "#y"]),
    ('z "${L[*]}"', "", ["z"]),
    ('z "${L[*]}"', "  ", ["z"]),
    ('x"${L[*]}"y', "", ["xy"]),
    ('"${M[*]-d e}"', "", ["d", "e"]),
]


@pytest.mark.parametrize(("text", "value", "expected"), LISTS)
def test_a_list_variable_makes_a_word_of_each_part(text, value, expected):
    assert words(text, L=value) == expected


def test_words_that_one_variable_made_share_its_span():
    split = split_line('a x"${L[*]}"', "t.cfg", 7, {"L": "1 2"}.get)
    assert [(word.text, word.span.line, word.span.column, word.span.end) for word in split.words] == [
        ("a", 7, 1, 2),
        ("x1", 7, 3, 13),
        ("2", 7, 3, 13),
    ]


def test_a_span_covers_the_word_as_written_with_its_quotes():
    text = "log-tag \"a b\"'c' # x"
    word = split_line(text, "t.cfg", 1, {}.get).words[1]
    assert (word.text, text[word.span.column - 1 : word.span.end - 1]) == ("a bc", "\"a b\"'c'")


FAILURES = [
    ('a "b c', "E0001", 3, 7, ["a", "b c"]),
    ("a 'b c", "E0001", 3, 7, ["a", "b c"]),
    (r"a \x4", "E0002", 3, 6, ["a", ""]),
    (r'a "\xzz"', "E0002", 4, 8, ["a", ""]),
    ('a "$"', "E0004", 4, 6, ["a", ""]),
    ('a "b${L"', "E0005", 5, 8, ["a", "b"]),
    ('a "${L[x]}"', "E0006", 4, 9, ["a", ""]),
]


@pytest.mark.parametrize(("text", "code", "column", "end", "before"), FAILURES)
def test_a_failure_points_at_its_text_and_keeps_the_words_before(text, code, column, end, before):
    split = split_line(text, "t.cfg", 1, {}.get)
    assert split.failed
    assert [(each.code, each.span.column, each.span.end) for each in split.problems] == [(code, column, end)]
    assert [word.text for word in split.words] == before


def test_a_nul_ends_its_word_with_a_warning():
    split = split_line(r"a\x00b c", "t.cfg", 1, {}.get)
    assert not split.failed
    assert ([word.text for word in split.words], [each.code for each in split.problems]) == (
        ["a", "c"],
        ["W0003"],
    )


def test_bytes_written_in_hexadecimal_join_into_characters():
    assert words(r"\xc3\xa9 \xff") == ["é", "\udcff"]


def test_without_comments_a_hash_is_a_plain_character():
    split = split_line("a #b\\#", "-cc", 1, {}.get, comments=False)
    assert [word.text for word in split.words] == ["a", "#b#"]


QUOTING = [
    ("plain", "plain"),
    ("", '""'),
    ("two words", "'two words'"),
    ("it's", '"it\'s"'),
    ("a\nb", '"a\\nb"'),
    ("$X", "$X"),
    ("a'$X\\\"", '"a\'\\$X\\\\\\""'),
]


@pytest.mark.parametrize(("word", "expected"), QUOTING)
def test_quote_takes_the_plainest_form_that_reads_back(word, expected):
    assert quote(word) == expected
    assert words(expected) == [word]
