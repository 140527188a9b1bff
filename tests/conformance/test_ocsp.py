"""OCSP responses: asked for at openssl's responder, set over the stats socket, and stapled."""

from __future__ import annotations

import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .lab import PREAMBLE, Both, Lab, observe
from .ports import Ledger
from .tls_paper import Paper

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
PATIENCE = 30
CONFIG = """
frontend f
  bind 127.0.0.1:<front> ssl crt {at}/site.pem {more}
  default_backend b
backend b
  server a <a>
"""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that is done beside the traffic."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.1)


class Site(Paper):
    """A certificate whose responder listens on a port of ours."""

    port: int

    def make(self, port: int) -> None:
        """Make the certificate, its chain, and what the responder knows of it."""
        object.__setattr__(self, "port", port)
        self.authority("ca", "/CN=CA")
        self.authority("other", "/CN=Other")
        access = f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/ocsp"
        self.issued("leaf", "ca", "/CN=a.test", extensions=access)
        parts = ("leaf.crt", "ca.crt", "leaf.key")
        (self.folder / "site.pem").write_text("".join((self.folder / each).read_text() for each in parts))
        self.status("V")

    def status(self, letter: str) -> None:
        """Say whether the certificate is good (`V`) or revoked (`R`)."""
        run = subprocess.run(
            [str(OPENSSL), "x509", "-in", self["leaf.crt"], "-noout", "-serial"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        serial = run.stdout.strip().partition("=")[2]
        when = "260101000000Z" if letter == "R" else ""
        (self.folder / "index").write_text(
            f"{letter}\t400101000000Z\t{when}\t{serial}\tunknown\t/CN=a.test\n"
        )

    def response(self, signer: str = "ca") -> bytes:
        """A response that nobody asked a responder for."""
        signs = ("-rsigner", f"{signer}.crt", "-rkey", f"{signer}.key", "-CA", "ca.crt", "-ndays", "1")
        self.run("ocsp", "-issuer", "ca.crt", "-cert", "leaf.crt", "-reqout", "request", "-no_nonce")
        self.run("ocsp", "-index", "index", "-reqin", "request", "-respout", "response", *signs)
        return (self.folder / "response").read_bytes()

    @contextmanager
    def responder(self, signer: str = "ca") -> Iterator[None]:
        """Run openssl's responder."""
        signs = ("-rsigner", f"{signer}.crt", "-rkey", f"{signer}.key", "-CA", "ca.crt", "-ndays", "1")
        words = [str(OPENSSL), "ocsp", "-index", "index", "-port", str(self.port), *signs, "-text"]
        with (self.folder / "responder.log").open("w") as log:
            process = subprocess.Popen(words, cwd=self.folder, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait(10)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "pki"
    folder.mkdir()
    ports = Ledger()
    made = Site(folder)
    made.make(ports.take())
    yield made
    ports.close()


def stapled(lab: Lab) -> str:
    """The status of the response that a client is shown, empty without one."""
    words = [str(OPENSSL), "s_client", "-connect", f"127.0.0.1:{lab.ports['front']}", "-status"]
    run = subprocess.run(words, input="", capture_output=True, text=True, check=False, timeout=30)
    found = [line.strip() for line in run.stdout.splitlines() if "Cert Status" in line]
    return found[0] if found else ""


def play(both: Both, site: Site, tmp_path: Path, traffic: Callable[[Lab], object]) -> str:
    settings = "\nglobal\n  ocsp-update.mode on\n  ocsp-update.mindelay 1\n  ocsp-update.maxdelay 2\n"
    seen = observe(
        both.candidate,
        tmp_path / "run",
        CONFIG.format(at=site.folder, more=""),
        traffic,
        preamble=PREAMBLE.replace("\nglobal\n", settings),
    )
    return "\n".join(line.raw for line in seen.logs)


def test_responses_are_fetched_stapled_and_fetched_again(both: Both, site: Site, tmp_path: Path) -> None:
    name = site["site.pem"]

    def traffic(lab: Lab) -> None:
        def counts() -> list[str]:
            row = lab.command("show ssl ocsp-updates").splitlines()[1].split(" | ")
            assert row[1] == name
            return row[4:]

        assert stapled(lab) == ""
        until(lambda: counts()[1] != "0", "nobody answers yet")
        with site.responder():
            assert lab.command(f"update ssl ocsp-response {name}") == "\n"
            until(lambda: stapled(lab) == "Cert Status: good", "the response is stapled")
            until(lambda: int(counts()[0]) > 1, "it is asked for again")
        assert counts()[2:] == ["1", "Update successful"]
        assert "Cert Status: good" in lab.command(f"show ssl ocsp-response {name}")

    log = play(both, site, tmp_path, traffic)
    assert "has a new response" in log
    assert "cannot be asked" in log


@pytest.mark.parametrize(
    ("signer", "status", "said"),
    [("other", "V", "nobody has signed it who may"), ("ca", "R", "the certificate is revoked")],
)
def test_a_response_that_is_not_to_be_believed_is_not_stapled(
    signer: str, status: str, said: str, both: Both, site: Site, tmp_path: Path
) -> None:
    site.status(status)

    def traffic(lab: Lab) -> None:
        until(lambda: said in lab.command("show ssl ocsp-updates"), said)
        assert stapled(lab) == ""

    with site.responder(signer):
        play(both, site, tmp_path, traffic)


def test_operators_set_and_see_responses_as_with_haproxy(both: Both, site: Site) -> None:
    (site.folder / "site.pem.ocsp").write_bytes(site.response())
    strange = b64encode(site.response("other")).decode()
    fresh = b64encode(site.response()).decode()
    rows = (
        "show ssl ocsp-response",
        f"set ssl ocsp-response {fresh}",
        f"set ssl ocsp-response <<\n{fresh}\n",
        "show ssl ocsp-response",
        "set ssl ocsp-response",
        "set ssl ocsp-response AAAA",
        "set ssl ocsp-response !!",
        "show ssl ocsp-response aaaa",
        f"show ssl cert {site['site.pem']}",
    )

    def traffic(lab: Lab) -> list[object]:
        # HAProxy 2.6 does not tell whose response it is.
        answers = [lab.command(row).split("\n") for row in rows]
        return [[line for line in each if "Certificate path" not in line] for each in answers]

    def refused(lab: Lab) -> object:
        return "pdated" in lab.command(f"set ssl ocsp-response {strange}"), stapled(lab)

    config = CONFIG.format(at=site.folder, more="")
    both(config, traffic, logged=False)
    # HAProxy does not look at who has signed it.
    expected, got = both.apart(config, refused)
    assert (expected.value[0], got.value) == (True, (False, "Cert Status: good"))
