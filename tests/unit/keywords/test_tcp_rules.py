import pytest
from rule_words import codes, context, marked, words

from isthmus.config import Line
from isthmus.keywords.acls import declare_acls
from isthmus.keywords.tcp_rules import RuleReader
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.model.rule import (
    Accept,
    Capture,
    ExpectProxy,
    Reject,
    SetAddress,
    SetLogLevel,
    SetMark,
    SetRetries,
    SetTos,
    SetVar,
    SilentDrop,
    SwitchMode,
    UnsetVar,
)

READERS = {"tcp-request": "tcp_request", "use_backend": "use_backend", "use-server": "use_server"}


def read(*texts, **changes):
    ctx = context(**changes)
    lines = [Line(words(text, n), "t.cfg", n, text) for n, text in enumerate(texts, 1)]
    reader = RuleReader(declare_acls(lines, ctx), ctx)
    for line in lines:
        if line.keyword.text in READERS:
            getattr(reader, READERS[line.keyword.text])(line)
    return reader.finish(), ctx


BACKEND = {"proxy": "b", "frontend": False, "backend": True}


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("accept", Accept()),
        ("reject", Reject()),
        ("switch-mode http", SwitchMode()),
        ("switch-mode http proto h2", SwitchMode("h2")),
        ("silent-drop", SilentDrop()),
        ("silent-drop rst-ttl 3", SilentDrop(3)),
        ("unset-var(txn.a)", UnsetVar("txn.a")),
        ("set-log-level silent", SetLogLevel(None)),
        ("set-log-level err", SetLogLevel(3)),
    ],
)
def test_actions_without_expressions(text, action):
    rules, ctx = read(f"tcp-request content {text} if LOCALHOST")
    assert codes(ctx) == []
    (rule,) = rules.content
    assert rule.action == action
    assert rule.condition.any_of[0][0].acl.name == "LOCALHOST"


def test_actions_with_expressions():
    rules, ctx = read(
        "tcp-request content set-var(txn.a,ifnotset,ifnotempty) src,ipmask(24)",
        "tcp-request content set-var-fmt(txn.b) %[src]:%cp",
        "tcp-request content set-src src",
        "tcp-request content set-dst-port int(80)",
        "tcp-request content capture fe_name len 10",
    )
    assert codes(ctx) == []
    set_var, set_fmt, set_src, set_port, capture = (rule.action for rule in rules.content)
    assert isinstance(set_var, SetVar)
    assert (set_var.name, set_var.conditions) == ("txn.a", ("ifnotset", "ifnotempty"))
    assert isinstance(set_var.value, Expression)
    assert isinstance(set_fmt.value, Format)
    assert isinstance(set_src, SetAddress)
    assert (set_src.what, set_port.what) == ("set-src", "set-dst-port")
    assert isinstance(capture, Capture)
    assert capture.length == 10


@pytest.mark.parametrize(
    ("text", "action", "server", "fetch", "number"),
    [
        ("set-mark 0x1f", SetMark, False, "int", 31),
        ("set-fc-mark 7", SetMark, False, "int", 7),
        ("set-tos 0x20", SetTos, False, "int", 32),
        ("set-fc-tos 255", SetTos, False, "int", 255),
        ("set-fc-mark src_port", SetMark, False, "src_port", None),
        ("set-bc-mark 0xffffffff", SetMark, True, "int", 4294967295),
        ("set-bc-mark src_port,add(1)", SetMark, True, "src_port", None),
        ("set-bc-tos int(3)", SetTos, True, "int", 3),
    ],
)
def test_marks_are_numbers_or_expressions(text, action, server, fetch, number):
    rules, ctx = read(f"tcp-request content {text}")
    assert codes(ctx) == []
    (rule,) = rules.content
    assert isinstance(rule.action, action)
    assert rule.action.server is server
    call = rule.action.value.fetch
    assert call.name == fetch
    assert number is None or [each.value for each in call.args] == [number]


@pytest.mark.parametrize("text", ["100", "int(3)", "src_port"])
def test_retries_are_set_where_a_backend_is(text):
    rules, ctx = read(f"tcp-request content set-retries {text}", **BACKEND)
    assert codes(ctx) == []
    assert isinstance(rules.content[0].action, SetRetries)
    assert codes(read(f"tcp-request content set-retries {text}")[1]) == ["E0403"]
    assert codes(read(f"tcp-request content set-retries {text}", backend=True, proxy="")[1]) == ["E0403"]


def test_expect_proxy_stands_in_connection_rules():
    rules, ctx = read("tcp-request connection expect-proxy layer4 if { src 10.0.0.0/8 }")
    assert codes(ctx) == []
    assert rules.connection[0].action == ExpectProxy()


def test_the_span_of_a_rule_is_its_line():
    rules, _ = read("acl a src 10.0.0.1", "tcp-request connection reject if TRUE")
    (rule,) = rules.connection
    assert (rule.span.line, rule.span.column, rule.span.end) == (2, 1, 38)


def test_inspect_delay_is_in_milliseconds():
    assert read("tcp-request inspect-delay 5s")[0].inspect_delay == 5000


def test_a_backend_may_be_named_or_computed():
    rules, ctx = read("use_backend b%[src_port] if TRUE", "use_backend b")
    assert codes(ctx) == []
    computed, named = rules.backends
    assert isinstance(computed.target, Format)
    assert (named.target, named.condition) == ("b", None)


