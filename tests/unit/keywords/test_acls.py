from ipaddress import IPv4Address

import pytest
from rule_words import codes, context, marked, words

from isthmus.config import Line
from isthmus.keywords.acls import declare_acls
from isthmus.model.expression import MatchMethod


def declare(*texts, **changes):
    ctx = context(**changes)
    lines = [Line(words(text, n), "t.cfg", n, text) for n, text in enumerate(texts, 1)]
    return declare_acls(lines, ctx), ctx


def only_test(text, **changes):
    scope, ctx = declare(text, **changes)
    ((_name, acl),) = scope.declared.items()
    (test,) = acl.tests
    return test, ctx


@pytest.mark.parametrize(
    ("text", "method", "patterns"),
    [
        ("acl a src 10.0.0.0/8", "ip", ["10.0.0.0/8"]),
        ("acl a src 10.12/8 ::1/64 192.168.1", "ip", ["10.0.0.12/8", "::1/64", "192.168.0.1"]),
        ("acl a src 10.0.0.0/255.0.0.0", "ip", ["10.0.0.0/8"]),
        ("acl a src 10.0.0.0/255.0.255.0", "ip", ["10.0.0.0/255.0.255.0"]),
        ("acl a dst_port ge :5", "int", ["-9223372036854775808:"]),
        ("acl a dst_port 80", "int", ["80"]),
        ("acl a dst_port 80:90 100: :10", "int", ["80:90", "100:", ":10"]),
        ("acl a dst_port gt 80 90 lt 5", "int", ["81:", "91:", ":4"]),
        ("acl a dst_port ge 80 le 5 eq 7", "int", ["80:", ":5", "7"]),
        ("acl a dst_port gt 80:90 lt 80:90", "int", ["81:", ":89"]),
        ("acl a dst_port -- -5", "int", ["-5"]),
        ("acl a dst_port lt -- 5", "int", [":4"]),
        ("acl a fe_name foo -i", "str", ["foo", "-i"]),
        ("acl a fe_name -- -i", "str", ["-i"]),
        ("acl a fe_name -m len gt 5", "len", ["6:"]),
        ("acl a fe_name -m beg foo bar", "beg", ["foo", "bar"]),
        ("acl a fe_name,length 3", "int", ["3"]),
        ("acl a req.payload(0,2) -m bin 0aFF", "bin", ["0aFF"]),
        ("acl a req.payload(0,2) -m found", "found", []),
        ("acl a always_true", "bool", []),
        ("acl a src -m str 1.1.1.1", "str", ["1.1.1.1"]),
        ("acl a req_ssl_sni example.org", "str", ["example.org"]),
        ("acl a req_ssl_sni,lower -m end .org", "end", [".org"]),
        ("acl a payload(0,1) 00", "bin", ["00"]),
        ("acl a req.ssl_ver 3:3.1", "int", ["196608:196609"]),
        ("acl a req_ssl_ver gt 3", "int", ["196609:"]),
    ],
)
def test_patterns_are_carried_by_method(text, method, patterns):
    test, ctx = only_test(text)
    assert codes(ctx) == []
    assert (test.method, list(test.patterns)) == (MatchMethod(method), patterns)


def test_lines_of_one_name_add_to_each_other():
    scope, _ = declare("acl a src 10.0.0.1", "acl b dst_port 80", "acl a src 10.0.0.2")
    assert [test.patterns for test in scope.declared["a"].tests] == [("10.0.0.1",), ("10.0.0.2",)]
    assert scope.declared["a"].span.line == 1


def named(test):
    return [(file.name, file.optional, file.virtual, file.two_columns, icase) for file, icase in test.files]


