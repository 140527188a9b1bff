import pytest
from rule_words import codes, context, marked, words

from isthmus.config import Line
from isthmus.keywords.acls import declare_acls
from isthmus.keywords.conditions import parse_condition
from isthmus.keywords.vocabulary import Place

ACLS = ("acl a src 10.0.0.1", "acl b dst_port 80", "acl early req.len gt 0")


def parse(text, place=Place.FRONTEND_CONTENT, at=9):
    ctx = context()
    lines = [Line(words(acl, n), "t.cfg", n, acl) for n, acl in enumerate(ACLS, 1)]
    return parse_condition(words(text, at), declare_acls(lines, ctx), place, ctx), ctx


def shape(condition):
    return [[("!" if t.negate else "") + t.acl.name for t in terms] for terms in condition.any_of]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a", [["a"]]),
        ("if a b", [["a", "b"]]),
        ("if a b or !a", [["a", "b"], ["!a"]]),
        ("if a || b OR a", [["a"], ["b"], ["a"]]),
        ("if ! a !!b", [["!a", "b"]]),
        ("if { src 10.0.0.1 10.0.0.2 } a", [["{ src 10.0.0.1 10.0.0.2 }", "a"]]),
        ("if !{ src 10.0.0.1 } or ! { src 10.0.0.1 }", [["!{ src 10.0.0.1 }"], ["!{ src 10.0.0.1 }"]]),
        ("if LOCALHOST TRUE", [["LOCALHOST", "TRUE"]]),
    ],
)
def test_conditions_have_the_shape_that_was_written(text, expected):
    condition, ctx = parse(text)
    assert codes(ctx) == []
    assert (shape(condition), condition.unless) == (expected, False)


def test_unless_negates_the_whole():
    assert parse("unless a or b")[0].unless


def test_nothing_behind_a_rule_means_always():
    condition, ctx = parse("")
    assert (condition, codes(ctx)) == (None, [])


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("when a", "E0332", (1, 5)),
        ("if nosuch", "E0330", (4, 10)),
        ("if true", "E0330", (4, 8)),
        ("if !nosuch", "E0330", (5, 11)),
        ("if { src 1.1.1.1", "E0331", (4, 5)),
        ("if { src 1.1.1.1 } }", "E0330", (20, 21)),
        ("if {src 1.1.1.1}", "E0330", (4, 8)),
        ("if { }", "E0321", (4, 7)),
        ("if { srcx }", "E0322", (6, 10)),
        ("if", "W0333", (1, 3)),
        ("if !", "W0333", (1, 3)),
        ("if a or", "W0333", (8, 8)),
        ("if or a", "W0333", (4, 6)),
        ("if { res.len 3 }", "W0334", (4, 17)),
    ],
)
def test_a_wrong_condition_is_marked_where_it_is_wrong(text, code, span):
    _, ctx = parse(text)
    assert (codes(ctx)[0], marked(ctx)[0]) == (code, span)


def test_an_acl_that_looks_at_contents_never_matches_before_there_are_any():
    assert codes(parse("if early", Place.FRONTEND_CONNECTION)[1]) == ["W0334"]
    assert codes(parse("if early", Place.FRONTEND_CONTENT)[1]) == []


def test_an_acl_is_declared_above_its_use():
    _, ctx = parse("if a", at=1)
    assert codes(ctx) == ["E0330"]
    assert [each.hint for each in ctx.diagnostics] == ["`a` is declared below this line; declare it above"]


def test_a_predefined_acl_whose_fetch_is_missing_is_known_by_name():
    _, ctx = parse("if METH_GET")
    assert [(each.code, each.message) for each in ctx.diagnostics] == [
        ("E0312", "criterion `method` is not implemented yet")
    ]
