import pytest
from rule_words import codes, context, marked, word

from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import IntArg, MaskArg, ProxyArg, SampleType, ServerArg, StrArg, VarArg


def parse(text, place=Place.FRONTEND_CONTENT, **changes):
    ctx = context(**changes)
    return parse_expression(word(text), place, ctx), ctx


def test_a_fetch_alone_has_its_own_type():
    expression, ctx = parse("src")
    assert (expression.fetch.name, expression.output, codes(ctx)) == ("src", SampleType.ADDR, [])


def test_the_last_converter_gives_the_type():
    expression, _ = parse("src,ipmask(24),length")
    assert [c.name for c in expression.converters] == ["ipmask", "length"]
    assert expression.converters[0].args == (MaskArg(24),)
    assert expression.output is SampleType.INT


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("str(a)", (StrArg("a"),)),
        ("str", (StrArg(""),)),
        ("str()", (StrArg(""),)),
        ('str("\\"a,b)\\"")', (StrArg("a,b)"),)),
        ("str(\"'a,b'\")", (StrArg("a,b"),)),
        ("str(a\\\\(b)", (StrArg("a\\(b"),)),
        ("str(a(b)", (StrArg("a(b"),)),
        ("int(-5)", (IntArg(-5),)),
        ("date(0,ms)", (IntArg(0), StrArg("ms"))),
        ("date()", ()),
        ("date", ()),
        ("src()", ()),
        ("var(txn.a)", (VarArg("txn.a"),)),
    ],
)
def test_arguments_are_read_as_haproxy_reads_them(text, args):
    expression, ctx = parse(text)
    assert codes(ctx) == []
    assert expression.fetch.args == args


def test_arithmetic_takes_a_number_or_a_variable():
    assert parse("int(3),add(4)")[0].converters[0].args == (IntArg(4),)
    assert parse("int(3),add(txn.a)")[0].converters[0].args == (VarArg("txn.a"),)


def test_a_backend_left_out_is_the_section_s_own():
    expression, _ = parse("nbsrv", Place.BACKEND_CONTENT, proxy="b", frontend=False, backend=True)
    (arg,) = expression.fetch.args
    assert isinstance(arg, ProxyArg)
    assert (arg.kind, arg.name) == ("backend", "b")


def test_a_server_without_its_backend_is_one_of_the_section():
    (arg,) = parse("srv_conn(s1)")[0].fetch.args
    assert isinstance(arg, ServerArg)
    assert (arg.backend, arg.server) == ("f", "s1")


def test_an_integer_that_is_empty_behind_others_is_0() -> None:
    (converter,) = parse("str(a.b),field(1,.,)")[0].converters
    assert converter.args == (IntArg(1), StrArg("."), IntArg(0))


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("srcc", "E0310", (1, 5)),
        ("ssl_fc_unique_id", "E0312", (1, 17)),
        ("src,foo", "E0311", (5, 8)),
        ("src,xxh64", "E0312", (5, 10)),
        ("src,", "E0313", (5, 5)),
        (",lower", "E0313", (1, 2)),
        ("src(3)", "E0314", (5, 6)),
        ("int(x)", "E0314", (5, 6)),
        ("int", "E0314", (1, 4)),
        ("int(3),add(foo)", "E0314", (12, 15)),
        ("int(3),add(1", "E0313", (11, 12)),
        ("nbsrv(b)x", "E0313", (9, 10)),
        ("nbsrv", "E0314", (1, 6)),
        ("src,ipmask(33)", "E0314", (12, 14)),
        ("src,ipmask(255.0.255.0)", "E0314", (12, 23)),
        ("str(a),field(1)", "E0314", (8, 13)),
        ("str(a),field(,.)", "E0314", (14, 14)),
        ("str(a),field(1,:,2,3)", "E0314", (20, 21)),
        ("bin(00),add(1)", "E0315", (9, 12)),
        ("bool(1),ipmask(24)", "E0315", (9, 15)),
        ("bool(x)", "E0314", (6, 7)),
        ("bin(zz)", "E0314", (5, 7)),
        ("ipv4(1.2.3)", "E0314", (6, 11)),
        ("date(0,h)", "E0314", (8, 9)),
        ("var(foo.a)", "E0314", (5, 10)),
        ("var", "E0314", (1, 4)),
        ("bool()", "E0314", (6, 6)),
        ("bin", "E0314", (1, 4)),
        ("str(a),regsub(a[,b)", "E0314", (15, 17)),
        ("str(a),regsub(a,b,z)", "E0314", (19, 20)),
        ("res.len", "E0316", (1, 8)),
        ("src]", "E0313", (4, 5)),
    ],
)
def test_a_wrong_expression_is_marked_where_it_is_wrong(text, code, span):
    expression, ctx = parse(text)
    assert expression is None
    assert (codes(ctx), marked(ctx)) == ([code], [span])


def test_a_misspelt_fetch_gets_the_nearest_right_one():
    _, ctx = parse("dst_prot")
    assert [each.hint for each in ctx.diagnostics] == ["did you mean `dst_port`?"]


def test_commas_in_a_row_count_as_one():
    expression, ctx = parse("str(a),,hex")
    assert codes(ctx) == []
    assert [c.name for c in expression.converters] == ["hex"]
