"""The parts of `isthmus net check` that touch no kernel: packets, tables, rules, and what is printed."""

from __future__ import annotations

import json
import struct
import threading
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from isthmus.config import Span
from isthmus.lab.picture import Paint
from isthmus.network.expecting import Verdict, check, echo, matrix, verdicts_as_json
from isthmus.network.expecting.denial import Flow, denial
from isthmus.network.expecting.facts import AddressFact, LinkFact, SpaceFacts, ip_interface
from isthmus.network.expecting.listener import read_greeting
from isthmus.network.expecting.sockets import Tables, parse
from isthmus.network.expecting.verdict import duration_words, error_words, rate_words
from isthmus.network.model import (
    Chain,
    Expectation,
    Firewall,
    FirewallRule,
    Namespace,
    Network,
    Ping,
    Ports,
    Reach,
    Target,
)
from isthmus.network.spaces import Space

BLUE = Target("blue")


def test_an_echo_request_carries_a_right_checksum():
    request = echo.packet(4, 0x4953, 1, b"payload")
    assert request[0] == 8
    assert echo.checksum(request) == 0


def test_an_echo_reply_is_told_from_a_request_with_and_without_an_ip_header():
    head = bytes([0x45]) + bytes(19)
    reply, request = struct.pack("!BBHHH", 0, 0, 0, 1, 1), struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    assert echo.is_reply(4, head + reply + b"token", b"token")
    assert echo.is_reply(4, reply + b"token", b"token")
    assert not echo.is_reply(4, head + request + b"token", b"token")
    assert not echo.is_reply(4, head + reply + b"other", b"token")
    assert echo.is_reply(6, b"\x81" + reply[1:] + b"token", b"token")
    assert not echo.is_reply(4, b"", b"token")


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0200000A:1538 0100000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
   2: 0000000000000000FFFF00000200000A:0050 0000000000000000FFFF00000100000A:0051 01 0:0 0:0 0 0 0 4713 1
"""


def test_the_kernels_table_of_sockets_is_read():
    listening, connected, mapped = parse(TABLE)
    assert (listening.local, listening.port, listening.listens) == (ip_address("127.0.0.1"), 5432, True)
    assert (connected.remote, connected.remote_port) == (ip_address("10.0.0.1"), 54321)
    assert not connected.listens
    assert connected.inode == 4712
    assert mapped.remote == ip_address("10.0.0.1")


def test_a_greeting_tells_who_answers_and_what_it_sees():
    assert read_greeting(b"isthmus abc ::ffff:10.0.0.1\n") == ("abc", ip_address("10.0.0.1"))
    assert read_greeting(b"SSH-2.0-OpenSSH_9.2\r\n") is None
    assert read_greeting(b"isthmus abc nonsense") is None
    assert read_greeting(b"") is None


ALLOW_WEB = FirewallRule(True, (ip_network("10.0.0.0/8"),), ports=(Ports("tcp", 80, 90),))
DENY_PING = FirewallRule(False, icmp=True, span=Span("net.yaml", 7, 3, 9))


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (("10.0.0.1", "tcp", 80), None),
        (("10.0.0.1", "tcp", 91), "the firewall of blue denies it on input: no rule allows it"),
        (("11.0.0.1", "tcp", 80), "the firewall of blue denies it on input: no rule allows it"),
        (("10.0.0.1", "udp", 80), "the firewall of blue denies it on input: no rule allows it"),
        (("10.0.0.1", "icmp", 0), "the firewall of blue denies it on input: a deny rule (net.yaml:7)"),
    ],
)
def test_the_first_rule_that_matches_decides_else_the_default(flow, expected):
    blue = Namespace("blue", firewall=Firewall(input=Chain(False, (DENY_PING, ALLOW_WEB))))
    source, protocol, port = flow
    asked = Flow(ip_address(source), ip_address("10.0.0.2"), protocol, port)
    assert denial(blue, "input", asked) == expected
    assert denial(blue, "output", asked) is None


@pytest.mark.parametrize(
    ("up", "duplicate", "unsettled"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_only_an_address_that_can_still_settle_is_waited_for(up, duplicate, unsettled):
    address = AddressFact("eth0", ip_interface("2001:db8::1/64"), tentative=True, duplicate=duplicate)
    assert SpaceFacts("red", (LinkFact(2, "eth0", up),), (address,)).unsettled is unsettled


def test_amounts_are_written_with_a_unit_that_fits():
    assert [duration_words(each) for each in (5e-5, 0.0123, 2)] == ["50 us", "12.30 ms", "2.00 s"]
    assert [rate_words(each) for each in (9.4e8, 2.5e9, 1200)] == ["940 Mbit/s", "2.5 Gbit/s", "1.2 kbit/s"]
    assert error_words(ConnectionRefusedError(111, "x")) == "connection refused"
    assert error_words(TimeoutError("timed out")) == "timed out"


VERDICTS = [
    Verdict(Expectation("red can ping blue", Ping("red", BLUE)), True, "10.0.0.2 answers in 50 us"),
    Verdict(
        Expectation(
            "red cannot reach blue:80/tcp", Reach("red", BLUE, "tcp", 80, False), Span("n.yaml", 3, 1, 2)
        ),
        False,
        "10.0.0.2 answers in 60 us",
        "red has a way to 10.0.0.2: through eth0",
    ),
    Verdict(Expectation("green cannot ping blue", Ping("green", BLUE, False)), True, "timed out"),
]

DRAWN = """\
       blue  blue:80/tcp
