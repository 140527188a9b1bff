from ipaddress import IPv4Address, IPv6Address

import pytest
from rule_words import codes, context, marked, words

from isthmus.keywords.log_targets import parse_log
from isthmus.model.log import FdLog, Framing, LogGlobal, LogSampling, NoLog, UdpLog, UnixLog


def parse(text, **how):
    ctx = context()
    keyword, *rest = words(text)
    return parse_log(keyword, tuple(rest), ctx, **how), ctx


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("127.0.0.1", (IPv4Address("127.0.0.1"), 514)),
        ("127.0.0.1:515", (IPv4Address("127.0.0.1"), 515)),
        ("udp@127.0.0.1:5", (IPv4Address("127.0.0.1"), 5)),
        ("[::1]:515", (IPv6Address("::1"), 515)),
        ("logs.example:515", ("logs.example", 515)),
        ("/dev/log", UnixLog("/dev/log")),
        ("unix@/dev/log", UnixLog("/dev/log")),
        ("stdout", FdLog(1)),
        ("stderr", FdLog(2)),
        ("fd@7", FdLog(7)),
    ],
)
def test_targets(target, address):
    line, ctx = parse(f"log {target} local0")
    assert codes(ctx) == []
    found = line.address
    assert ((found.host, found.port) if isinstance(found, UdpLog) else found) == address


def test_everything_a_line_can_say():
    line, _ = parse("log stderr len 2048 format rfc5424 sample 1,3-4:5 daemon info err")
    assert line.max_length == 2048
    assert line.framing is Framing.RFC5424
    assert line.sampling == LogSampling(((1, 1), (3, 4)), 5)
    assert (line.facility, line.level, line.min_level) == (3, 6, 3)


def test_what_a_line_leaves_out():
    line, _ = parse("log stderr local7")
    assert (line.max_length, line.framing, line.sampling) == (1024, None, None)
    assert (line.facility, line.level, line.min_level) == (23, 7, 0)


def test_a_log_over_udp_may_leave_through_a_namespace():
    line, ctx = parse("log 10.0.0.1:514 namespace blue local0")
    assert (line.address.namespace, codes(ctx)) == ("blue", [])


def test_log_global_and_no_log():
    assert parse("log global")[0] == LogGlobal()
    assert parse("log", negated=True)[0] == NoLog()


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("log", "E0350", (4, 4)),
        ("log 127.0.0.1:515", "E0350", (18, 18)),
        ("log 127.0.0.1:515 local9", "E0351", (19, 25)),
        ("log stderr LOCAL0", "E0351", (12, 18)),
        ("log stderr local0 foo", "E0352", (19, 22)),
        ("log stderr local0 info foo", "E0352", (24, 27)),
        ("log stderr local0 info err notice", "E0350", (28, 34)),
        ("log stderr local0 namespace x", "E0352", (19, 28)),
        ("log stderr len 79 local0", "E0350", (16, 18)),
        ("log stderr len 65536 local0", "E0350", (16, 21)),
        ("log stderr len abc local0", "E0350", (16, 19)),
        ("log stderr len", "E0350", (15, 15)),
        ("log stderr format foo local0", "E0350", (19, 22)),
        ("log stderr len 80 len 90 local0", "E0350", (19, 22)),
        ("log stderr sample 0:3 local0", "E0353", (19, 20)),
        ("log stderr sample 4:3 local0", "E0353", (19, 20)),
        ("log stderr sample 1,3-2:3 local0", "E0353", (21, 24)),
        ("log stderr sample 1 local0", "E0353", (19, 20)),
        ("log stderr sample 1:0 local0", "E0353", (19, 22)),
        ("log stderr sample a:3 local0", "E0353", (19, 20)),
        ("log stderr sample 1,1:3 local0", "E0353", (21, 22)),
        ("log stderr profile p local0", "E0312", (12, 21)),
        ("log ring@foo local0", "E0312", (5, 13)),
        ("log tcp@127.0.0.1:5 local0", "E0312", (5, 20)),
        ("log stderr namespace blue local0", "E0355", (12, 26)),
        ("log 10.0.0.1 namespace a/../b local0", "E0355", (24, 30)),
        ("log 127.0.0.1:99999 local0", "E0058", (15, 20)),
    ],
)
def test_a_wrong_log_line_is_marked_where_it_is_wrong(text, code, span):
    line, ctx = parse(text)
    assert line is None
    assert (codes(ctx), marked(ctx)) == ([code], [span])


def test_arguments_behind_no_log_are_refused():
    line, ctx = parse("log global", negated=True)
    assert (line, codes(ctx), marked(ctx)) == (None, ["E0350"], [(5, 11)])


def test_the_global_section_has_no_global_log():
    assert codes(parse("log global", in_global=True)[1]) == ["E0354"]
