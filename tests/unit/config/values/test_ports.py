import pytest

from isthmus.config.values import BIND, HOST, LOG, SERVER, PortRange, PortShift, parse_ports

from .builders import fault

PORTS = [
    ("80", BIND, PortRange(80, 80)),
    ("080", BIND, PortRange(80, 80)),
    ("8000-8010", BIND, PortRange(8000, 8010)),
    ("80-80", BIND, PortRange(80, 80)),
    ("65535", SERVER, PortRange(65535, 65535)),
    ("", SERVER, None),
    ("0", SERVER, None),
    ("", HOST, None),
    ("+10", SERVER, PortShift(10)),
    ("-10", SERVER, PortShift(-10)),
    ("+0", SERVER, PortShift(0)),
]


@pytest.mark.parametrize(("text", "rules", "expected"), PORTS)
def test_ports_are_one_a_range_or_a_shift(text, rules, expected):
    assert parse_ports(text, rules) == expected


BAD = [
    ("", BIND, "the port is missing"),
    ("0", BIND, "port 0 is out of range"),
    ("65536", BIND, "port 65536 is out of range"),
    ("1-70000", BIND, "port 1-70000 is out of range"),
    ("90-80", BIND, "the range 90-80 is empty"),
    ("80-", BIND, "`80-` is not a port"),
    ("80-90-100", BIND, "`80-90-100` is not a port"),
    ("80a", BIND, "`80a` is not a port"),
    ("+1", BIND, "a relative port cannot be used here"),
    ("-1", LOG, "a relative port cannot be used here"),
    ("80-90", SERVER, "a range of ports cannot be used here"),
    ("+", SERVER, "`+` is not a relative port"),
    ("+70000", SERVER, "`+70000` is not a relative port"),
    ("٣", BIND, "`٣` is not a port"),
]


@pytest.mark.parametrize(("text", "rules", "message"), BAD)
def test_what_is_no_port_is_told(text, rules, message):
    found = fault(parse_ports, text, rules)
    assert (found.code, found.message) == ("E0058", message)


def test_what_is_expected_names_what_the_keyword_allows():
    assert fault(parse_ports, "x", BIND).expected == "a port from 1 to 65535, or a range"
    assert fault(parse_ports, "x", SERVER).expected.endswith("or +N or -N relative to the client's")
    assert fault(parse_ports, "x", LOG).expected == "a port from 1 to 65535"
