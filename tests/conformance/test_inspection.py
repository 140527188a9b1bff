"""Inspection without decrypting: TLS, RDP, MQTT and FIX, whole and in pieces, as both proxies see it.

Each kind has a frontend whose log line holds all that it found, so one pair of proxies serves all rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .lab import Both, Lab
from .sink import Line
from .test_first_bytes import client_hello, rdp
from .wire import DEADLINE, End

NAME = "www.example.test"
HELLO = client_hello(NAME, "h2", "http/1.1")
# Where the interesting parts of a ClientHello begin: record, message, version, session, and the name.
AT = HELLO.index(NAME.encode())
CUTS = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 43, 44, 76, 77, *range(AT - 9, AT + len(NAME) + 2), len(HELLO) - 1]


def found(name: str, wait: str, what: dict[str, str]) -> str:
    """A frontend that logs what it finds."""
    sets = "\n".join(f"  tcp-request content set-var(sess.{key}) {value}" for key, value in what.items())
    shown = " ".join(f"{key}=%[var(sess.{key})]" for key in what)
    return f"""
frontend {name}
  bind 127.0.0.1:<{name}>
  tcp-request inspect-delay 30s
  tcp-request content set-var(sess.seen) int(1) if {wait}
{sets}
  log-format "{name} seen=%[var(sess.seen)] {shown}"
  default_backend a
"""


SITE = (
    found(
        "tls",
        # HAProxy finds the name before the last byte is there, and would then know less than we do.
        "{ req.ssl_hello_type 1 } { req.ssl_sni -m found }",
        {
            "sni": "req.ssl_sni",
            "alpn": "req.ssl_alpn",
            "type": "req.ssl_hello_type",
            "version": "req.ssl_ver",
            "groups": "req.ssl_ec_ext",
        },
    )
    + found(
        "rdp",
        "RDP_COOKIE",
        {
            "any": "rdp_cookie",
            "hash": "rdp_cookie(mstshash)",
            "other": "req.rdp_cookie(msts)",
            "count": "rdp_cookie_cnt(mstshash)",
        },
    )
    + found(
        "mqtt",
        "{ req.payload(0,0),mqtt_is_valid }",
        {
            "client": "req.payload(0,0),mqtt_field_value(connect,client_identifier)",
            "user": "req.payload(0,0),mqtt_field_value(connect,username)",
            "password": "req.payload(0,0),mqtt_field_value(connect,password)",
            "protocol": "req.payload(0,0),mqtt_field_value(connect,protocol_name)",
            "version": "req.payload(0,0),mqtt_field_value(connect,protocol_version)",
            "flags": "req.payload(0,0),mqtt_field_value(connect,flags)",
            "topic": "req.payload(0,0),mqtt_field_value(connect,will_topic)",
            "expiry": "req.payload(0,0),mqtt_field_value(connect,17)",
            "limit": "req.payload(0,0),mqtt_field_value(connect,33)",
        },
    )
    + found(
        "fix",
        "{ req.payload(0,0),fix_is_valid }",
        {
            "sender": "req.payload(0,0),fix_tag_value(SenderCompID)",
            "target": "req.payload(0,0),fix_tag_value(56)",
            "type": "req.payload(0,0),fix_tag_value(MsgType)",
            "sum": "req.payload(0,0),fix_tag_value(CheckSum)",
            "none": "req.payload(0,0),fix_tag_value(9999)",
        },
    )
    + """
frontend actions
  bind 127.0.0.1:<actions>
  tcp-request inspect-delay 30s
  tcp-request content set-var(sess.early) req.payload(0,8)
  tcp-request content set-src-port req.payload(0,8),length
  tcp-request content set-var(sess.port) int(8) if { src_port 8 }
  tcp-request content capture req.payload(0,8) len 8
  tcp-request content set-var(sess.late) req.payload(0,8)
  log-format "actions early=%[var(sess.early)] port=%[var(sess.port)] late=%[var(sess.late)] kept=%hr"
  default_backend a
frontend tracks
  bind 127.0.0.1:<tracks>
  tcp-request inspect-delay 30s
  tcp-request content track-sc0 req.payload(0,8) table counted
  log-format "tracks conns=%[sc_conn_cnt(0)]"
  default_backend a
