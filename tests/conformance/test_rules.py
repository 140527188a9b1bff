"""Rules and expressions: who is let in, who is sent where, and what expressions make of a connection."""

from __future__ import annotations

import pytest

from .lab import Both, Lab, Origins
from .wire import greets

TWO: Origins = {"a": greets, "b": greets}


def config(rules: str, more: str = "") -> str:
    lines = "\n  ".join(rules.splitlines())
    return f"""
frontend f
  bind 127.0.0.1:<front>
  {lines}
  default_backend a
backend a
  server a <a>
backend b
  server b <b>
{more}
"""


# Each: rules, the payload sent, the client's address.  What happens is HAProxy's to say.
LAYER_RULES = [
    ("tcp-request connection accept", b"", "127.0.0.1"),
    ("tcp-request connection reject", b"", "127.0.0.1"),
    ("tcp-request connection reject if { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("tcp-request connection reject if { src 127.0.0.9 }", b"", "127.0.0.8"),
    (
        "tcp-request connection accept if { src 127.0.0.0/28 }\ntcp-request connection reject",
        b"",
        "127.0.0.16",
    ),
    ("tcp-request session reject if { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("tcp-request session accept\ntcp-request session reject", b"", "127.0.0.9"),
    ("tcp-request content reject if { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("tcp-request content reject unless { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("tcp-request content accept\ntcp-request content reject", b"", "127.0.0.9"),
    (
        "tcp-request inspect-delay 3s\ntcp-request content reject if { req.payload(0,3) -m str GET }",
        b"GET",
        "",
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content reject if { req.payload(0,3) -m str GET }",
        b"PUT",
        "",
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content reject if { req.payload(0,0) -m beg GET }",
        b"GET / HT",
        "",
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content reject if { req.payload(0,4) -m bin 00ff0a0d }",
        b"\x00\xff\n\r",
        "",
    ),
    ("tcp-request inspect-delay 300\ntcp-request content accept if WAIT_END", b"", ""),
    ("use_backend b if { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("use_backend b if { src 127.0.0.9 }", b"", "127.0.0.10"),
    ("use_backend b if { src 127.0.0.9 } or { src 127.0.0.10 }", b"", "127.0.0.10"),
    ("use_backend b if { src 127.0.0.9 } || { src 127.0.0.11 }", b"", "127.0.0.11"),
    ("use_backend b if { src 127.0.0.9 } !{ dst_port 1 }", b"", "127.0.0.9"),
    ("use_backend b unless { src 127.0.0.9 }", b"", "127.0.0.9"),
    ("acl x src 127.0.0.9\nacl y dst_port 1\nuse_backend b if x !y", b"", "127.0.0.9"),
    ("acl x src 127.0.0.9\nacl x src 127.0.0.10\nuse_backend b if x", b"", "127.0.0.10"),
    ("use_backend b if TRUE", b"", ""),
    ("use_backend b if FALSE", b"", ""),
    ("use_backend b if LOCALHOST", b"", "127.0.0.1"),
    ("use_backend %[str(b)]", b"", ""),
    ("use_backend %[str(nosuch)]", b"", ""),
    ("use_backend %[src,ipmask(32),regsub(^127.0.0.9$,b)]", b"", "127.0.0.9"),
    ("tcp-request session set-var(sess.to) str(b)\nuse_backend %[var(sess.to)]", b"", ""),
    ("tcp-request connection set-var(sess.n) int(7)\nuse_backend b if { var(sess.n) -m int gt 6 }", b"", ""),
    ("tcp-request connection set-var(proc.n) int(7)\nuse_backend b if { var(proc.n) -m int lt 6 }", b"", ""),
    (
        "tcp-request content set-var(txn.n) int(7),add(3)\nuse_backend b if { var(txn.n) -m int 8:10 }",
        b"",
        "",
    ),
    ("tcp-request connection set-src ipv4(10.9.8.7)\nuse_backend b if { src 10.9.8.7 }", b"", ""),
    ("tcp-request connection set-src src,ipmask(24)\nuse_backend b if { src 127.0.0.0 }", b"", ""),
    ("tcp-request connection set-dst ipv4(10.9.8.7)\nuse_backend b if { dst 10.9.8.7 }", b"", ""),
    ("tcp-request connection set-dst-port int(4000)\nuse_backend b if { dst_port 4000 }", b"", ""),
    ("tcp-request connection set-src-port int(4000)\nuse_backend b if { src_port 4000 }", b"", ""),
    ("use_backend %[src,map_ip(/dev/null,b)]", b"", ""),
    ("tcp-request content unset-var(txn.n)\nuse_backend b if { var(txn.n) -m found }", b"", ""),
]


@pytest.mark.parametrize("start", range(0, len(LAYER_RULES), 10))
def test_a_rule_has_the_same_outcome(both: Both, start: int) -> None:
    chunk = list(enumerate(LAYER_RULES[start : start + 10]))
    text = config("tcp-request connection accept")
    for number, (rules, _, _) in chunk:
        lines = "\n  ".join(rules.splitlines())
        text += f"frontend f{number}\n  bind 127.0.0.1:<front{number}>\n  {lines}\n  default_backend a\n"

    def traffic(lab: Lab) -> object:
        return [
            (rules, source, outcome(lab, payload, source, f"front{number}"))
            for number, (rules, payload, source) in chunk
        ]

    both(text, traffic, origins=TWO, ordered=False)


def outcome(lab: Lab, payload: bytes, source: str, name: str = "front") -> object:
    """Who greets a client that sends `payload`, and how it is left."""
    client = lab.connect(name, source or None)
    if payload:
        client.try_send(payload)
    heard = client.read(2)
    client.finish()
    ended = client.ending()
    client.close()
    return heard, ended


def test_silent_drop_leaves_the_client_waiting(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        return client.hears_nothing(0.5), lab.origin().nobody_came()

    both(config("tcp-request connection silent-drop"), traffic, origins=TWO)


def test_silent_drop_of_content_is_logged(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        quiet = client.hears_nothing(0.5)
        lab.log.wait(1)
        return quiet

    both(
        config("tcp-request inspect-delay 2s\ntcp-request content silent-drop if { req.len gt 0 }"),
        traffic,
        origins=TWO,
    )


def test_a_rejected_connection_is_counted_but_not_logged(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        ended = client.ending()
        rows = [row for row in lab.command("show stat").splitlines() if row.startswith("f,FRONTEND")]
        cells = rows[0].split(",")
        return ended, cells[7], cells[10], cells[79:83]

    seen = both(config("tcp-request connection reject"), traffic, origins=TWO)
    assert seen.logs == []


BACKEND_RULES = [
    ("use-server b if { src 127.0.0.9 }", "127.0.0.9"),
    ("use-server b if { src 127.0.0.9 }", "127.0.0.8"),
    ("use-server b unless { src 127.0.0.9 }", "127.0.0.8"),
    ("use-server %[str(b)] if TRUE", "127.0.0.8"),
    ("use-server %[str(none)] if TRUE", "127.0.0.8"),
    ("tcp-request content reject if { src 127.0.0.9 }", "127.0.0.9"),
    ("tcp-request content accept if { src 127.0.0.9 }\n  tcp-request content reject", "127.0.0.9"),
]


@pytest.mark.parametrize(("rules", "source"), BACKEND_RULES)
def test_a_backends_rules(both: Both, rules: str, source: str) -> None:
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  default_backend back
backend back
  balance first
  {rules}
  server a <a>
  server b <b>
"""
    both(text, lambda lab: lab.names(2, source), origins=TWO)


def test_use_server_skips_a_server_that_is_down(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  default_backend back
backend back
  use-server b if TRUE
  server a <a>
  server b <b> disabled
"""
    seen = both(text, lambda lab: lab.names(2), origins=TWO)
    assert seen.value == ["a", "a"]


# Each: an ACL's match on a string or number, and whether it should hold; HAProxy decides.
MATCHES = [
    "str(abc) -m str abc",
    "str(abc) -m str ABC",
    "str(abc) -m str -i ABC",
    "str(abc) -i ABC",
    "str(abc) abc",
    "str(abcdef) -m beg abc",
    "str(abcdef) -m end def",
    "str(abcdef) -m sub cde",
    "str(abcdef) -m sub -i CDE",
    "str(abcdef) -m len 6",
    "str(abcdef) -m len ge 6",
    "str(abcdef) -m len 1:5",
    "str(abcdef) -m reg ^a.*f$",
    "str(abcdef) -m reg -i ^A",
    "str(abcdef) -m reg ^b",
    "str(/a/bb/c) -m dir bb",
    "str(/a/bb/c) -m dir b",
    "str(/a/bb/c) -m dir a/bb",
    "str(www.example.com) -m dom example.com",
    "str(www.example.com) -m dom example",
    "str(www.example.com) -m dom ex",
    "str(abc) -m found",
    "str(abc) -m bin 616263",
    "str(5) -m int 5",
    "str(5) -m int le 4",
    "int(5) 5",
    "int(5) ge 5",
    "int(5) gt 5",
    "int(5) lt 6",
    "int(5) eq 5 6 7",
    "int(5) 1:4",
    "int(5) 4:",
    "int(5) :4",
    "int(5) -m str 5",
    "int(-5) lt 0",
    "bool(true)",
    "bool(false)",
    "int(0)",
    "int(1) -m bool",
    "str(10.0.0.1) -m ip 10.0.0.0/8",
    "str(10.0.0.1),ipmask(8) -m str 10.0.0.0",
    "ipv4(10.0.0.1) 10.0.0.1 11.0.0.1",
    "ipv6(::1) ::1",
    "ipv4(10.0.0.1) ::ffff:10.0.0.1",
    "ipv6(::ffff:10.0.0.1) 10.0.0.0/8",
    "ipv6(2001:db8::1) 2001:db8::/32",
    "str(abc) -m str -- -i",
    "str(-i) -m str -- -i",
    "str(abc) -m str x y abc z",
    "str(a),upper -m str A",
    "always_true",
    "always_false",
    "str(abc),length 3",
    "src 127.0.0.1",
    "src 127.0.0.0/8",
    "src ::/0",
    "src 0.0.0.0/0",
    "dst_port 1:65535",
    "src_port 1024:",
    "fe_conn eq 1",
    "be_conn(a) 0",
    "srv_conn(a/a) 0",
    "srv_is_up(a/a)",
    "nbsrv(a) 1",
    "connslots(a) gt 0",
    "dst_is_local",
    "src_is_local",
    "wait_end",
]


@pytest.mark.parametrize("chunk", range(0, len(MATCHES), 12))
def test_an_acls_verdict(both: Both, chunk: int) -> None:
    rules = []
    names = MATCHES[chunk : chunk + 12]
    for number, match in enumerate(names):
        rules.append(f"tcp-request content set-var(txn.m{number}) bool(true) if {{ {match} }}")
    form = " ".join(f"{n}:%[var(txn.m{n})]" for n in range(len(names)))
    rules.append(f'log-format "{form}"')
    seen = both(config("\n".join(rules)), lambda lab: lab.names(1), origins=TWO)
    assert seen.log.message


LISTEN = """
listen f
  bind 127.0.0.1:<front>
  tcp-request content set-var(txn.n) var(txn.n),add(1) if { var(txn.n) -m found }
  tcp-request content set-var(txn.n) int(1) if !{ var(txn.n) -m found }
  log-format %[var(txn.n)]
  server a <a>
"""


def test_the_content_rules_of_a_listen_run_once(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        end = lab.connect()
        return end.read(2), end.finish().read_end()

    both(LISTEN, traffic, origins={"a": greets})
