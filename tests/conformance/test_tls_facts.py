"""What TLS says of a connection: fetches, logs, PROXY headers, by the same clients through both proxies."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .lab import Both, Lab
from .sink import Line
from .tls_paper import Paper, made

PREAMBLE = """
global
  nbthread 1
  log <log> local0
  ssl-default-bind-options ssl-min-ver TLSv1.2
  {tuning}
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
"""
CAPTURING = PREAMBLE.format(tuning="tune.ssl.capture-buffer-size 600\n  tune.ssl.keylog on")
QUIET = PREAMBLE.format(tuning="")

CONNECTION = """
ssl_fc ssl_fc_alg_keysize ssl_fc_alpn ssl_fc_cipher ssl_fc_err ssl_fc_err_str ssl_fc_has_crt ssl_fc_has_early
ssl_fc_has_sni ssl_fc_is_resumed ssl_fc_npn ssl_fc_protocol ssl_fc_sni ssl_fc_use_keysize ssl_c_ca_err
ssl_c_ca_err_depth ssl_c_err ssl_c_used ssl_c_verify ssl_c_chain_der,sha1,hex fc_err
""".split()  # noqa: SIM905 (a literal list would take a line for each name)
HELLO = """
ssl_fc_cipherlist_bin,hex ssl_fc_cipherlist_bin(1),hex ssl_fc_cipherlist_hex ssl_fc_cipherlist_hex(1)
ssl_fc_cipherlist_str ssl_fc_cipherlist_str(1) ssl_fc_cipherlist_xxh ssl_fc_ecformats_bin,hex
ssl_fc_ecformats_bin,be2dec(-,1) ssl_fc_eclist_bin,hex ssl_fc_eclist_bin(1),be2dec(-,2) ssl_fc_extlist_bin,hex
ssl_fc_extlist_bin(1),be2dec(-,2) ssl_fc_protocol_hello_id ssl_fc_client_random,hex,length
ssl_fc_server_random,hex,length
ssl_fc_client_traffic_secret_0,length ssl_fc_server_traffic_secret_0,length ssl_fc_exporter_secret,length
ssl_fc_client_handshake_traffic_secret,length ssl_fc_client_early_traffic_secret ssl_fc_early_exporter_secret
""".split()  # noqa: SIM905 (a literal list would take a line for each name)
CERTIFICATE = """
der,sha1,hex i_dn i_dn(CN) s_dn s_dn(OU) s_dn(OU,2) s_dn(OU,-1) s_dn(OU,-3) s_dn(OU,4) s_dn(,0,rfc2253)
s_dn(O,1,rfc2253) s_dn(cn) s_dn(emailAddress) s_dn(UID) i_dn(,0,rfc2253) key_alg notafter notbefore serial,hex
sha1,hex sig_alg version
""".split()  # noqa: SIM905 (a literal list would take a line for each name)

CLIENTS: dict[str, tuple[str, ...]] = {
    "1.3 with a certificate": (
        *("-tls1_3", "-servername", "www.example.test", "-alpn", "http/1.1"),
        *("-cert", "client.crt", "-key", "client.key"),
    ),
    "1.2 with an RSA certificate": ("-tls1_2", "-noservername", "-cert", "rsa.crt", "-key", "rsa.key"),
    "1.3 without": ("-tls1_3", "-noservername"),
    "1.2 with another name": (
        "-tls1_2",
        "-servername",
        "elsewhere.test",
        "-cipher",
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    "ChaCha20": ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-groups", "P-256"),
}


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return made(tmp_path_factory.mktemp("tls"))


def shown(fetches: list[str]) -> str:
    """A rule that answers with the value of each fetch, one on a line."""
    lines = "".join(f"{fetch}=%[{fetch}]\\n" for fetch in fetches)
    return f'http-request return status 200 content-type text/plain lf-string "{lines}"'


def facing(paper: Paper, rule: str, options: str = "", name: str = "front") -> str:
    crt = f"ssl crt {paper['site.pem']} {options}"
    return f"""