backend counted
  stick-table type binary len 8 size 100 store conn_cnt
backend a
  server a <a>
"""
)


def text(words: bytes) -> bytes:
    return len(words).to_bytes(2, "big") + words


def mqtt(version: int, flags: int, *payload: bytes, properties: bytes | None = None) -> bytes:
    """A CONNECT packet."""
    name = b"MQIsdp" if version == 3 else b"MQTT"
    body = text(name) + bytes([version, flags]) + b"\x00\x3c"
    if properties is not None:
        body += bytes([len(properties)]) + properties
    body += b"".join(map(text, payload))
    assert len(body) < 128
    return b"\x10" + bytes([len(body)]) + body


def fix(*fields: str, version: str = "FIX.4.2", checksum: int | None = None) -> bytes:
    """A message with its length and checksum."""
    body = "".join(f"{field}\x01" for field in fields).encode()
    head = f"8={version}\x019={len(body)}\x01".encode() + body
    total = sum(head) % 256 if checksum is None else checksum
    return head + f"10={total:03}\x01".encode()


def records(data: bytes, *cuts: int) -> bytes:
    """A handshake message in several records."""
    message = data[5:]
    places = [0, *cuts, len(message)]
    parts = (message[start:end] for start, end in pairwise(places))
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part for part in parts)


@dataclass(frozen=True)
class Row:
    """What a client sends to which frontend, and where it pauses."""

    name: str
    front: str
    sent: bytes
    cuts: tuple[int, ...] = ()


LOGON = fix("35=A", "49=SELL", "56=BUY", "34=1")
SIMPLE = mqtt(4, 2, b"client-1")
FULL = mqtt(4, 0xC6, b"client-2", b"will/t", b"bye", b"ann", b"secret")
FIFTH = mqtt(5, 0xC2, b"c5", b"ann", b"s", properties=b"\x11\0\0\0\x0a\x21\0\x14")
COOKIE = rdp(b"Cookie: mstshash=user1\r\n")

ROWS = [
    Row("a hello", "tls", HELLO),
    Row("a hello without protocols", "tls", client_hello("a.test")),
    Row("a name of upper case", "tls", client_hello("A.Test", "h2")),
    *(Row(f"a hello cut at {at}", "tls", HELLO, (at,)) for at in CUTS),
    Row("a hello cut at several places", "tls", HELLO, (3, 7, AT - 2, AT + 3, AT + 4, len(HELLO) - 2)),
    Row("a hello in one-byte segments", "tls", client_hello("b.test"), tuple(range(1, 120))),
    Row("a cookie", "rdp", COOKIE),
    *(
        Row(f"a cookie cut at {at}", "rdp", COOKIE, (at,))
        for at in (1, 3, 4, 5, 11, 18, 19, 27, len(COOKIE) - 1)
    ),
    Row("a cookie's name in other case", "rdp", rdp(b"Cookie: MSTSHASH=u\r\n")),
    Row("a cookie of a server", "rdp", rdp(b"Cookie: msts=3640205228.15629.0000\r\n")),
    Row("a cookie without a value", "rdp", rdp(b"Cookie: mstshash=\r\n")),
    Row(
        "a negotiation behind a cookie", "rdp", rdp(b"Cookie: mstshash=u\r\n\x01\x00\x08\x00\x03\x00\x00\x00")
    ),
    Row("MQTT 3.1", "mqtt", mqtt(3, 2, b"old")),
    Row("MQTT 3.1.1", "mqtt", SIMPLE),
    Row("MQTT 3.1.1 with everything", "mqtt", FULL),
    Row("MQTT 5", "mqtt", FIFTH),
    Row("MQTT without an identifier", "mqtt", mqtt(4, 2, b"")),
    *(Row(f"MQTT cut at {at}", "mqtt", FULL, (at,)) for at in (1, 2, 3, 8, 10, 12, 20, 30, len(FULL) - 1)),
    Row("a packet behind MQTT's CONNECT", "mqtt", SIMPLE + b"\xc0\x00"),
    Row("FIX", "fix", LOGON),
    Row("FIX 5", "fix", fix("35=A", "49=S", "56=T", version="FIXT.1.1")),
    Row("FIX with more fields", "fix", fix("35=D", "49=SELL SIDE", "56=BUY", "55=ABC", "38=100", "49=TWICE")),
    *(Row(f"FIX cut at {at}", "fix", LOGON, (at,)) for at in (1, 5, 12, 14, 20, 30, len(LOGON) - 1)),
]

# Which actions wait for what they ask for, and which take what there is.
ROWS += [Row(f"actions, {at} bytes first", "actions", b"12345678", (at,)) for at in (1, 7)]
ROWS += [Row(f"tracking, {at} bytes first", "tracks", b"12345678", (at,)) for at in (1, 7)]


def taken(lab: Lab, end: End, front: str) -> bool:
    """Whether the proxy has read all that a client sent: neither end's kernel holds anything of it."""
    ours, theirs = f":{end.port:04X}", f":{lab.ports[front]:04X}"
    left = 0
    ends = 0
    for row in Path("/proc/net/tcp").read_text().splitlines():
        _, local, remote, _, queues, *_ = row.split(None, 5)
        sent, received = queues.split(":") if ":" in queues else ("0", "0")
        if (local[8:], remote[8:]) == (ours, theirs):
            left += int(sent, 16)
            ends += 1
        elif (local[8:], remote[8:]) == (theirs, ours):
            left += int(received, 16)
            ends += 1
    return ends == 2 and left == 0


