"""Which certificate a client is shown, by its SNI, its signature algorithms, its ciphers and its version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from tls_certificates import OPENSSL, Maker

from .lab import PREAMBLE, Both, Lab

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

NAMES = (
    *("ec.test", "EC.test", "rsa.test", "ed.test", "a.x.test", "y.x.test", "x.test", "a.test"),
    *("foo.wild.test", "wild.test", "a.b.wild.test", "nope.test", ""),
)
CLIENTS = (
    "-tls1_3",
    "-tls1_2",
    "-tls1_2 -cipher aRSA",
    "-tls1_2 -cipher aECDSA",
    "-sigalgs RSA-PSS+SHA256:RSA+SHA256",
    "-sigalgs ECDSA+SHA256:ECDSA+SHA384",
    "-alpn h2,http/1.1",
)
SITE = """
frontend f
  bind 127.0.0.1:<front> ssl {line}
  default_backend b
backend b
  server a <a>
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    Maker(made).make()
    return made


def shown(port: int, name: str, client: str) -> tuple[str, ...]:
    """The subject of the certificate, else the number of the alert, and the protocol that was agreed on."""
    sni = ["-servername", name] if name else ["-noservername"]
    words = [str(OPENSSL), "s_client", "-connect", f"127.0.0.1:{port}", *sni, *client.split()]
    run = subprocess.run(words, input="", capture_output=True, text=True, check=False, timeout=30)
    told = run.stdout + run.stderr
    patterns = (r"^ ?subject=(.*)$", r"alert number (\d+)", r"ALPN protocol: (\S+)")
    found = (re.search(pattern, told, re.MULTILINE) for pattern in patterns)
    subject, alert, protocol = (each[1] if each else "" for each in found)
    # An alert about the client's own certificate may come after the client has gone.
    return subject, "" if subject else alert, protocol


def everybody(names: Iterable[str] = NAMES, clients: Iterable[str] = CLIENTS) -> list[tuple[str, str]]:
    return [(name, client) for name in names for client in clients]


@pytest.mark.parametrize(
    "line",
    [
        "crt-list list.txt crt bundle.pem crt wild.pem crt ed.pem",
        "crt rsa.pem crt-list list-own.txt alpn http/1.1",
        "crt bundle.pem crt-list list-spaces.txt",
        "crt ec.pem crt rsa.pem strict-sni",
        "crt folder ssl-max-ver TLSv1.2",
        "crt rsa.pem crt ec.pem ssl-min-ver TLSv1.3 curves P-384 ciphersuites TLS_CHACHA20_POLY1305_SHA256",
    ],
)
def test_clients_are_shown_the_certificate_that_haproxy_shows_them(
    line: str, both: Both, folder: Path
) -> None:
    preamble = PREAMBLE.replace("\nglobal\n", f"\nglobal\n  crt-base {folder}\n  ca-base {folder}\n")
    # A crt-list is a file, which is looked for where the process runs.
    line = re.sub(r"(list[a-z-]*\.txt)", rf"{folder}/\1", line)

    def traffic(lab: Lab) -> object:
        port = lab.ports["front"]
        return {f"{name} {client}": shown(port, name, client) for name, client in everybody()}

    both(SITE.format(line=line), traffic, preamble=preamble, logged=False)