frontend {name}
  bind 127.0.0.1:<{name}> {crt}
  {rule}
"""


def believing(paper: Paper, verify: str) -> str:
    return f"ca-file {paper['ca.crt']} verify {verify}"


def talk(lab: Lab, paper: Paper, *options: str, name: str = "front", host: str = "x") -> dict[str, str]:
    """What a client of openssl's reads, field by field."""
    words = ("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{lab.ports[name]}", *options)
    request = f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    done = subprocess.run(
        words, input=request, cwd=paper.folder, capture_output=True, timeout=20, check=False
    )
    head, _, body = done.stdout.decode(errors="replace").partition("\r\n\r\n")
    fields = dict(line.split("=", 1) for line in body.splitlines() if "=" in line)
    return {"status": head.split("\r\n")[0], **fields}


def quiet(_line: Line) -> str:
    return ""


@pytest.mark.parametrize("client", CLIENTS)
def test_fetches_of_the_connection_and_the_client_hello(both: Both, paper: Paper, client: str) -> None:
    config = facing(paper, shown(CONNECTION + HELLO), believing(paper, "optional") + " alpn http/1.1")
    seen = both(
        config, lambda lab: talk(lab, paper, *CLIENTS[client]), preamble=CAPTURING, normal=quiet, origins={}
    )
    assert len(seen.value) == 1 + len(CONNECTION + HELLO)
    assert seen.value["ssl_fc"] == "1"


@pytest.mark.parametrize("client", list(CLIENTS)[:3])
def test_fetches_of_certificates(both: Both, paper: Paper, client: str) -> None:
    fetches = [f"ssl_{whose}_{what}" for whose in "cf" for what in CERTIFICATE]
    config = facing(paper, shown(fetches), believing(paper, "optional"))
    seen = both(
        config, lambda lab: talk(lab, paper, *CLIENTS[client]), preamble=QUIET, normal=quiet, origins={}
    )
    assert seen.value["ssl_f_s_dn(OU,2)"] == "Edge"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("options", ["", "no-tls-tickets"])
def test_a_resumed_session_still_has_its_client(both: Both, paper: Paper, version: str, options: str) -> None:
    fetches = [
        *("ssl_fc_is_resumed", "ssl_c_used", "ssl_fc_has_crt"),
        "ssl_c_s_dn(CN)",
        "ssl_c_verify",
        "ssl_f_s_dn(CN)",
    ]
    config = facing(paper, shown(fetches), f"{believing(paper, 'optional')} {options}")

    def traffic(lab: Lab) -> list[dict[str, str]]:
        own = (version, "-cert", "client.crt", "-key", "client.key")
        kept = str(lab.folder / "session.pem")
        return [talk(lab, paper, *own, way, kept) for way in ("-sess_out", "-sess_in")]

    seen = both(config, traffic, preamble=QUIET, normal=quiet, origins={})
    assert [each["ssl_fc_is_resumed"] for each in seen.value] == ["0", "1"]
    assert seen.value[1]["ssl_c_s_dn(CN)"] == "Jane Doe"


def test_fetches_of_a_connection_in_the_clear(both: Both) -> None:
    fetches = [*CONNECTION, "ssl_f_s_dn", "ssl_c_serial,hex", "ssl_s_s_dn"]
    config = "frontend front\n  bind 127.0.0.1:<front>\n  " + shown(fetches) + "\n"

    def traffic(lab: Lab) -> str:
        answer = lab.ask(b"GET / HTTP/1.0\r\n\r\n")
        return answer.decode().partition("\r\n\r\n")[2]

    both(config, traffic, preamble=QUIET, normal=quiet, origins={})


