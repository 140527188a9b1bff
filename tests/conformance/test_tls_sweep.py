"""Versions, suites, curves and signatures, each client against each bind line: what is agreed on."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tls_certificates import OPENSSL

from .lab import PREAMBLE, Both, Lab
from .tls_paper import Paper

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

# Of one certificate each: how one is chosen among several is test_tls_certificates'.
LINES = {
    "usual": "rsa",
    "tls13": "rsa ssl-min-ver TLSv1.3",
    "tls12": "rsa ssl-max-ver TLSv1.2",
    "without": "rsa no-tlsv13",
    "ciphers": "rsa ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES128-GCM-SHA256",
    "order": "rsa ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
    "suites": "rsa ssl-min-ver TLSv1.3 ciphersuites TLS_AES_256_GCM_SHA384",
    "curves": "rsa curves P-384",
    "ecdhe": "rsa ecdhe prime256v1",
    "ec": "ec",
    "force": "ec force-tlsv12",
    "ecdsa": "ec ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305",
    "two": "ec curves X25519:P-256",
}
CLIENTS = (
    *("-tls1_2", "-tls1_3", "-tls1_1 -cipher DEFAULT@SECLEVEL=0"),
    "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256",
    "-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384",
    "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
    "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305",
    "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
    "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384",
    "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305",
    "-tls1_2 -cipher ECDHE-RSA-AES128-SHA",
    "-tls1_2 -cipher AES128-GCM-SHA256",
    "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256",
    "-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256",
    "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384",
    "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
    *("-curves P-256", "-curves P-384", "-curves X25519", "-curves P-521", "-curves X448"),
    "-tls1_2 -curves P-384",
    *("-sigalgs RSA-PSS+SHA256", "-sigalgs ECDSA+SHA256", "-sigalgs RSA+SHA256"),
    *("-tls1_2 -sigalgs RSA+SHA256", "-tls1_2 -sigalgs RSA-PSS+SHA512", "-tls1_2 -sigalgs RSA+SHA1"),
)
# What rustls leaves out on purpose (docs/tls.md): suites without forward secrecy or with CBC, groups of DH,
# P-521 and X448, signatures with SHA-1. Clients that have nothing else are refused.
LEFT_OUT = re.compile(r"(?<!EC)DHE-RSA|-cipher AES128-GCM|AES128-SHA\b|P-521|X448|SHA1$")


@dataclass(frozen=True)
class Agreed:
    """What a handshake came to: `alert` where it failed."""

    version: str
    suite: str
    key: str
    alert: str

    @property
    def refused(self) -> bool:
        return not self.version


def shake_hands(port: int, client: str) -> Agreed:
    words = [
        str(OPENSSL),
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        "a.test",
        *client.split(),
    ]
    run = subprocess.run(words, input="", capture_output=True, text=True, check=False, timeout=30)
    told = run.stdout + run.stderr
    alert = re.search(r"alert number (\d+)", told)
    agreed = re.search(r"^New, (TLSv[\d.]+), Cipher is (\S+)$", told, re.MULTILINE)
    key = re.search(r"^Server Temp Key: (?:ECDH, )?([\w-]+)", told, re.MULTILINE)
    # A server of TLS 1.3 has named the suite when it finds that it cannot sign.
    if not agreed or alert:
        return Agreed("", "", "", alert[1] if alert else "ended")
    version = re.search(r"^ *Protocol *: (\S+)", told, re.MULTILINE)
    return Agreed(version[1] if version else agreed[1], agreed[2], key[1] if key else "", "")


def test_every_client_agrees_on_what_it_does_with_haproxy(both: Both, tmp_path: Path) -> None:
    paper = Paper(tmp_path)
    paper.authority("ca", "/CN=Test CA")
    for name, kind in (("rsa", "rsa:2048"), ("ec", "ec")):
        paper.issued(name, "ca", "/CN=a.test", kind, "subjectAltName=DNS:a.test")
    certificates = {name: f"ssl crt {paper[f'{name}.pem']}" for name in ("rsa", "ec")}
    lines = {
        name: line.replace(line.split()[0], certificates[line.split()[0]], 1) for name, line in LINES.items()
    }
    binds = "\n".join(f"  bind 127.0.0.1:<{name}> {line}" for name, line in lines.items())
    config = f"frontend f\n{binds}\n  default_backend b\nbackend b\n  server a <a>\n"

    def traffic(lab: Lab) -> dict[tuple[str, str], Agreed]:
        pairs = [(name, client) for name in LINES for client in CLIENTS]
        with ThreadPoolExecutor(3) as pool:
            found = pool.map(lambda pair: shake_hands(lab.ports[pair[0]], pair[1]), pairs)
        return dict(zip(pairs, found, strict=True))

    expected, got = both.apart(config, traffic, preamble=PREAMBLE, normal=lambda _line: "")
    differing, refused = [], []
    for pair, agreed in expected.value.items():
        ours = got.value[pair]
        static = bool(agreed.suite) and not agreed.suite.startswith(("ECDHE", "TLS_"))
        if ours.refused and (static or LEFT_OUT.search(pair[1])):
            refused += [pair] if not agreed.refused else []
        elif ours != agreed and not (ours.refused and agreed.refused):
            differing.append(f"{pair}: {agreed} {ours}")
    assert not differing, "\n".join(differing)
    assert refused, "we leave nothing out any more"
