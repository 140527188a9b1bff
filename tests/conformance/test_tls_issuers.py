"""Chains that complete certificates (`issuers-chain-path`), and roots that are kept back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .http_lab import PREAMBLE
from .lab import Both, Lab
from .sink import Line
from .tls_paper import Paper

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

IDENTIFIED = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
AUTHORITY = f"{IDENTIFIED}\nbasicConstraints=critical,CA:TRUE"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    """A leaf below two authorities; others that are the root's, its own, or complete already."""
    paper = Paper(tmp_path_factory.mktemp("tls"))
    paper.authority("root", "/CN=root")
    for name, by, extensions in (
        ("top", "root", AUTHORITY),
        ("inter", "top", AUTHORITY),
        ("leaf", "inter", IDENTIFIED),
        ("roots", "root", IDENTIFIED),
    ):
        paper.issued(name, by, f"/CN={name}", extensions=extensions)
    paper.authority("own", "/CN=own")
    text = {name: Path(paper[f"{name}.crt"]).read_text() for name in ("root", "top", "inter", "leaf")}
    leaf_key = Path(paper["leaf.key"]).read_text()
    Path(paper["full.pem"]).write_text(text["leaf"] + text["inter"] + leaf_key)
    Path(paper["whole.pem"]).write_text("".join(text[n] for n in ("leaf", "inter", "top", "root")) + leaf_key)
    chains = paper.folder / "chains"
    chains.mkdir()
    (chains / "a.pem").write_text(text["inter"] + text["top"])
    (chains / "root").write_text(text["root"])
    (chains / "own.pem").write_text(Path(paper["own.crt"]).read_text())
    (chains / "words.txt").write_text("No chain.")
    return paper


LINES = ("leaf", "full", "roots", "own", "whole")


def settings(paper: Paper, more: str = "") -> str:
    said = f"\nglobal\n  issuers-chain-path {paper.folder}/chains\n{more}"
    return PREAMBLE.replace("\nglobal\n", said)


def config(paper: Paper) -> str:
    binds = "".join(f"  bind 127.0.0.1:<{name}> ssl crt {paper[f'{name}.pem']}\n" for name in LINES)
    return f"frontend f\n{binds}  http-request return status 200\n"


def shown(lab: Lab, line: str) -> list[str]:
    """The names of the certificates that a client is shown."""
    words = ("openssl", "s_client", "-connect", f"127.0.0.1:{lab.ports[line]}", "-showcerts")
    said = subprocess.run(words, input=b"", capture_output=True, timeout=30, check=False).stdout.decode()
    return [row.split("CN = ")[1] for row in said.splitlines() if row.strip()[1:4] == " s:"]


def nothing(line: Line) -> str:
    return ""


def test_a_certificate_without_a_chain_gets_that_of_its_issuer(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> dict[str, list[str]]:
        return {line: shown(lab, line) for line in LINES}

    seen = both(config(paper), traffic, preamble=settings(paper), origins={}, normal=nothing).value
    assert seen["leaf"] == ["leaf", "inter", "top"]
    assert seen["full"] == ["leaf", "inter"]


def test_a_root_at_the_end_of_a_chain_is_kept_back(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> dict[str, list[str]]:
        return {line: shown(lab, line) for line in LINES}

    own = settings(paper, "  ssl-skip-self-issued-ca\n")
    seen = both(config(paper), traffic, preamble=own, origins={}, normal=nothing).value
    assert seen["whole"] == ["leaf", "inter", "top"]
    assert seen["roots"] == ["roots"]


def test_what_replaces_a_certificate_is_completed_too(both: Both, paper: Paper) -> None:
    def traffic(lab: Lab) -> list[str]:
        name = paper["full.pem"]
        lab.command(f"set ssl cert {name} <<\n{Path(paper['leaf.pem']).read_text()}\n")
        lab.command(f"commit ssl cert {name}")
        return shown(lab, "full")

    text = settings(paper, "  stats socket <stats> level admin\n")
    seen = both(config(paper), traffic, preamble=text, origins={}, normal=nothing).value
    assert seen == ["leaf", "inter", "top"]