BACK = """
ssl_bc ssl_bc_alg_keysize ssl_bc_alpn ssl_bc_cipher ssl_bc_err ssl_bc_is_resumed ssl_bc_npn ssl_bc_protocol
ssl_bc_use_keysize ssl_bc_client_random,hex,length ssl_bc_server_random,hex,length ssl_s_s_dn ssl_s_i_dn(CN)
ssl_s_s_dn(OU,2) ssl_s_serial,hex ssl_s_sha1,hex ssl_s_key_alg ssl_s_sig_alg ssl_s_version ssl_s_notafter
ssl_s_notbefore ssl_s_der,sha1,hex ssl_s_chain_der,sha1,hex ssl_s_s_dn(,0,rfc2253)
""".split()  # noqa: SIM905 (a literal list would take a line for each name)


@pytest.mark.parametrize("version", ["ssl-max-ver TLSv1.2", "ssl-min-ver TLSv1.3"])
def test_fetches_of_the_server(both: Both, paper: Paper, version: str) -> None:
    fields = "".join(f"  http-response add-header x-fact %[str({n})]=%[{f}]\n" for n, f in enumerate(BACK))
    config = f"""
frontend front
  bind 127.0.0.1:<front>
  default_backend b
  log-format "%[ssl_bc_cipher] %[ssl_bc_protocol] %[ssl_s_s_dn(CN)] %ft"
backend b
{fields}
  server s 127.0.0.1:<inner> ssl verify none alpn http/1.1 crt {paper["client.pem"]} {version}
""" + facing(
        paper,
        'http-request return status 200 hdr x-cn "%[ssl_c_s_dn(CN)]"\n  no log',
        believing(paper, "required") + " alpn http/1.1",
        "inner",
    )

    def traffic(lab: Lab) -> list[str]:
        head = lab.ask(b"GET / HTTP/1.0\r\n\r\n").decode().split("\r\n")
        return sorted(line for line in head if line.lower().startswith("x-"))

    seen = both(config, traffic, preamble=QUIET, origins={}, normal=lambda line: line.message)
    assert "x-cn: Jane Doe" in seen.value


ERRORS = (
    "E %[fc_err] %[fc_err_str] | %[ssl_fc_err,hex] %[ssl_fc_err_str] | c=%[ssl_c_err] ca=%[ssl_c_ca_err]"
    " depth=%[ssl_c_ca_err_depth] used=%[ssl_c_used] dn=%[ssl_c_s_dn] resumed=%[ssl_fc_is_resumed]"
    " fc=%[ssl_fc]"
)
FAILING: dict[str, tuple[str, ...]] = {
    "no certificate, 1.3": ("-tls1_3",),
    "no certificate, 1.2": ("-tls1_2",),
    "its own authority": ("-tls1_3", "-cert", "self.crt", "-key", "self.key"),
    "a stranger's": ("-tls1_2", "-cert", "foreign.crt", "-key", "foreign.key"),
    "a stranger's, with the chain": (
        *("-tls1_2", "-cert", "foreign.crt", "-key", "foreign.key", "-cert_chain", "stranger.crt"),
    ),
    "out of date": ("-tls1_3", "-cert", "old.crt", "-key", "old.key"),
    "distrusts us": ("-tls1_3", "-CAfile", "stranger.crt", "-verify_return_error"),
    "too old": ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
    "no common signature": ("-tls1_2", "-sigalgs", "ECDSA+SHA256"),
}


@pytest.mark.parametrize("client", FAILING)
def test_a_failed_handshake_in_the_log(both: Both, paper: Paper, client: str) -> None:
    rule = f'error-log-format "{ERRORS}"\n  http-request return status 200'
    config = facing(paper, rule, believing(paper, "required"))

    def traffic(lab: Lab) -> str:
        return talk(lab, paper, *FAILING[client])["status"]

    seen = both(config, traffic, preamble=QUIET, origins={}, normal=lambda line: line.message)
    assert len(seen.logs) == 1


