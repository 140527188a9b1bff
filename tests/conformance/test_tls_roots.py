"""`ssl_c_r_dn`, which came after HAProxy 2.6: the name of the authority that a client's chain ends with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .lab import Lab
from .test_tls_ignored import PREAMBLE
from .tls_paper import Paper

FETCHES = ("ssl_c_r_dn", "ssl_c_r_dn(CN)", "ssl_c_r_dn(,0,rfc2253)", "ssl_c_r_dn(O)")
ROOT = "/CN=root|root|CN=root|"
# Whose chain, and what a line that ignores everything tells of it.
ENDS = {
    "good": ROOT,
    "good with root": ROOT,
    "deep": ROOT,
    "strange chain behind": ROOT,
    "old root": "/CN=old root|old root|CN=old root|",
    # What is not believed comes from nobody.
    "old": "|||",
    "self": "|||",
    "stranger with root": "|||",
    "stranger without root": "|||",
    "inter wrongly signed": "|||",
    "revoked inter": "|||",
}


def config(files: dict[str, Path], paper: Paper) -> str:
    told = "|".join(f"%[{each}]" for each in FETCHES)
    answer = f'http-request return status 200 content-type text/plain lf-string "roots={told}"'
    believed = f"ssl crt {paper['site.pem']} ca-file {files['ca']} verify optional"
    ignoring = f"crl-file {files['lists']} ca-ignore-err all crt-ignore-err all"
    return f"""
frontend ignoring
  bind 127.0.0.1:<ignoring> {believed} {ignoring}
  {answer}
frontend resuming
  bind 127.0.0.1:<resuming> {believed}
  {answer}
"""


def told(lab: Lab, line: str, *options: str) -> str:
    words = ("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{lab.ports[line]}", *options)
    request = b"GET / HTTP/1.0\r\n\r\n"
    done = subprocess.run(words, input=request, capture_output=True, timeout=20, check=False)
    return done.stdout.decode().partition("roots=")[2]


def shows(chain: Path) -> tuple[str, ...]:
    return ("-cert", str(chain), "-key", str(chain), "-cert_chain", str(chain))


def test_the_authority_of_a_chain_that_is_believed_is_told(
    program: str, files: dict[str, Path], paper: Paper, tmp_path: Path
) -> None:
    lab = Lab(program, tmp_path / "lab", PREAMBLE + config(files, paper), {})
    try:
        seen = {name: told(lab, "ignoring", *shows(files[name])) for name in ENDS}
        seen["none"] = told(lab, "ignoring")
    finally:
        lab.close()
    assert seen == {**ENDS, "none": "|||"}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_it_is_told_of_a_session_that_goes_on(
    program: str, files: dict[str, Path], paper: Paper, tmp_path: Path, version: str
) -> None:
    lab = Lab(program, tmp_path / "lab", PREAMBLE + config(files, paper), {})
    kept = str(tmp_path / "session")
    try:
        own = (version, *shows(files["deep"]))
        seen = [told(lab, "resuming", *own, way, kept) for way in ("-sess_out", "-sess_in")]
    finally:
        lab.close()
    assert seen == [ROOT, ROOT]