def played(lab: Lab, row: Row) -> bytes:
    """Sends a row's bytes, each piece once the one before was read; what the client heard."""
    end = lab.connect(row.front)
    places = [0, *(cut for cut in row.cuts if cut < len(row.sent)), len(row.sent)]
    for start, stop in pairwise(places):
        if start:
            deadline = time.monotonic() + DEADLINE
            while not taken(lab, end, row.front):
                assert time.monotonic() < deadline, row.name
                time.sleep(0.0005)
        end.send(row.sent[start:stop])
    heard = end.read(2)
    end.finish()
    end.read_end()
    end.close()
    return heard


def shown(line: Line) -> str:
    return line.message


def test_both_proxies_find_the_same_in_first_bytes(both: Both) -> None:
    def traffic(lab: Lab) -> list[tuple[str, str]]:
        told = []
        for number, row in enumerate(ROWS, 1):
            assert played(lab, row) == b"a\n"
            told.append((row.name, shown(lab.log.wait(number)[number - 1])))
        return told

    seen = both(SITE, traffic, normal=shown)
    by_name = dict(seen.value)
    # Checks of the table itself: what it is about is found.
    expected = f"tls seen=1 sni={NAME} alpn=h2 type=1"
    assert {by_name[row.name][: len(expected)] for row in ROWS if row.sent == HELLO} == {expected}
    assert by_name["a cookie cut at 11"].startswith("rdp seen=1 any=user1 hash=user1")
    assert by_name["MQTT cut at 20"].startswith("mqtt seen=1 client=client-2 user=ann password=secret")
    assert by_name["FIX cut at 20"].startswith("fix seen=1 sender=SELL target=BUY type=A")


RECORDS = [
    (f"cut at {at} of the name", records(HELLO, AT - 5 + at))
    for at in (-1, 0, 1, len(NAME) // 2, len(NAME) - 1, len(NAME))
] + [
    ("the message's head alone", records(HELLO, 4)),
    ("a byte alone", records(HELLO, 1)),
    ("many records", records(HELLO, *range(10, len(HELLO) - 5, 10))),
]


def test_a_name_is_found_in_a_hello_of_several_records(beyond: Both) -> None:
    """HAProxy 2.6 looks into the first record only."""

    def traffic(lab: Lab) -> list[str]:
        told = []
        for number, (name, sent) in enumerate(RECORDS, 1):
            assert played(lab, Row(name, "tls", sent)) == b"a\n"
            told.append(shown(lab.log.wait(number)[number - 1]))
        return told

    expected, got = beyond.apart(
        SITE.replace("inspect-delay 30s", "inspect-delay 300"), traffic, normal=shown
    )
    assert {each.startswith(f"tls seen=1 sni={NAME} alpn=h2 type=1 ") for each in got.value} == {True}
    # Only a name that is whole in the first record is the right one there.
    right = [name for (name, _), told in zip(RECORDS, expected.value, strict=True) if f" sni={NAME} " in told]
    assert right == [f"cut at {len(NAME)} of the name"]
