"""Properties of the configuration reader that hold for every text."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.config import (
    ArgumentError,
    ConditionError,
    Features,
    evaluate,
    nearest,
    quote,
    read_text,
    split_arguments,
    split_line,
)
from isthmus.config.values import (
    BIND,
    LOG,
    SERVER,
    BadValueError,
    parse_addresses,
    parse_integer,
    parse_network,
    parse_percentage,
    parse_size,
    parse_time,
)

FEATURES = Features("2.6.12", frozenset({"NS"}))
SECTIONS = frozenset({"global", "frontend"})
ENVIRONMENT = {"A": "one", "LIST": " a  b\tc ", "EMPTY": ""}

PIECES = [
    *[
        "global",
        "frontend",
        "f",
        "setenv",
        "A",
        "x y",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "#",
        "'",
        '"',
        "\\",
        "\\x4",
        "\\x41",
    ],
    *[
        "$",
        "${",
        "}",
        "[*]",
        "-",
        "A",
        "LIST",
        "EMPTY",
        '"$A"',
        '"${LIST[*]}"',
        ".if ",
        ".elif ",
        ".else",
        ".endif",
    ],
    *[
        ".notice ",
        "1",
        "0",
        "!",
        "&&",
        "||",
        "(",
        ")",
        "streq(",
        ",",
        "defined(",
        "é",
        "日",
        "\udcff",
        "\x1b",
        "\ufeff",
    ],
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
BYTES = st.one_of(st.binary(max_size=200), TEXTS.map(lambda text: text.encode("utf-8", "surrogateescape")))
WORDS = st.one_of(TEXTS, st.text(max_size=30))


def raised(kind, function, *arguments):
    """The error of a kind that a call raises, or None; any other error is the test's failure."""
    try:
        function(*arguments)
    except kind as error:
        return error
    return None


def read(data):
    return read_text(data, environment=ENVIRONMENT, features=FEATURES, sections=SECTIONS)


@given(BYTES)
def test_any_bytes_give_a_tree_and_printable_messages(data):
    tree = read(data)
    tree.diagnostics.render().encode("utf-8")
    assert all(section.kind.text in SECTIONS for section in tree.sections)


@given(BYTES)
def test_spans_always_point_into_the_source_line(data):
    tree = read(data)
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    spans = [
        word.span
        for section in tree.sections
        for line in (section.header, *section.lines)
        for word in line.words
    ]
    spans += [each.span for each in tree.diagnostics if each.span]
    for span in spans:
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= span.end <= len(lines[span.line - 1]) + 1


@given(BYTES)
def test_words_stand_in_the_order_of_their_spans(data):
    for section in read(data).sections:
        for line in (section.header, *section.lines):
            columns = [(word.span.column, word.span.end) for word in line.words]
            assert columns == sorted(columns)


@given(st.lists(WORDS.map(lambda word: word.replace("\0", "")), max_size=5))
def test_quoted_words_read_back_as_they_were(words):
    words = [word.encode("utf-8", "replace").decode("utf-8", "surrogateescape") for word in words]
    split = split_line(" ".join(map(quote, words)), "f", 1, ENVIRONMENT.get)
    assert not split.problems
    assert [word.text for word in split.words] == words
    assert "\n" not in "".join(map(quote, words))


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1), max_size=6))
def test_the_short_way_for_plain_lines_gives_what_the_long_way_gives(words):
    plain = [word for word in words if not set(word) & set("\\\"'#")]
    long_way = split_line(" ".join(plain) + " #", "f", 1, ENVIRONMENT.get)
    assert split_line(" ".join(plain) + "  ", "f", 1, ENVIRONMENT.get).words == long_way.words


@given(TEXTS)
def test_a_condition_is_true_false_or_wrong_within_itself(text):
    error = raised(ConditionError, evaluate, text, FEATURES, ENVIRONMENT)
    if error:
        assert 0 <= error.offset <= error.offset + error.length <= len(text)


@given(TEXTS)
def test_arguments_split_or_say_where_they_do_not(text):
    error = raised(ArgumentError, split_arguments, "(" + text, 0)
    if error:
        assert 0 <= error.offset <= len(text)
    else:
        arguments, end = split_arguments("(" + text, 0)
        assert 0 < end <= len(text) + 1
        assert arguments


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[0-9a-z:.*@\[\]+/%,-]{0,20}", fullmatch=True)))
def test_every_value_parses_or_says_what_was_expected(text):
    for parse in (
        parse_time,
        parse_size,
        parse_integer,
        parse_percentage,
        parse_network,
        *(lambda text, rules=rules: parse_addresses(text, rules) for rules in (BIND, SERVER, LOG)),
    ):
        fault = raised(BadValueError, parse, text)
        if fault:
            assert fault.expected
            assert fault.message
            assert 0 <= fault.offset <= len(text)


@given(WORDS, st.lists(WORDS, max_size=5))
def test_the_nearest_word_is_one_of_the_candidates_whatever_their_order(word, candidates):
    found = nearest(word, candidates)
    assert found is None or found in candidates
    assert found == nearest(word, reversed(candidates))
