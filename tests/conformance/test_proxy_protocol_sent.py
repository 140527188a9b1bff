"""The PROXY protocol towards servers: `send-proxy`, its versions and its TLVs."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from .lab import Both, Lab, observe
from .proxy_header_lab import SIGNATURE, crc32c
from .wire import greets

DRIVEN = {"a": None}


def sending(options: str, frontend: str = "") -> str:
    return f"""
frontend f
  bind 127.0.0.1:<front>
  default_backend b
  {frontend}
backend b
  server a <a> {options}
"""


def header_sent(lab: Lab) -> bytes:
    """What the server got, with the client's and the listener's ports replaced by cc and ff."""
    client = lab.connect(source="127.0.0.77")
    client.send(b"END").finish()
    origin = lab.origin().accept()
    got = origin.read_end()[0]
    origin.close()
    client.read_end()
    in_text = got.startswith(b"PROXY ")
    for port, text in ((client.port, b"cc"), (lab.ports["front"], b"ff")):
        got = got.replace(str(port).encode() if in_text else struct.pack("!H", port), text)
    return got


ADDRESSES = bytes([127, 0, 0, 77, 127, 0, 0, 1]) + b"ccff"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("send-proxy", b"PROXY TCP4 127.0.0.77 127.0.0.1 cc ff\r\n"),
        ("send-proxy-v2", SIGNATURE + b"\x21\x11\x00\x0c" + ADDRESSES),
        ("send-proxy-v2 send-proxy", None),
        ("send-proxy send-proxy-v2", None),
        ("send-proxy-v2-ssl", None),
        ("send-proxy-v2-ssl-cn", None),
        ("send-proxy-v2 proxy-v2-options authority", SIGNATURE + b"\x21\x11\x00\x0c" + ADDRESSES),
        ("send-proxy-v2 proxy-v2-options ssl", None),
        ("send-proxy-v2 proxy-v2-options unique-id", None),
        ("send-proxy-v2 no-send-proxy", SIGNATURE + b"\x21\x11\x00\x0c" + ADDRESSES),
        ("send-proxy-v2 no-send-proxy-v2", b""),
        ("send-proxy no-send-proxy", b""),
    ],
)
def test_the_header_a_server_gets(both: Both, options: str, expected: bytes | None) -> None:
    seen = both(sending(options), header_sent, origins=DRIVEN)
    if expected is not None:
        assert seen.value == expected + b"END"


def test_a_unique_id_is_sent_as_a_tlv(both: Both) -> None:
    text = sending("send-proxy-v2 proxy-v2-options unique-id", 'unique-id-format "id-%[src]"')
    seen = both(text, header_sent, origins=DRIVEN)
    assert seen.value == SIGNATURE + b"\x21\x11\x00\x1c" + ADDRESSES + b"\x05\x00\x0did-127.0.0.77END"


def test_crc32c_covers_the_finished_header(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect(source="127.0.0.77").send(b"END").finish()
        origin = lab.origin().accept()
        got = origin.read_end()[0]
        origin.close()
        client.read_end()
        place = got.index(b"\x03\x00\x04") + 3
        zeroed = got[:place] + bytes(4) + got[place + 4 : -3]
        return len(got), got[:16], got[place:-3] == struct.pack("!I", crc32c(zeroed))

    seen = both(sending("send-proxy-v2 proxy-v2-options crc32c"), traffic, origins=DRIVEN)
    assert seen.value == (38, SIGNATURE + b"\x21\x11\x00\x13", True)


def test_a_client_over_a_unix_socket_is_told_of_as_unknown(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect_unix(str(lab.folder / "front.sock")).send(b"END").finish()
        origin = lab.origin().accept()
        got = origin.read_end()[0]
        origin.close()
        client.read_end()
        return lab.mask(got.decode("latin-1"))

    for option in ("send-proxy", "send-proxy-v2"):
        text = f"""
listen f
  bind unix@<dir>/front.sock
  bind 127.0.0.1:<front>
  server a <a> {option}
"""
        both(text, traffic, origins=DRIVEN)


def test_a_header_read_is_a_header_sent(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect("front").send(b"PROXY TCP6 2001:db8::7 2001:db8::1 1111 2222\r\nEND").finish()
        origin = lab.origin().accept()
        got = origin.read_end()[0]
        origin.close()
        client.read_end()
        return got

    for option in ("send-proxy", "send-proxy-v2"):
        text = f"""
listen f
  bind 127.0.0.1:<front> accept-proxy
  server a <a> {option}
"""
        both(text, traffic, origins=DRIVEN)


def test_two_hops_keep_the_clients_address(both: Both) -> None:
    text = """
frontend outer
  bind 127.0.0.1:<front>
  default_backend inner_b
backend inner_b
  server hop <inner_address> send-proxy-v2
listen inner
  bind 127.0.0.1:<inner> accept-proxy
  server a <a> send-proxy
"""
    seen = both(text, header_sent, origins=DRIVEN, ordered=False)
    assert seen.value == b"PROXY TCP4 127.0.0.77 127.0.0.1 cc ff\r\nEND"


def test_origins_greet_through_a_proxy_header_too(both: Both) -> None:
    seen = both(sending("send-proxy"), lambda lab: lab.names(2), origins={"a": greets})
    assert seen.value == ["a", "a"]


@pytest.mark.parametrize(
    ("options", "tlvs"),
    [
        ("set-proxy-v2-tlv-fmt(0xE1) hello", b"\xe1\x00\x05hello"),
        ("set-proxy-v2-tlv-fmt(226) from-%[src]", b"\xe2\x00\x0ffrom-127.0.0.77"),
        ("set-proxy-v2-tlv-fmt(0x02) %[str(ab)]", b"\x02\x00\x02ab"),
    ],
)
def test_beyond_a_field_of_the_header_may_be_an_expression(
    beyond: Both, tmp_path: Path, options: str, tlvs: bytes
) -> None:
    """HAProxy 2.6 does not know the option yet."""
    got = observe(
        beyond.candidate, tmp_path / "own", sending(f"send-proxy-v2 {options}"), header_sent, DRIVEN
    )
    length = struct.pack("!H", 12 + len(tlvs))
    assert got.value == SIGNATURE + b"\x21\x11" + length + ADDRESSES + tlvs + b"END"


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_ends_of_two_families_are_sent_as_ipv6(both: Both, options: str) -> None:
    text = sending(options, "tcp-request connection set-src str(2001:db8::7)")
    assert both(text, header_sent, origins=DRIVEN).value
