"""Certificates that an authority issues: Pebble beside us, which really asks for what it wants proved."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .lab import PREAMBLE, Both, Lab, observe
from .ports import Ledger
from .test_tls_runtime import connected
from .tls_chains import issued
from .tls_paper import Paper

PROGRAMS = [shutil.which(each) for each in ("pebble", "pebble-challtestsrv", "openssl")]
pytestmark = pytest.mark.skipif(None in PROGRAMS, reason="pebble and openssl are not installed")
PATIENCE = 60
CONFIG = """
crt-store
  load crt {at}/site.pem acme LE domains a.test,b.test
crt-store split
  load crt {at}/split.pem key {at}/split.key acme RSA domains c.test
acme LE
  directory https://localhost:{directory}/dir
  contact operator@example.test
  account-key {at}/account.key
  map virt@acme
acme RSA
  directory https://localhost:{directory}/dir
  account-key {at}/account.key
  keytype RSA
  bits 2048
  map virt@acme
frontend f
  bind 127.0.0.1:<front> ssl crt {at}/site.pem crt @split/{at}/split.pem
  default_backend b
frontend proving
  bind 127.0.0.1:{proving} ssl crt {at}/site.pem strict-sni alpn h2
  default_backend b
frontend plain
  mode http
  bind 127.0.0.1:{validation}
  http-request return status 200 content-type text/plain lf-string "%[path,field(-1,/)].%[path,field(-1,/),map(virt@acme)]" if {{ path_beg /.well-known/acme-challenge/ }}
backend b
  server a <a>
