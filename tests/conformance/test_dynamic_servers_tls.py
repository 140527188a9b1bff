"""`add server` with keywords of TLS: which are taken, which files they may name, that such servers serve."""

from __future__ import annotations

from pathlib import Path

from .http_lab import PREAMBLE, until
from .lab import Both, Lab
from .sink import Line
from .test_dynamic_servers import stats, wait_for
from .test_http_shared_pools import connections
from .tls_paper import Paper

SEEN = "%[ssl_fc_sni]|%[ssl_c_s_dn(CN)]|%[ssl_fc_alpn]|%[ssl_fc_protocol]"
TEXT = """
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  mode http
  log global
  retries 0
  timeout connect 3s
  timeout client 6s
  timeout server 6s
frontend inner
  bind 127.0.0.1:<inner> ssl crt {site} ca-file {ca} verify optional alpn http/1.1 ssl-min-ver TLSv1.2
  http-request return status 200 hdr x-seen "{seen}"
  no log
frontend front
  bind 127.0.0.1:<front>
  default_backend b
  log-format "%ST %ft %b/%s"
backend b
  balance roundrobin
backend known
  server known <a> ssl verify required ca-file {ca} crt {client}
"""

# Which column of `show stat` tells how the last check went, and what it says then.
CHECK_STATUS = 36
LAST = {"UP": "L6OK", "DOWN": "L6RSP"}


def text(paper: Paper) -> str:
    return TEXT.format(seen=SEEN, site=paper["site.pem"], ca=paper["ca.crt"], client=paper["client.pem"])


ROWS = """
ssl
ssl verify none
ssl verify required
ssl verify required ca-file {ca.crt}
ssl ca-file {ca.crt}
ssl verify required ca-file {stranger.crt}
ssl verify required ca-file {nosuch.crt}
ssl verify required ca-file @system-ca
ssl verify none crt {client.pem}
ssl verify none crt {rsa.pem}
ssl verify none crt {nosuch.pem}
ssl verify none crl-file {nosuch.crl}
ssl verify none sni str(a.test)
ssl verify none sni req.hdr(host)
ssl verify none sni bogus
ssl verify none sni str(a),bogus
ssl verify none alpn h2,http/1.1
ssl verify none alpn
ssl verify none ciphers ECDHE-RSA-AES128-GCM-SHA256 ciphersuites TLS_AES_128_GCM_SHA256
ssl verify none ciphers bogus
ssl verify none ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3
ssl verify none ssl-min-ver bogus
ssl verify none force-tlsv12
ssl verify none no-tlsv13
ssl verify none no-ssl-reuse no-tls-tickets
ssl verify none tls-tickets
ssl verify none allow-0rtt
ssl verify none verifyhost a.test
ssl verify none check check-ssl check-sni a.test check-alpn http/1.1
check check-ssl verify none
check-ssl check
no-check-ssl
no-ssl
ssl-reuse
ssl verify bogus
verify none
verifyhost x
sni str(x)
ca-file {ca.crt}
crt {client.pem}
curves X25519
sigalgs ECDSA+SHA256
client-sigalgs ECDSA+SHA256
ecdhe prime256v1
no-alpn
""".strip().splitlines()


def rows(paper: Paper) -> list[str]:
    names = ("ca.crt", "stranger.crt", "nosuch.crt", "client.pem", "rsa.pem", "nosuch.pem", "nosuch.crl")
    found = ROWS
    for name in names:
        found = [row.replace(f"{{{name}}}", paper[name]) for row in found]
    return found


def test_keywords_of_tls_are_taken_where_haproxy_takes_them(both: Both, paper: Paper) -> None:
    """Files have to be known already: nothing is read from the disk any more."""

    def traffic(lab: Lab) -> dict[str, bool]:
        said = {}
        for at, row in enumerate(rows(paper)):
            answer = lab.command(f"add server b/n{at} 127.0.0.1:1 {row}")
            said[ROWS[at]] = "New server registered" in answer
        return said

    seen = both(text(paper), traffic, preamble="", origins={"a": None}, logged=False).value
    assert sum(seen.values()) > 15 < sum(not taken for taken in seen.values())


def asked(lab: Lab, host: str = "www.example.test") -> str:
    """The status, and what the server saw."""
    client = lab.connect()
    client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    lines = client.read_end()[0].decode().split("\r\n")
    client.close()
    return " ".join([lines[0][9:12], *(line for line in lines if line.startswith("x-seen"))])


SERVING = {
    "verified": "ssl verify required ca-file {ca.crt} sni str(www.example.test)",
    "by the request's host": "ssl verify required ca-file {ca.crt} sni req.hdr(host)",
    "another name": "ssl verify required ca-file {ca.crt} sni str(other.test)",
    "an address": "ssl verify required ca-file {ca.crt} sni str(127.0.0.1)",
    "an address and verifyhost": (
        "ssl verify required ca-file {ca.crt} sni str(127.0.0.1) verifyhost www.example.test"
    ),
    "verifyhost": "ssl verify required ca-file {ca.crt} verifyhost www.example.test",
    "a wrong verifyhost": "ssl verify required ca-file {ca.crt} verifyhost other.test",
    "not of the system": "ssl verify required ca-file @system-ca",
    "unverified": "ssl verify none",
    "with our certificate": "ssl verify none crt {client.pem}",
    "with ALPN": "ssl verify none alpn http/1.1",
    "TLS 1.2": "ssl verify none ssl-max-ver TLSv1.2",
    "in the clear": "verify none",
}


def message(line: Line) -> str:
    return line.message


