"""Clients' chains with faults, and lines that ignore some of them: who gets in, and what rules see."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from .lab import Both, Lab
from .sink import Line
from .tls_paper import Paper

FACTS = (
    "used=%[ssl_c_used] verify=%[ssl_c_verify] err=%[ssl_c_err] ca_err=%[ssl_c_ca_err]"
    " depth=%[ssl_c_ca_err_depth] fc=%[fc_err]"
)
PREAMBLE = f"""
global
  log <log> local0
defaults
  mode http
  log global
  timeout client 9s
  timeout connect 9s
  timeout server 9s
  log-format "%ft served {FACTS}"
  error-log-format "%ft refused {FACTS}"
"""
# What a line ignores, and its list of the revoked.
LINES = {
    "nothing": ("", "lists"),
    "ca": ("ca-ignore-err all", "lists"),
    "crt": ("crt-ignore-err all", "lists"),
    "all": ("ca-ignore-err all crt-ignore-err all", "lists"),
    "all_unlisted": ("ca-ignore-err all crt-ignore-err all", ""),
    "ca_unlisted": ("ca-ignore-err all", ""),
    "ca_revoked": ("ca-ignore-err 23", "lists"),
    "crt_revoked": ("crt-ignore-err 23", "lists"),
    "ca_dates": ("ca-ignore-err 9,10", "lists"),
    "crt_dates": ("crt-ignore-err 9,10", "lists"),
    "crt_stranger": ("crt-ignore-err 20,21", ""),
    "crt_stranger_listed": ("crt-ignore-err 20,21", "lists"),
    "crt_stranger_unknown": ("crt-ignore-err 3,20,21", "lists"),
    "crt_stranger_lists": ("crt-ignore-err 20,21,33", "lists"),
    "crt_stranger_lists_signed": ("crt-ignore-err 8,20,21,33", "lists"),
    "crt_issuer": ("crt-ignore-err 20", ""),
    "crt_leaf": ("crt-ignore-err 21", ""),
    "crt_purpose": ("crt-ignore-err 26", ""),
    "crt_signature": ("crt-ignore-err 7", ""),
    "ca_stranger": ("ca-ignore-err 19,20", ""),
    "ca_uses": ("ca-ignore-err 25,26", ""),
    "inters_list": ("ca-ignore-err 3", "inter's list"),
    "inters_list_alone": ("crt-ignore-err 3", "inter's list"),
    "roots_list": ("crt-ignore-err 3", "root's list"),
}
# An authority whose own date is over is believed by Isthmus: it stands in ca-file.
BEYOND = "old root"


def configured(files: dict[str, Path], paper: Paper) -> str:
    text = ""
    for name, (ignored, lists) in LINES.items():
        crl = f'crl-file "{files[lists]}"' if lists else ""
        text += f"""
frontend {name}
  bind 127.0.0.1:<{name}> ssl crt {paper["site.pem"]} ca-file {files["ca"]} {crl} verify required {ignored}
  http-request return status 200
"""
    return text


def served(lab: Lab, line: str, client: ssl.SSLContext) -> bool:
    try:
        return status(lab, line, client) == b"200"
    except OSError:
        return False


def status(lab: Lab, line: str, client: ssl.SSLContext) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", lab.ports[line]), 9) as wire,
        client.wrap_socket(wire) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(12)[-3:]


def client_with(chain: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.maximum_version = version
    client.load_cert_chain(chain)
    return client


def names(files: dict[str, Path]) -> list[str]:
    return [name for name, path in files.items() if path.suffix == ".pem"]


def message(line: Line) -> str:
    return line.message


def test_faults_of_a_chain_are_ignored_where_they_are(
    both: Both, files: dict[str, Path], paper: Paper
) -> None:
    """Each chain at each line; the log has what the fetches say, one line for each connection."""

    def traffic(lab: Lab) -> dict[str, str]:
        seen = {}
        for name in names(files):
            if name == BEYOND:
                continue
            client = client_with(files[name])
            for line in LINES:
                got = served(lab, line, client)
                said = lab.log.wait(len(seen) + 1)[-1].message
                seen[f"{name} at {line}"] = f"{got} {said}"
        return seen

    seen = both(configured(files, paper), traffic, preamble=PREAMBLE, origins={}, normal=message).value
    assert "verify=23 err=0 ca_err=23 depth=1" in seen["revoked inter at ca_revoked"]
    assert seen["revoked inter at crt"].startswith("False crt~ refused")


def test_an_authority_is_believed_whatever_its_date(
    beyond: Both, files: dict[str, Path], paper: Paper, tmp_path: Path
) -> None:
    """HAProxy refuses it; here what stands in ca-file is trusted by itself."""
    lab = Lab(beyond.candidate, tmp_path / "beyond", PREAMBLE + configured(files, paper), {})
    try:
        assert served(lab, "nothing", client_with(files[BEYOND]))
    finally:
        lab.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_rules_see_what_was_ignored(
    both: Both, files: dict[str, Path], paper: Paper, version: ssl.TLSVersion
) -> None:
    believed = f"ca-file {files['ca']} crl-file {files['lists']} verify required {LINES['all'][0]}"
    config = f"""
frontend front
  bind 127.0.0.1:<front> ssl crt {paper["site.pem"]} {believed}
  http-request deny status 401 if {{ ssl_c_err 23 }}
  http-request deny status 402 if {{ ssl_c_ca_err 23 }} {{ ssl_c_ca_err_depth 1 }}
  http-request deny status 403 unless {{ ssl_c_verify 0 }}
  http-request return status 200
"""

    def traffic(lab: Lab) -> dict[str, bytes]:
        asked = ("good", "revoked", "revoked inter", "revoked twice", "old", "stranger with chain")
        found: dict[str, bytes] = {}
        for name in asked:
            found[name] = status(lab, "front", client_with(files[name], version))
            lab.log.wait(len(found))
        return found

    seen = both(config, traffic, preamble=PREAMBLE, origins={}, normal=message)
    assert list(seen.value.values()) == [b"200", b"401", b"402", b"401", b"403", b"403"]