def test_a_server_may_be_named_or_computed():
    rules, ctx = read("use-server s1 if TRUE", "use-server %[src] unless TRUE", **BACKEND)
    assert codes(ctx) == []
    assert rules.servers[0].target == "s1"
    assert isinstance(rules.servers[1].target, Format)


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("tcp-request", "E0410", (12, 12)),
        ("tcp-request foo accept", "E0410", (13, 16)),
        ("tcp-request content", "E0410", (20, 20)),
        ("tcp-request inspect-delay", "E0410", (26, 26)),
        ("tcp-request inspect-delay foo", "E0050", (27, 30)),
        ("tcp-request inspect-delay 5s foo", "E0410", (30, 33)),
        ("tcp-request connection acept", "E0400", (24, 29)),
        ("tcp-request content attach-srv", "E0401", (21, 31)),
        ("tcp-request content do-log profile p", "E0401", (28, 35)),
        ("tcp-request content do-log p", "E0332", (28, 29)),
        ("tcp-request content track-sc src", "E0403", (21, 29)),
        ("tcp-request content sc-inc-gpc0(x)", "E0403", (33, 34)),
        ("tcp-request content lua.hello", "E0401", (21, 30)),
        ("tcp-request session expect-proxy layer4", "E0402", (21, 33)),
        ("tcp-request connection capture src len 10", "E0402", (24, 31)),
        ("tcp-request connection set-log-level err", "E0402", (24, 37)),
        ("tcp-request connection expect-proxy", "E0403", (36, 36)),
        ("tcp-request connection expect-proxy layer5", "E0403", (37, 43)),
        ("tcp-request connection reject foo", "E0332", (31, 34)),
        ("tcp-request connection reject if nosuch", "E0330", (34, 40)),
        ("tcp-request content set-var src", "E0403", (21, 28)),
        ("tcp-request content set-var(txn.a src", "E0403", (28, 29)),
        ("tcp-request content set-var(txn.a)", "E0403", (35, 35)),
        ("tcp-request content set-var(txn.a) if TRUE", "E0403", (35, 35)),
        ("tcp-request content set-var(txn.a) srcx", "E0310", (36, 40)),
        ("tcp-request content set-var(txn.a) src foo", "E0332", (40, 43)),
        ("tcp-request content set-var(txn.a,foo) src", "E0301", (35, 38)),
        ("tcp-request content set-var(foo.a) src", "E0300", (29, 32)),
        ("tcp-request content set-var(txn.a-b) src", "E0300", (34, 35)),
        ("tcp-request content set-var(txna) src", "E0300", (29, 33)),
        ("tcp-request content set-var(txn.a)x src", "E0403", (35, 36)),
        ("tcp-request content unset-var(txn.a,ifset)", "E0403", (21, 43)),
        ("tcp-request content set-var-fmt(txn.a) %zz", "E0340", (40, 43)),
        ("tcp-request content set-var(txn.a) res.len", "E0316", (36, 43)),
        ("tcp-request content capture src", "E0403", (32, 32)),
        ("tcp-request content capture src len 0", "E0403", (37, 38)),
        ("tcp-request content capture src len", "E0403", (36, 36)),
        ("tcp-request content set-log-level foo", "E0403", (35, 38)),
        ("tcp-request content set-log-level", "E0403", (34, 34)),
        ("tcp-request content set-mark abc", "E0403", (30, 33)),
        ("tcp-request content set-mark 4294967296", "E0403", (30, 40)),
        ("tcp-request connection set-bc-mark 1", "E0402", (24, 35)),
        ("tcp-request session set-bc-tos 1", "E0402", (21, 31)),
        ("tcp-request content set-tos 300", "E0403", (29, 32)),
        ("tcp-request content silent-drop rst-ttl 300", "E0403", (41, 44)),
        ("tcp-request content silent-drop foo", "E0332", (33, 36)),
        ("use_backend", "E0412", (12, 12)),
        ("use_backend if TRUE", "E0412", (12, 12)),
        ("use_backend b when TRUE", "E0332", (15, 19)),
        ("use_backend %[fe_namex]", "E0310", (15, 23)),
        ("use_backend b if { res.len 3 }", "W0334", (18, 31)),
        ("use-server s1 if TRUE", "W0413", (1, 11)),
    ],
)
def test_a_wrong_rule_is_marked_where_it_is_wrong(text, code, span):
    _, ctx = read(text)
    assert (codes(ctx)[0], marked(ctx)[0]) == (code, span)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tcp-request connection accept", "E0411"),
        ("tcp-request session accept", "E0411"),
        ("tcp-request content capture src len 10", "E0403"),
        ("use_backend b", "W0413"),
        ("use-server s1", "E0412"),
        ("use-server", "E0412"),
        ("use-server s1 if { res.len 4 }", "W0334"),
    ],
)
def test_what_a_backend_cannot_have(text, code):
    assert codes(read(text, **BACKEND)[1])[0] == code


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("tcp-request session accept if TRUE", "tcp-request connection accept"),
        ("tcp-request content accept if TRUE", "tcp-request session accept"),
        ("use_backend b if TRUE", "tcp-request content accept"),
    ],
)
def test_a_line_that_is_evaluated_before_the_one_above_gets_a_warning(first, second):
    assert codes(read(first, second)[1]) == ["W0414"]
    assert codes(read(second, first)[1]) == []


@pytest.mark.parametrize(
    "line", ["tcp-request content accept", "tcp-request connection reject", "use_backend b"]
)
def test_a_rule_behind_an_unconditional_end_is_never_reached(line):
    assert codes(read(line, f"{line} if TRUE")[1]) == ["W0415"]
    assert codes(read(f"{line} if TRUE", line)[1]) == []


def test_a_listen_section_has_both_places():
    both = {"proxy": "l", "frontend": True, "backend": True}
    assert codes(read("tcp-request content set-var(txn.a) be_name", **both)[1]) == []
    assert codes(read("tcp-request content set-var(txn.a) be_name")[1]) == ["E0316"]
