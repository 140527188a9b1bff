from ipaddress import ip_address

import pytest

from isthmus.config import Diagnostics, Span, Word
from isthmus.config.values import (
    BIND,
    DGRAM_BIND,
    HOST,
    LOG,
    NAMESERVER,
    SERVER,
    SOURCE,
    AbstractAddress,
    Family,
    FdAddress,
    InetAddress,
    NamedAddress,
    PortRange,
    PortShift,
    SockpairAddress,
    Transport,
    UnixAddress,
    parse_address,
    parse_addresses,
)

from .builders import fault

STREAM, DATAGRAM = Transport.STREAM, Transport.DATAGRAM


def inet(host, ports=None, version=None, transport=STREAM):
    """An internet address; digits or colons make an IP address, other hosts are names."""
    if host[0] in "0123456789:":
        host = ip_address(host)
        version = host.version
    ports = PortRange(ports, ports) if isinstance(ports, int) else ports
    return InetAddress(host, ports, version, transport)


ON_BIND = [
    (":80", inet("0.0.0.0", 80)),
    ("*:80", inet("0.0.0.0", 80)),
    ("0.0.0.0:80", inet("0.0.0.0", 80)),
    (":::80", inet("::", 80)),
    ("[::]:80", inet("::", 80)),
    ("::1:80", inet("::1", 80)),
    ("[::1]:80", inet("::1", 80)),
    ("::ffff:1.2.3.4:80", inet("::ffff:1.2.3.4", 80)),
    ("127.0.0.1:80", inet("127.0.0.1", 80)),
    ("[127.0.0.1]:80", inet("127.0.0.1", 80)),
    ("localhost:80", inet("localhost", 80)),
    ("a_b.example.:80", inet("a_b.example.", 80)),
    (":8000-8010", inet("0.0.0.0", PortRange(8000, 8010))),
    ("ipv4@:80", inet("0.0.0.0", 80)),
    ("ipv4@host:80", inet("host", 80, 4)),
    ("ipv6@:80", inet("::", 80)),
    ("ipv6@*:80", inet("::", 80)),
    ("ipv6@::1:80", inet("::1", 80)),
    ("ipv6@host:80", inet("host", 80, 6)),
    ("ip@1.2.3.4:80", inet("1.2.3.4", 80)),
    ("tcp@:80", inet("0.0.0.0", 80)),
    ("tcp4@:80", inet("0.0.0.0", 80)),
    ("tcp6@:80", inet("::", 80)),
    ("stream+ipv6@:80", inet("::", 80)),
    ("mptcp@:80", inet("0.0.0.0", 80, transport=Transport.MPTCP)),
    ("quic6@:443", inet("::", 443, transport=Transport.QUIC)),
    ("/run/x.sock", UnixAddress("/run/x.sock", STREAM)),
    ("/run/x:80", UnixAddress("/run/x:80", STREAM)),
    ("unix@x", UnixAddress("x", STREAM)),
    ("uxst@/x", UnixAddress("/x", STREAM)),
    ("abns@x", AbstractAddress("x", True, STREAM)),
    ("abnsz@x", AbstractAddress("x", False, STREAM)),
    ("fd@3", FdAddress(3, STREAM)),
    ("sockpair@4", SockpairAddress(4)),
    ("rhttp@b/s", NamedAddress(Family.REVERSE, "b/s")),
]


@pytest.mark.parametrize(("text", "expected"), ON_BIND)
def test_addresses_of_a_bind_line(text, expected):
    assert parse_address(text, BIND) == expected


ELSEWHERE = [
    ("*", SERVER, inet("0.0.0.0")),
    ("0.0.0.0:0", SERVER, inet("0.0.0.0")),
    ("*:+10", SERVER, inet("0.0.0.0", PortShift(10))),
    ("127.0.0.1:-10", SERVER, inet("127.0.0.1", PortShift(-10))),
    ("127.0.0.1", SERVER, inet("127.0.0.1")),
    ("127.0.0.1:", SERVER, inet("127.0.0.1")),
    ("[::1]", SERVER, inet("::1")),
    ("2001:db8::1:443", SERVER, inet("2001:db8::1", 443)),
    ("host.example", SERVER, inet("host.example")),
    ("/tmp/x", SERVER, UnixAddress("/tmp/x", STREAM)),
    ("10.0.0.1", SOURCE, inet("10.0.0.1")),
    ("10.0.0.1:5000", SOURCE, inet("10.0.0.1", 5000)),
    ("127.0.0.1", LOG, inet("127.0.0.1", transport=DATAGRAM)),
    ("::1:", LOG, inet("::1", transport=DATAGRAM)),
    ("tcp@127.0.0.1:514", LOG, inet("127.0.0.1", 514)),
    ("udp6@::1:514", LOG, inet("::1", 514, transport=DATAGRAM)),
    ("/dev/log", LOG, UnixAddress("/dev/log", DATAGRAM)),
    ("uxst@/dev/log", LOG, UnixAddress("/dev/log", STREAM)),
    ("dgram+unix@/x", LOG, UnixAddress("/x", DATAGRAM)),
    ("fd@1", LOG, FdAddress(1, DATAGRAM)),
    ("stdout", LOG, NamedAddress(Family.STANDARD, "stdout")),
    ("stderr", LOG, NamedAddress(Family.STANDARD, "stderr")),
    ("ring@r", LOG, NamedAddress(Family.RING, "r")),
    ("backend@b", LOG, NamedAddress(Family.BACKEND, "b")),
    ("127.0.0.1:53", NAMESERVER, inet("127.0.0.1", 53, transport=DATAGRAM)),
    ("tcp@127.0.0.1:53", NAMESERVER, inet("127.0.0.1", 53)),
    (":514", DGRAM_BIND, inet("0.0.0.0", 514, transport=DATAGRAM)),
    ("::1", HOST, inet("::1")),
    ("[::1]", HOST, inet("::1")),
]