def test_added_servers_speak_tls_as_they_were_told(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> dict[str, str]:
        seen = {}
        for name, words in SERVING.items():
            words = words.replace("{ca.crt}", paper["ca.crt"]).replace("{client.pem}", paper["client.pem"])
            added = lab.command(f"add server b/s 127.0.0.1:{lab.ports['inner']} {words}")
            assert "New server registered" in added, added
            lab.command("enable server b/s")
            seen[name] = asked(lab)
            lab.command("disable server b/s")
            deleted = lab.command("del server b/s")
            assert "Server deleted" in deleted, deleted
        return seen

    seen = both(text(paper), traffic, preamble="", origins={"a": None}, normal=message).value
    assert seen["verified"] == "200 x-seen: www.example.test|||TLSv1.3"
    assert seen["another name"] == seen["an address"] == "503"


CHECKED = {
    "bare": ("check inter 100 fall 1 ssl verify required ca-file @system-ca", "UP"),
    "distrusted": ("check check-ssl inter 100 fall 1 ssl verify required ca-file @system-ca", "DOWN"),
    "trusted": ("check check-ssl inter 100 ssl verify required ca-file {ca.crt}", "UP"),
    "named": (
        "check check-ssl check-sni www.example.test inter 100 ssl verify required ca-file {ca.crt}",
        "UP",
    ),
    "only": ("check check-ssl inter 100 verify none", "UP"),
    "headed": ("check inter 100 fall 1 send-proxy", "UP"),
    "sent": ("check check-ssl check-send-proxy inter 100 fall 1 ssl verify none", "DOWN"),
}


def test_a_check_is_by_tls_where_check_ssl_says_so(both: Both, paper: Paper) -> None:
    """Of a server's line while running, a check takes nothing over but the address."""

    def traffic(lab: Lab) -> dict[str, str]:
        for name, (words, _) in CHECKED.items():
            said = words.replace("{ca.crt}", paper["ca.crt"])
            answer = lab.command(f"add server b/{name} 127.0.0.1:{lab.ports['inner']} {said}")
            assert "New server registered" in answer, answer
            lab.command(f"enable health b/{name}")
            lab.command(f"enable server b/{name}")
        for name, (_, state) in CHECKED.items():
            wait_for(lab, "b", name, CHECK_STATUS, "L4OK" if name in ("bare", "headed") else LAST[state])
        return {name: stats(lab, "b")[name][0] for name in CHECKED}

    both(text(paper), traffic, preamble="", origins={"a": None}, logged=False)


def fill(lab: Lab, name: str, source: str) -> None:
    """Put authorities into a place that the socket made."""
    pem = Path(source).read_text()
    lab.command(f"set ssl ca-file {name} <<\n{pem}\n")
    lab.command(f"commit ssl ca-file {name}")


def test_files_that_were_given_over_the_socket_may_be_named(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> list[object]:
        seen: list[object] = []
        for name, source in (("late", "stranger.crt"), ("later", "ca.crt")):
            lab.command(f"new ssl ca-file {name}")
            fill(lab, name, paper[source])
            words = f"127.0.0.1:{lab.ports['inner']} ssl verify required ca-file {name}"
            seen.append("New server registered" in lab.command(f"add server b/{name} {words}"))
            lab.command(f"enable server b/{name}")
            seen.append(asked(lab)[:3])
            lab.command(f"disable server b/{name}")
        return seen

    seen = both(text(paper), traffic, preamble="", origins={"a": None}, normal=message).value
    assert seen == [True, "503", True, "200"]


def test_what_replaces_a_file_reaches_the_servers_that_were_added(
    beyond: Both, paper: Paper, tmp_path: Path
) -> None:
    """HAProxy 2.6 goes on with what the file was when the server came."""
    lab = Lab(beyond.candidate, tmp_path / "beyond", text(paper), {"a": None})
    try:
        lab.command("new ssl ca-file late")
        fill(lab, "late", paper["stranger.crt"])
        words = "check check-ssl inter 100 fall 1 rise 1 ssl verify required ca-file late"
        lab.command(f"add server b/s 127.0.0.1:{lab.ports['inner']} {words}")
        lab.command("enable health b/s")
        lab.command("enable server b/s")
        wait_for(lab, "b", "s", CHECK_STATUS, "L6RSP")
        fill(lab, "late", paper["ca.crt"])
        wait_for(lab, "b", "s", CHECK_STATUS, "L6OK")
        assert asked(lab)[:3] == "200"
    finally:
        lab.close()


GET_ONCE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
AFTERWARDS = """
frontend inner
  bind 127.0.0.1:<inner> ssl crt {site} alpn h2
  http-request return status 200
  no log
listen l
  bind 127.0.0.1:<front>
  http-reuse always
"""


def test_a_server_to_which_a_connection_of_http_2_idles_can_be_deleted(
    program: str, paper: Paper, tmp_path: Path
) -> None:
    """HAProxy 2.6 refuses while connections idle."""
    lab = Lab(program, tmp_path / "lab", PREAMBLE + AFTERWARDS.format(site=paper["site.pem"]), {})
    try:
        lab.command(f"add server l/x 127.0.0.1:{lab.ports['inner']} ssl verify none alpn h2")
        lab.command("enable server l/x")
        assert lab.ask(GET_ONCE).startswith(b"HTTP/1.1 200 ")
        until(lambda: connections(lab, "l") == {"used_cur": "0", "idle_cur": "1"})
        lab.command("disable server l/x")
        assert "deleted" in lab.command("del server l/x")
        assert lab.ask(GET_ONCE).startswith(b"HTTP/1.1 503 ")
    finally:
        lab.close()