def test_ignoring_case_holds_for_what_follows_the_flag():
    test, ctx = only_test("acl a fe_name -f a.lst -i -f b.lst x")
    assert codes(ctx) == []
    assert named(test) == [("a.lst", False, False, False, False), ("b.lst", False, False, False, True)]
    assert (test.ignore_case, test.patterns) == (True, ("x",))


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("acl a fe_name -M -f m", ("m", False, False, True, False)),
        ("acl a fe_name -f opt@m", ("m", True, False, False, False)),
        ("acl a fe_name -f file@m", ("m", False, False, False, False)),
        ("acl a fe_name -f virt@m", ("virt@m", False, True, False, False)),
    ],
)
def test_a_prefix_says_what_kind_of_file_it_is(text, file):
    test, ctx = only_test(text)
    assert (named(test), codes(ctx)) == ([file], [])


def test_a_line_may_ask_for_an_id_and_against_host_names():
    test, ctx = only_test("acl a src -n -u 7 10.0.0.0/8")
    assert (test.unique_id, test.look_up, codes(ctx)) == (7, False, [])


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("acl", "E0320", (4, 4)),
        ("acl a@b src 1.1.1.1", "E0320", (6, 7)),
        ("acl or src 1.1.1.1", "E0320", (5, 7)),
        ("acl OR src 1.1.1.1", "E0320", (5, 7)),
        ("acl a", "E0321", (6, 6)),
        ("acl a srcc 1.1.1.1", "E0322", (7, 11)),
        ("acl a path_beg /x", "E0312", (7, 15)),
        ("acl a fe_name_beg x", "E0322", (7, 18)),
        ("acl a src 10.0.0.0/33", "E0325", (11, 22)),
        ("acl a dst_port 99999999999999999999", "E0325", (16, 36)),
        ("acl a src 10.0.0.0/", "E0325", (11, 20)),
        ("acl a src foo.invalid", "E0325", (11, 22)),
        ("acl a src ::1/129", "E0325", (11, 18)),
        ("acl a dst_port foo", "E0325", (16, 19)),
        ("acl a dst_port 90:80", "E0325", (16, 21)),
        ("acl a dst_port :", "E0325", (16, 17)),
        ("acl a dst_port -- -5:5", "E0325", (19, 23)),
        ("acl a src_port eq 1.2", "E0325", (19, 22)),
        ("acl a fe_name -m foo x", "E0324", (18, 21)),
        ("acl a fe_name -m", "E0323", (17, 17)),
        ("acl a req.payload(0,1) a", "E0324", (7, 23)),
        ("acl a req.payload(0,1) -m int 1", "E0324", (27, 30)),
        ("acl a bool(1) -m ip 1.1.1.1", "E0324", (18, 20)),
        ("acl a req.payload(0,1) -m bin 001", "E0325", (31, 34)),
        ("acl a req.payload(0,1) -m bin zz", "E0325", (31, 33)),
        ("acl a fe_name -m reg (", "E0325", (22, 23)),
        ("acl a src -f ips -m str", "E0323", (18, 20)),
        ("acl a fe_name -z x", "E0323", (15, 17)),
        ("acl a dst_port -5", "E0323", (16, 18)),
        ("acl a fe_name -u x y", "E0323", (18, 19)),
        ("acl a fe_name -u -5 y", "E0323", (18, 20)),
        ("acl a src", "W0327", (7, 10)),
        ("acl a dst_port gt", "W0327", (16, 18)),
        ("acl a always_true 1", "W0328", (19, 20)),
    ],
)
def test_a_wrong_acl_is_marked_where_it_is_wrong(text, code, span):
    _, ctx = declare(text)
    assert (codes(ctx)[0], marked(ctx)[0]) == (code, span)


def test_a_host_name_is_looked_up_unless_that_is_forbidden():
    test, _ = only_test("acl a src db", resolve=lambda _name: IPv4Address("10.9.9.9"))
    assert test.patterns == ("10.9.9.9",)
    _, ctx = declare("acl a src -n db", resolve=lambda _name: IPv4Address("10.9.9.9"))
    assert codes(ctx) == ["E0325"]