@pytest.mark.parametrize(("text", "rules", "expected"), ELSEWHERE)
def test_addresses_of_other_lines(text, rules, expected):
    assert parse_address(text, rules) == expected


BAD = [
    ("", BIND, "E0056", 0, None),
    ("127.0.0.1", BIND, "E0058", 9, None),
    ("80", BIND, "E0056", 0, 2),
    ("::1", SERVER, "E0056", 0, None),
    ("[::1]80", BIND, "E0056", 0, 2),
    ("[]:80", BIND, "E0056", 0, 2),
    ("[*]:80", BIND, "E0056", 0, 3),
    ("host:name:80", BIND, "E0056", 0, 9),
    ("1:2:3:4:5:6:7:80", BIND, "E0056", 0, None),
    ("127.0.0.256:80", BIND, "E0056", 0, 11),
    ("010.0.0.1:80", BIND, "E0056", 0, 9),
    ("a b:80", BIND, "E0056", 0, 3),
    ("-x:80", BIND, "E0056", 0, 2),
    ("a..b:80", BIND, "E0056", 0, 4),
    ("fe80::1%lo:80", BIND, "E0056", 0, 10),
    ("ipv4@::1:80", BIND, "E0056", 5, 3),
    ("ipv6@127.0.0.1:80", BIND, "E0056", 5, 9),
    ("foo@:80", BIND, "E0056", 0, 4),
    ("stream+tcp@:80", BIND, "E0056", 0, 11),
    ("unix@", BIND, "E0056", 5, None),
    ("abns@", BIND, "E0056", 5, None),
    ("abns@" + "a" * 108, BIND, "E0056", 5, None),
    ("/" + "a" * 97, BIND, "E0056", 0, None),
    ("/" + "é" * 54, SERVER, "E0056", 0, None),
    ("fd@x", BIND, "E0056", 3, None),
    ("fd@-1", BIND, "E0056", 3, None),
    ("udp@:80", BIND, "E0057", 0, None),
    ("uxdg@/x", BIND, "E0057", 0, None),
    ("dgram+ipv4@:80", BIND, "E0057", 0, None),
    ("stdout", BIND, "E0057", 0, None),
    ("ring@r", SERVER, "E0057", 0, None),
    ("fd@3", SERVER, "E0057", 0, None),
    ("udp@1.2.3.4:80", SERVER, "E0057", 0, None),
    ("127.0.0.1:80-90", SERVER, "E0058", 10, None),
    ("127.0.0.1:65536", SERVER, "E0058", 10, None),
    ("127.0.0.1:+5", SOURCE, "E0058", 10, None),
    ("10.0.0.1:1-2", SOURCE, "E0058", 9, None),
    ("127.0.0.1:514-515", LOG, "E0058", 10, None),
    ("127.0.0.1:80", HOST, "E0056", 0, None),
]


@pytest.mark.parametrize(("text", "rules", "code", "offset", "length"), BAD)
def test_what_is_wrong_with_an_address_is_pointed_at(text, rules, code, offset, length):
    found = fault(parse_address, text, rules)
    assert (found.code, found.offset, found.length) == (code, offset, length)


def test_a_bind_line_takes_several_addresses_joined_with_commas():
    assert [each.port for each in parse_addresses(":80,[::1]:81,", BIND)] == [80, 81]
    assert fault(parse_addresses, ",:80", BIND).offset == 0
    assert fault(parse_addresses, ":80,,:81", BIND).offset == 4
    assert fault(parse_addresses, ":80,:x", BIND).offset == 5


def test_the_unspecified_address_knows_that_it_is():
    assert parse_address("*:80", BIND).is_any
    assert parse_address("ipv6@:80", BIND).is_any
    assert not parse_address("localhost:80", BIND).is_any
    assert (parse_address(":80-81", BIND).port, parse_address(":80", BIND).port) == (None, 80)


def test_a_fault_is_reported_at_the_part_of_the_word_that_is_wrong():
    diagnostics = Diagnostics()
    diagnostics.keep_source("t.cfg", ("  bind 127.0.0.1:8O80",))
    word = Word("127.0.0.1:8O80", Span("t.cfg", 1, 8, 22))
    fault(parse_address, word.text, BIND).report(diagnostics, word)
    assert diagnostics.render() == (
        "t.cfg:1:18: E0058: `8O80` is not a port\n"
        "  1 |   bind 127.0.0.1:8O80\n"
        "    |                  ^^^^\n"
        "expected: a port from 1 to 65535, or a range\n"
    )


def test_a_fault_in_a_quoted_word_is_reported_at_the_whole_word():
    diagnostics = Diagnostics()
    word = Word("127.0.0.1:x", Span("t.cfg", 1, 8, 21))
    fault(parse_address, word.text, BIND).report(diagnostics, word)
    (message,) = diagnostics
    assert message.span == word.span