red      +        !
green    .
+ can  . cannot, as expected  X cannot, but should  ! can, but should not

  ok      red can ping blue             10.0.0.2 answers in 50 us
  FAILED  red cannot reach blue:80/tcp  10.0.0.2 answers in 60 us
          why: red has a way to 10.0.0.2: through eth0
  ok      green cannot ping blue        timed out

3 expectations, 1 FAILED"""


def test_the_matrix_shows_who_reaches_whom_and_every_expectation():
    assert matrix(VERDICTS, ascii_only=True) == DRAWN
    assert "✓" in matrix(VERDICTS, ascii_only=False)
    assert "\x1b[31mFAILED" in matrix(VERDICTS, Paint(True), ascii_only=True)
    assert matrix([]) == "0 expectations, all hold"


def test_json_names_the_place_in_the_file():
    listed = json.loads(verdicts_as_json(VERDICTS))
    assert [each["ok"] for each in listed] == [True, False, True]
    assert listed[1]["at"] == "n.yaml:3"
    assert listed[0]["at"] is None


def test_a_network_without_expectations_has_no_verdicts():
    assert check(Network("quiet"), {}) == []


def test_a_name_that_the_network_does_not_know_is_a_failure_not_an_exception():
    expectations = (Expectation("red can ping blue", Ping("red", BLUE)),)
    (verdict,) = check(Network("empty", expectations=expectations), {})
    assert not verdict.ok
    assert verdict.why == "the network has no namespace red"


def test_attempts_share_a_reading_of_a_table_unless_it_began_before_they_ask_for():
    readings = []

    def read(space, protocol):
        readings.append((space.name, protocol))
        return (len(readings),)

    tables = Tables(read)
    red, blue = Space("red", Path("/red")), Space("blue", Path("/blue"))
    assert tables.known(red, "tcp") == tables.known(red, "tcp") == (1,)
    assert tables.since(red, "tcp", time.monotonic()) == (2,)
    assert tables.known(red, "tcp") == (2,)
    assert (tables.known(blue, "tcp"), tables.known(red, "udp")) == ((3,), (4,))
    assert readings == [("red", "tcp"), ("red", "tcp"), ("blue", "tcp"), ("red", "udp")]


def test_attempts_that_ask_at_once_wait_for_one_reading():
    together, readings = threading.Barrier(9), []
    began = threading.Event()

    def read(space, protocol):
        began.set()
        together.wait(30)
        readings.append(protocol)
        return ()

    tables, red = Tables(read), Space("red", Path("/red"))
    first = threading.Thread(target=tables.known, args=(red, "tcp"))
    first.start()
    assert began.wait(30)

    def ask():
        together.wait(30)
        tables.known(red, "tcp")

    others = [threading.Thread(target=ask) for _ in range(8)]
    for each in others:
        each.start()
    for each in (first, *others):
        each.join()
    assert readings == ["tcp"]
