"""Rules that look into the first bytes of a client: TLS, RDP, HTTP, and users of a userlist."""

from __future__ import annotations

import base64
import ssl

import pytest

from .lab import Both, Lab
from .test_rules import TWO, config, outcome


def client_hello(name: str, *protocols: str) -> bytes:
    """What OpenSSL says first to a server of a name."""
    context = ssl.create_default_context()
    if protocols:
        context.set_alpn_protocols(list(protocols))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def rdp(cookie: bytes) -> bytes:
    """An RDP client's first packet."""
    inner = b"\xe0" + bytes(5) + cookie
    return b"\x03\x00" + (len(inner) + 5).to_bytes(2, "big") + bytes([len(inner)]) + inner


RDP = rdp(b"Cookie: mstshash=u\r\n")
WAIT = "tcp-request inspect-delay 3s\ntcp-request content accept if { req.ssl_hello_type 1 }\n"
HELLO = client_hello("b.Example")
GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"

# Each: rules, what the client sends.  What happens is HAProxy's to say.
RULES = [
    (WAIT + "use_backend b if { req.ssl_sni -i b.example }", HELLO),
    (WAIT + "use_backend b if { req.ssl_sni b.example }", HELLO),
    (WAIT + "use_backend b if { req_ssl_sni -m end .Example }", HELLO),
    (WAIT + "use_backend b if { req.ssl_sni -m found }", client_hello("192.0.2.1")),
    (WAIT + "use_backend b if { req.ssl_ver gt 3.1 }", HELLO),
    (WAIT + "use_backend b if { req_ssl_ver 3.4: }", HELLO),
    (WAIT + "use_backend b if { req.ssl_ec_ext }", HELLO),
    (WAIT + "use_backend b if { req.ssl_st_ext 1 }", HELLO),
    (WAIT + "use_backend b if { req.ssl_alpn h2 }", client_hello("a", "h2", "http/1.1")),
    (WAIT + "use_backend b if { req.ssl_alpn http/1.1 }", client_hello("a", "h2", "http/1.1")),
    (WAIT + "use_backend b if { req.ssl_hello_type 1 }", GET),
    (
        "tcp-request inspect-delay 3s\ntcp-request content accept if RDP_COOKIE",
        RDP,
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content accept if RDP_COOKIE\n"
        "use_backend b if { req.rdp_cookie(mstshash) u }",
        RDP,
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content accept if RDP_COOKIE\n"
        "use_backend b if { rdp_cookie_cnt(msts) gt 0 }",
        RDP,
    ),
    ("tcp-request inspect-delay 3s\ntcp-request content reject if HTTP", GET),
    ("tcp-request inspect-delay 3s\ntcp-request content reject if !HTTP", GET),
    ("tcp-request inspect-delay 3s\ntcp-request content reject if !HTTP", b"SSH-2.0-x\r\n"),
    ("tcp-request inspect-delay 3s\ntcp-request content reject if METH_GET HTTP_1.1 { path_beg /a }", GET),
    ("tcp-request inspect-delay 3s\ntcp-request content reject if METH_POST or HTTP_URL_STAR", GET),
    (
        "tcp-request inspect-delay 3s\ntcp-request content accept if HTTP\n"
        "use_backend b if { hdr(host) x } { urlp(b) c } { url_beg /a? }",
        GET,
    ),
    (
        "tcp-request inspect-delay 3s\ntcp-request content accept if { distcc_param(ARGC) -m found }\n"
        "use_backend b if { distcc_param(ARGC) 2 }",
        b"DIST00000002ARGC00000002",
    ),
]


@pytest.mark.parametrize("start", range(0, len(RULES), 6))
def test_a_rule_about_first_bytes_has_the_same_outcome(both: Both, start: int) -> None:
    chunk = list(enumerate(RULES[start : start + 6]))
    text = config("tcp-request connection accept")
    for number, (rules, _) in chunk:
        lines = "\n  ".join(rules.splitlines())
        text += f"frontend f{number}\n  bind 127.0.0.1:<front{number}>\n  {lines}\n  default_backend a\n"

    def traffic(lab: Lab) -> object:
        return [(rules, outcome(lab, sent, "", f"front{number}")) for number, (rules, sent) in chunk]

    both(text, traffic, origins=TWO, ordered=False)


def test_a_name_is_found_in_a_hello_that_comes_in_pieces(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        for at in range(0, len(HELLO), 100):
            client.send(HELLO[at : at + 100])
        heard = client.read(2)
        return heard, client.finish().ending()

    both(config(WAIT + "use_backend b if { req.ssl_sni -i b.example }"), traffic, origins=TWO)


USERS = """userlist staff
  group admins users ann
  group all
  user ann insecure-password secret groups all
  user bob password $5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9 groups all
"""
CREDENTIALS = ["ann:secret", "ann:wrong", "bob:hunter2", "bob:hunter3", "eve:secret", ":", "ann"]


def test_users_pass_by_name_password_and_group(both: Both) -> None:
    rules = (
        "tcp-request inspect-delay 3s\ntcp-request content reject unless { http_auth(staff) }\n"
        "use_backend b if { http_auth_group(staff) admins }"
    )

    def traffic(lab: Lab) -> object:
        seen = []
        for each in CREDENTIALS:
            basic = base64.b64encode(each.encode())
            sent = b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + basic + b"\r\n\r\n"
            seen.append((each, outcome(lab, sent, "")))
        return seen

    seen = both(config(rules, USERS), traffic, origins=TWO, ordered=False)
    assert [heard for _, (heard, _) in seen.value] == [b"b\n", b"", b"a\n", b"", b"", b"", b""]
