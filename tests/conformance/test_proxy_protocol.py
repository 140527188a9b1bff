"""The PROXY protocol byte by byte: what is sent to servers, and what is made of what clients send."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from .lab import Both, Lab, observe
from .proxy_header_lab import SIGNATURE, crc32c
from .wire import End

ACCEPTING = """
global
  tune.bufsize 16384
frontend f
  bind 127.0.0.1:<front> accept-proxy
  timeout client 2s
  log-format "ts=%ts ci=%ci cp=%cp fi=%fi fp=%fp U=%U src=%[src] dst=%[dst] ports=%[src_port]-%[dst_port]"
  default_backend b
backend b
  server a <a>
"""


def v2(command: int, family: int, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", size) + body


TCP4 = bytes([10, 1, 1, 1, 10, 2, 2, 2]) + struct.pack("!HH", 1111, 2222)


TCP6 = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + struct.pack("!HH", 1111, 2222)


def offer(lab: Lab, header: bytes) -> object:
    """Sends a header with a payload behind it; what the server got, and how the client was left."""
    served, logged = len(lab.origin().ends), len(lab.log.lines())
    client = lab.connect().send(header + b"payload")
    if not header:
        client.finish()
    byte = client.read(2)
    if byte:
        client.finish()
    ended = client.ending()
    lab.log.wait(logged + 1)
    return byte, ended, [end.received for end in lab.origin().ends[served:]]


GOOD = {
    "v1 tcp4": b"PROXY TCP4 10.1.1.1 10.2.2.2 1111 2222\r\n",
    "v1 tcp6": b"PROXY TCP6 2001:db8::1 ::1 1111 2222\r\n",
    "v1 unknown": b"PROXY UNKNOWN\r\n",
    "v1 highest port": b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
    "v2 tcp4": v2(0x21, 0x11, TCP4),
    "v2 tcp6": v2(0x21, 0x21, TCP6),
    "v2 tcp4 with a noop": v2(0x21, 0x11, TCP4 + b"\x04\x00\x03abc"),
    "v2 tcp4 with an unknown tlv": v2(0x21, 0x11, TCP4 + b"\xee\x00\x03abc"),
    "v2 local, no addresses": v2(0x20, 0x00, b""),
    "v2 local with a noop": v2(0x20, 0x00, b"\x04\x00\x01x"),
}


def test_a_good_header_gives_the_addresses(both: Both) -> None:
    seen = both(ACCEPTING, lambda lab: {name: offer(lab, header) for name, header in GOOD.items()})
    assert {answer for answer, _, _ in seen.value.values()} == {b"a\n"}
    assert {line.U for line in seen.logs} == {"7"}


BAD = {
    "no header": b"GET / HTTP/1.0\r\n\r\n",
    "v1 of an unknown family": b"PROXY TCP5 10.1.1.1 10.2.2.2 1111 2222\r\n",
    "v1 in lower case": b"proxy TCP4 10.1.1.1 10.2.2.2 1111 2222\r\n",
    "v1 without ports": b"PROXY TCP4 10.1.1.1 10.2.2.2\r\n",
    "v1 with a name for an address": b"PROXY TCP4 localhost 10.2.2.2 1111 2222\r\n",
    "v1 too long": b"PROXY TCP4 " + b"1" * 200 + b"\r\n",
    "v2 of version 3": SIGNATURE + b"\x31\x11\x00\x0c" + TCP4,
    "v2 of command 2": v2(0x22, 0x11, TCP4),
    "v2 with too few addresses": v2(0x21, 0x11, TCP4[:8]),
}


WRONG_CRC = v2(0x21, 0x11, TCP4 + b"\x03\x00\x04\x01\x02\x03\x04")


def test_a_bad_header_closes_the_connection(both: Both) -> None:
    seen = both(ACCEPTING, lambda lab: {name: offer(lab, header) for name, header in BAD.items()})
    assert {answer for answer, _, _ in seen.value.values()} == {b""}


def test_beyond_a_wrong_crc_is_logged_with_the_address_that_is_known(beyond: Both) -> None:
    """HAProxy logs the address of the header that it refuses; nobody vouches for that one."""

    def traffic(lab: Lab) -> object:
        return offer(lab, WRONG_CRC), lab.mask(lab.log.wait()[0].message)

    expected, got = beyond.apart(ACCEPTING, traffic)
    assert expected.value[0] == got.value[0] == (b"", "RST", [])
    assert expected.value[1].startswith("10.1.1.1:1111 [")
    assert got.value[1].startswith("127.0.0.1:<client> [")
    for _, logged in (expected.value, got.value):
        assert logged.endswith("] f/1: Received an invalid PROXY protocol header")


def test_a_right_crc_is_accepted(both: Both) -> None:
    zeroed = v2(0x21, 0x11, TCP4 + b"\x03\x00\x04\0\0\0\0")
    header = zeroed[:-4] + struct.pack("!I", crc32c(zeroed))
    seen = both(ACCEPTING, lambda lab: offer(lab, header))
    assert seen.value[0] == b"a\n"


@pytest.mark.parametrize("ending", ["fin", "reset"])
def test_a_client_that_leaves_before_its_header(both: Both, ending: str) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        assert client.hears_nothing()
        ended = ""
        if ending == "fin":
            ended = client.finish().ending()
        else:
            client.reset()
        lab.log.wait(1)
        return ended

    both(ACCEPTING, traffic)


def test_a_client_that_never_sends_its_header_is_dropped_after_timeout_client(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        ended = client.ending()
        lab.log.wait(1)
        return ended, client.age() > 0.28

    seen = both(ACCEPTING.replace("timeout client 2s", "timeout client 300"), traffic)
    assert seen.value[1] is True


def test_expect_proxy_only_from_the_sources_named(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  tcp-request connection expect-proxy layer4 if { src 127.0.0.50 }
  log-format "ts=%ts ci=%ci fi=%fi U=%U"
  default_backend b
backend b
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        answers = []
        for source in ("127.0.0.50", "127.0.0.51"):
            client = lab.connect(source=source).send(GOOD["v1 tcp4"])
            answers.append(client.read(2))
            client.finish().read_end()
            lab.log.wait(len(answers))
        return answers, [end.received for end in lab.origin().ends]

    seen = both(text, traffic)
    assert [(line.ci, line.U) for line in seen.logs] == [("10.1.1.1", "0"), ("127.0.0.51", "40")]


def test_rules_see_the_address_of_the_header_except_connection_rules(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front> accept-proxy
  tcp-request connection set-var(sess.conn) src
  tcp-request session set-var(sess.sess) src
  tcp-request content set-var(sess.cont) src
  log-format "conn=%[var(sess.conn)] sess=%[var(sess.sess)] cont=%[var(sess.cont)] fcsrc=%[fc_src]"
  default_backend b
backend b
  server a <a>
"""
    seen = both(text, lambda lab: offer(lab, GOOD["v1 tcp4"]))
    assert (seen.log.conn, seen.log.sess) == ("127.0.0.1", "10.1.1.1")


