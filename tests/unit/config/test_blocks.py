import pytest

from .builders import codes, places, tree


def kept(text, **environment):
    """The keywords that are left of a text within `global`, which has nothing wrong."""
    read = tree("global\n" + text, **environment)
    assert codes(read) == []
    return [line.keyword.text for line in read.sections[0].lines]


BLOCKS = [
    (".if 1|a|.endif|b", "a b"),
    (".if 0|a|.endif|b", "b"),
    (".if 1|a|.else|b|.endif", "a"),
    (".if 0|a|.else|b|.endif", "b"),
    (".if 0|a|.elif 1|b|.elif 1|c|.else|d|.endif", "b"),
    (".if 0|a|.elif 0|b|.else|c|.endif", "c"),
    (".if 1|a|.if 0|b|.else|c|.endif|d|.endif", "a c d"),
    (".if 0|.if 1|a|.else|b|.endif|c|.else|d|.endif", "d"),
    (".if|a|.else|b|.endif", "b"),
    (".if 1 # so|a|.endif # and", "a"),
    ('.if "$X"|a|.endif', "a"),
    ('.if streq("$X",1) && !defined(Y)|a|.endif', "a"),
    ('".if" 1|a|".endif"', "a"),
]


@pytest.mark.parametrize(("text", "expected"), BLOCKS)
def test_only_the_branch_taken_counts(text, expected):
    assert kept(text.replace("|", "\n") + "\n", X="1") == expected.split()


def test_conditions_behind_a_taken_or_dead_branch_are_not_evaluated():
    assert kept(".if 1\na\n.elif nonsense(\nb\n.endif\n.if 0\n.if nonsense(\n.endif\n.endif\n") == ["a"]


ERRORS = [
    (".if 1", [("E0033", 1, 1)]),
    (".endif", [("E0031", 1, 1)]),
    (".else", [("E0031", 1, 1)]),
    (".elif 1", [("E0031", 1, 1)]),
    (".if 1|.else|.else|.endif", [("E0032", 3, 1)]),
    (".if 1|.else|.elif 1|.endif", [("E0032", 3, 1)]),
    (".if 1|.else x|.endif y", [("E0034", 2, 7), ("E0034", 3, 8)]),
    (".nope", [("E0035", 1, 1)]),
    (". notice", [("E0035", 1, 1)]),
    (".notice a b", [("E0034", 1, 11)]),
    (".if 1 && foo(1)|x|.else|y|.endif", [("E0030", 1, 10)]),
    ('.if "1 ~"|.endif', [("E0030", 1, 5)]),
    (".if 1 &&|.endif", [("E0030", 1, 9)]),
    ('.if "x|a|.else|b|.endif', [("E0001", 1, 5)]),
    (".if 0|.nope|.notice a b|.endif", []),
    ('.if 0|a "x|.endif', [("E0001", 2, 3)]),
]


@pytest.mark.parametrize(("text", "expected"), ERRORS)
def test_each_mistake_gives_one_message_at_its_place(text, expected):
    assert places(tree(text.replace("|", "\n") + "\n")) == expected


def test_a_block_ends_with_its_file_at_the_latest():
    assert places(tree("global\n.if 0\n.if 1\n a\n")) == [("E0033", 2, 1), ("E0033", 3, 1)]


def test_messages_have_the_severity_of_their_directive():
    read = tree('.notice "n $X"\n.warning w\n.alert a\n.diag d\n.notice\n', X="1")
    assert [(each.severity.value, each.message) for each in read.diagnostics] == [
        ("notice", "n 1"),
        ("warning", "w"),
        ("alert", "a"),
        ("diag", "d"),
        ("notice", ""),
    ]
    assert codes(read) == ["N0036", "W0036", "E0036", "D0036", "N0036"]


def test_unknown_directives_get_the_nearest_word():
    (message,) = tree(".notise x\n").diagnostics
    assert message.hint == "did you mean `.notice`?"