def masked(line: Line) -> str:
    """A line without addresses, dates and timers; sizes are the answer's own."""
    text = re.sub(r"127\.0\.0\.1:\d+|\[[^]]*\]|\d+(/-?\d+){4} 200 \d+", "_", line.message)
    return re.sub(r"\b\d+\b(?=/\d+/\d+/\d+/\d+ \d+/\d+ )", "_", text)


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01", b""],
    ids=["HTTP", "garbage", "cut", "nothing"],
)
@pytest.mark.parametrize("form", ["option httplog", f'error-log-format "{ERRORS}"'])
def test_what_is_no_client_hello_in_the_log(both: Both, paper: Paper, sent: bytes, form: str) -> None:
    config = facing(paper, form + "\n  http-request return status 200")

    def traffic(lab: Lab) -> None:
        lab.ask(sent)

    both(config, traffic, preamble=QUIET, origins={}, normal=masked)


@pytest.mark.parametrize("client", list(CLIENTS)[:2])
def test_option_httpslog(both: Both, paper: Paper, client: str) -> None:
    rule = "option httpslog\n  http-request return status 200"
    config = facing(paper, rule, believing(paper, "optional"))
    seen = both(
        config, lambda lab: talk(lab, paper, *CLIENTS[client]), preamble=QUIET, origins={}, normal=masked
    )
    assert seen.logs[0].message.endswith(("/TLS_AES_256_GCM_SHA384", "/ECDHE-RSA-AES256-GCM-SHA384"))


def test_a_proxy_header_tells_of_the_client(both: Both, paper: Paper) -> None:
    options = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c"
    config = facing(paper, "mode tcp\n  default_backend b", believing(paper, "optional") + " alpn http/1.1")
    config += f"""
backend b
  mode tcp
  server s <a> send-proxy-v2-ssl-cn proxy-v2-options {options}
"""

    def traffic(lab: Lab) -> list[bytes]:
        return [header(lab, paper, *options) for options in CLIENTS.values()]

    seen = both(config, traffic, preamble=QUIET, origins={"a": None}, normal=quiet)
    assert b"Jane Doe" in seen.value[0]


def header(lab: Lab, paper: Paper, *options: str) -> bytes:
    """The TLVs of the header that the origin gets, but for the checksum, which covers the client's port."""
    words = ("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{lab.ports['front']}", *options)
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=paper.folder, stdin=pipe, stdout=pipe, stderr=pipe) as client:
        end = lab.origin().accept()
        start = end.read(16)
        rest = end.read(int.from_bytes(start[14:16], "big"))
        end.close()
        client.communicate(timeout=20)
    return rest[12 + 7 :]


def test_a_request_for_a_host_with_other_rules_is_misdirected(
    beyond: Both, paper: Paper, tmp_path: Path
) -> None:
    """HAProxy serves it: a client gets past `verify required` under the name of another certificate."""
    site = paper["site.pem"]
    crt_list = Path(paper["list"])
    crt_list.write_text(
        f"{site} www.example.test\n{site} [verify required ca-file {paper['ca.crt']}] secret.example.test\n"
    )
    config = f"""
frontend front
  bind 127.0.0.1:<front> ssl crt-list {crt_list}
  http-request return status 200
"""

    def traffic(lab: Lab) -> list[str]:
        own = ("-cert", "client.crt", "-key", "client.key")
        asked = [
            ("www.example.test", "www.example.test", ()),
            ("www.example.test", "WWW.example.test:443", ()),
            ("www.example.test", "secret.example.test", ()),
            ("www.example.test", "secret.example.test.:8443", ()),
            ("secret.example.test", "secret.example.test", own),
            ("secret.example.test", "www.example.test", own),
        ]
        return [
            talk(lab, paper, "-servername", sni, *options, host=host)["status"].split()[1]
            for sni, host, options in asked
        ]

    lab = Lab(beyond.candidate, tmp_path / "beyond", QUIET + config, {})
    try:
        assert traffic(lab) == ["200", "200", "421", "421", "200", "421"]
    finally:
        lab.close()