def in_pieces(lab: Lab, pieces: list[bytes]) -> tuple[bytes, str]:
    client = lab.connect()
    for piece in pieces:
        if not client.try_send(piece) or not client.hears_nothing(0.2):
            break
    return answer(client, lab)


def answer(client: End, lab: Lab) -> tuple[bytes, str]:
    heard = client.read(2)
    if heard:
        client.finish()
    ended = client.ending()
    lab.log.wait(1)
    return heard, ended


@pytest.mark.parametrize("name", ["v1 tcp4", "v2 tcp4"])
def test_beyond_a_header_in_pieces_is_put_together(beyond: Both, name: str) -> None:
    """HAProxy resets a truncated header; the specification lets it do so."""
    header = GOOD[name]
    expected, got = beyond.apart(
        ACCEPTING, lambda lab: in_pieces(lab, [header[:9], header[9:20], header[20:]])
    )
    assert expected.value[0] == b""
    assert got.value == (b"a\n", "FIN")
    assert got.log.ci == "10.1.1.1"


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 6.6.6.666 10.2.2.2 1111 2222\r\n",
        b"PROXY TCP4 10.1.1.1 10.2.2.2 99999 2222\r\n",
    ],
)
def test_beyond_v1_addresses_and_ports_are_read_strictly(beyond: Both, header: bytes) -> None:
    _, got = beyond.apart(ACCEPTING, lambda lab: offer(lab, header))
    assert got.value[0] == b""


@pytest.mark.parametrize(
    "header",
    [
        v2(0x21, 0x00, b""),
        v2(0x21, 0x31, bytes(216)),
        v2(0x20, 0x11, TCP4),
        v2(0x21, 0x00, b"\x04\x00\x01x"),
        b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
    ],
    ids=["unspec", "unix", "local with addresses", "unspec with a tlv", "v1 unknown with addresses"],
)
def test_beyond_what_the_specification_allows_is_accepted(beyond: Both, header: bytes) -> None:
    _, got = beyond.apart(ACCEPTING, lambda lab: offer(lab, header))
    assert got.value[0] == b"a\n"
    assert got.log.ci == "127.0.0.1"


NETNS_TLV = b"\x30\x00\x07nowhere"


def test_beyond_a_namespace_that_is_not_listed_closes_the_connection(beyond: Both) -> None:
    header = v2(0x21, 0x11, TCP4 + NETNS_TLV)
    expected, got = beyond.apart(ACCEPTING, lambda lab: offer(lab, header))
    assert expected.value[0] == b"a\n"
    assert got.value[0] == b""
    assert len(got.logs) == 1


def test_beyond_a_namespace_that_is_not_listed_may_be_ignored(beyond: Both, tmp_path: Path) -> None:
    header = v2(0x21, 0x11, TCP4 + NETNS_TLV)
    text = ACCEPTING.replace("accept-proxy", "accept-proxy\n  option netns-unlisted ignore")
    got = observe(beyond.candidate, tmp_path / "own", text, lambda lab: offer(lab, header))
    assert got.value[0] == b"a\n"


def test_beyond_accept_proxy_may_name_its_sources(beyond: Both, tmp_path: Path) -> None:
    text = ACCEPTING.replace("accept-proxy", "accept-proxy from 127.0.0.50 127.0.1.0/24")

    def traffic(lab: Lab) -> object:
        heard = []
        for source in ("127.0.0.50", "127.0.1.9", "127.0.0.51"):
            client = lab.connect(source=source)
            client.try_send(GOOD["v1 tcp4"])
            heard.append(client.read(2))
            client.finish().read_end()
        return heard

    got = observe(beyond.candidate, tmp_path / "own", text, traffic)
    assert got.value == [b"a\n", b"a\n", b""]


def test_beyond_a_star_that_would_reach_its_own_listener_is_refused(beyond: Both, tmp_path: Path) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  retries 0
  server a *
"""

    def traffic(lab: Lab) -> object:
        ended = lab.connect().ending()
        lab.log.wait(2)
        return ended

    got = observe(beyond.candidate, tmp_path / "own", text, traffic)
    assert "is the proxy itself: connection refused" in got.logs[0].message
    assert got.logs[1].ts == "SC"