"""  # noqa: E501


@dataclass
class Authority:
    """Pebble and a name server that sends it to us for every name."""

    folder: Path
    directory: int
    validation: int
    management: int
    names: int
    spare: int
    proving: int

    def settings(self) -> str:
        own = f"\nglobal\n  httpclient.ssl.ca-file {self.folder}/directory.crt\n"
        return PREAMBLE.replace("\nglobal\n", own)

    def config(self, at: Path) -> str:
        return CONFIG.format(
            at=at, directory=self.directory, validation=self.validation, proving=self.proving
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run both programs."""
        listen = f"127.0.0.1:{self.names}"
        off = ("-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "")
        servers = [
            ["pebble-challtestsrv", *off, "-dns01", listen, "-management", f"127.0.0.1:{self.spare}"],
            ["pebble", "-config", "pebble.json", "-dnsserver", listen],
        ]
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        started = []
        try:
            for words in servers:
                with (self.folder / f"{words[0]}.log").open("w") as log:
                    started.append(
                        subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log, env=environment)
                    )
            until(lambda: listens(self.directory), "pebble listens")
            yield
        finally:
            for each in started:
                each.terminate()
                each.wait(10)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that is done beside the traffic."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.1)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    folder = tmp_path / "authority"
    folder.mkdir()
    ports = Ledger()
    made = Authority(folder, *(ports.take() for _ in range(6)))
    Paper(folder).run(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3"),
        *("-keyout", "directory.key", "-out", "directory.crt", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
    )
    said = {
        "listenAddress": f"127.0.0.1:{made.directory}",
        "managementListenAddress": f"127.0.0.1:{made.management}",
        "certificate": "directory.crt",
        "privateKey": "directory.key",
        "httpPort": made.validation,
        "tlsPort": made.proving,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": said}))
    yield made
    ports.close()


def issuer(lab: Lab, name: str) -> str:
    with connected(lab, name) as secured:
        der = secured.getpeercert(binary_form=True) or b""
    return "pebble" if b"Pebble Intermediate" in der else "interim"


def play(
    both: Both, authority: Authority, tmp_path: Path, traffic: Callable[[Lab], object], run: str = "run"
) -> str:
    seen = observe(
        both.candidate,
        tmp_path / run,
        authority.config(tmp_path),
        traffic,
        preamble=authority.settings(),
    )
    return "\n".join(line.raw for line in seen.logs)


def test_certificates_are_issued_stored_and_shown_without_a_restart(
    both: Both, authority: Authority, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        for name in ("a.test", "b.test", "c.test"):
            until(lambda name=name: issuer(lab, name) == "pebble", f"{name} has an issued certificate")
        site, split = (tmp_path / each for each in ("site.pem", "split.pem"))
        until((tmp_path / "split.key").exists, "the key has a file of its own")
        for each in (site, tmp_path / "account.key", tmp_path / "split.key", split):
            assert stat.S_IMODE(each.stat().st_mode) == 0o600
        assert "PRIVATE KEY" in site.read_text()
        assert "PRIVATE KEY" not in split.read_text()
        assert "Algorithm: RSA2048" in lab.command(f"show ssl cert @split/{split}")
        rows = [line.split("\t")[:3] for line in lab.command("acme status").splitlines() if line[:1] != "#"]
        until(lambda: not lab.command("show map virt@acme").strip(), "no challenge is left")
        assert [f"@split/{split}", "RSA", "Scheduled"] in rows
        # An operator may want another one.
        before = site.read_bytes()
        assert lab.command(f"acme renew {site}") == "\n"
        until(lambda: site.read_bytes() != before, "another certificate is stored")
        until(lambda: "Running" not in lab.command("acme status"), "the order is over")
        assert not list(tmp_path.glob(".*pem*"))

    with authority.running():
        log = play(both, authority, tmp_path, traffic)
    assert log.count("was issued and is in force") == 3
    # What was stored is read at the next start, and not asked for again.
    again = play(both, authority, tmp_path, lambda lab: issuer(lab, "a.test"), "again")
    assert "acme" not in again


def test_a_certificate_near_its_end_is_renewed_and_one_that_is_not_stays(
    both: Both, authority: Authority, tmp_path: Path
) -> None:
    """When exactly is told by tests/unit/acme/test_renewing.py."""
    near = issued("a.test", days=(-111, 9), hosts=("a.test", "b.test"))
    far = issued("c.test", days=(-100, 20), hosts=("c.test",))
    (tmp_path / "site.pem").write_text(near.pem + near.key_pem)
    (tmp_path / "split.pem").write_text(far.pem)
    (tmp_path / "split.key").write_text(far.key_pem)

    def traffic(lab: Lab) -> None:
        until(lambda: issuer(lab, "a.test") == "pebble", "a.test has another certificate")
        until(lambda: "Running" not in lab.command("acme status"), "the order is over")

    with authority.running():
        log = play(both, authority, tmp_path, traffic)
    assert log.count("was issued and is in force") == 1
    assert (tmp_path / "split.pem").read_text() == far.pem


def test_names_are_proved_in_handshakes(both: Both, authority: Authority, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> None:
        for name in ("a.test", "b.test", "c.test"):
            until(lambda name=name: issuer(lab, name) == "pebble", f"{name} has an issued certificate")
        until(lambda: "Running" not in lab.command("acme status"), "the orders are over")

    config = authority.config(tmp_path).replace("map virt@acme", "challenge TLS-ALPN-01")
    config = config.replace("challenge TLS-ALPN-01)", "map virt@acme)").replace("status 200", "status 404")
    with authority.running():
        seen = observe(both.candidate, tmp_path / "run", config, traffic, preamble=authority.settings())
    # Who has a name proved reaches no server.
    assert not [line for line in seen.logs if "f=proving b=b" in line.raw]


def test_an_authority_that_is_away_leaves_traffic_alone_and_is_asked_again(
    both: Both, authority: Authority, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        def said(what: str) -> None:
            until(lambda: what in "\n".join(line.raw for line in lab.log.everything()), what)

        said("was not issued")
        assert issuer(lab, "a.test") == "interim"
        assert lab.command("acme renew nothing").startswith("Can't renew")
        with authority.running():
            lab.command(f"acme renew {tmp_path}/site.pem")
            until(lambda: issuer(lab, "a.test") == "pebble", "it was asked again")

    assert "the next try is in 6" in play(both, authority, tmp_path, traffic)


def test_a_name_that_leads_elsewhere_is_told_with_the_authoritys_reason(
    both: Both, authority: Authority, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        until(lambda: "was not issued" in "\n".join(e.raw for e in lab.log.everything()), "it is refused")
        assert issuer(lab, "a.test") == "interim"
        until(lambda: not lab.command("show map virt@acme").strip(), "no challenge is left")

    config = authority.config(tmp_path).replace("status 200", "status 404")
    with authority.running():
        seen = observe(both.candidate, tmp_path / "run", config, traffic, preamble=authority.settings())
    assert any("a.test: " in line.raw or "b.test: " in line.raw for line in seen.logs)


def test_an_account_is_bound_to_one_elsewhere(both: Both, authority: Authority, tmp_path: Path) -> None:
    """Pebble makes accounts for those alone who have a key of its list; each section has its own account."""
    settings = authority.folder / "pebble.json"
    said = json.loads(settings.read_text())["pebble"]
    secret = base64.urlsafe_b64encode(bytes(range(48))).decode()
    keys = {"externalAccountBindingRequired": True, "externalAccountMACKeys": {"kid-1": secret}}
    settings.write_text(json.dumps({"pebble": said | keys}))
    (tmp_path / "kid").write_text("kid-1\n")
    (tmp_path / "mac").write_text(f"{secret}\n")
    (tmp_path / "wrong").write_text("AAAA")
    bound = "  keytype RSA\n  eab-key-id {at}/kid\n  eab-mac-key {at}/{key}\n"
    config = authority.config(tmp_path)

    def run(key: str, name: str, traffic: Callable[[Lab], None]) -> None:
        text = config.replace("  keytype RSA\n", bound.format(at=tmp_path, key=key))
        text = text.replace("account.key\n  keytype", "bound.key\n  keytype")
        observe(both.candidate, tmp_path / name, text, traffic, preamble=authority.settings())

    def logged(lab: Lab, what: str) -> None:
        until(lambda: what in "\n".join(line.raw for line in lab.log.everything()), what)

    with authority.running():
        run("wrong", "refused", lambda lab: logged(lab, "split.pem` was not issued"))
        run("mac", "bound", lambda lab: until(lambda: issuer(lab, "c.test") == "pebble", "it is issued"))
