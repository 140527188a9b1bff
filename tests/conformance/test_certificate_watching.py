"""Files of TLS that change while they are watched: what handshakes show, and what the log says of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .lab import PREAMBLE, Both, Lab, observe
from .test_tls_runtime import connected, pki, shown
from .tls_paper import Paper

__all__ = ["pki"]
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
WATCHING = PREAMBLE.replace("\nglobal\n", "\nglobal\n  tune.ssl.watch-certificates 100ms\n")
CONFIG = """
frontend f
  bind 127.0.0.1:<front> ssl crt {at}/site.pem crt {at}/folder crt {at}/mounted/tls.crt crt-list {at}/list
  default_backend b
frontend clients
  bind 127.0.0.1:<clients> ssl crt {at}/site.pem ca-file {at}/ca.crt verify required
  default_backend b
backend b
  server a <a>
"""
PATIENCE = 20


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that a look at the files brings about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.1)


def put(source: Path, target: Path) -> None:
    """Replace a file as programs that renew certificates do: at once."""
    fresh = target.with_name(f".{target.name}.new")
    shutil.copy(source, fresh)
    fresh.rename(target)


def mounted(at: Path, paper: Paper, name: str) -> None:
    """Lay a volume of Kubernetes: files are links into a folder, and the link to that folder is replaced."""
    folder = at / "mounted"
    data = folder / f"..{name}"
    data.mkdir(parents=True)
    shutil.copy(paper.folder / f"{name}.crt", data / "tls.crt")
    shutil.copy(paper.folder / f"{name}.key", data / "tls.crt.key")
    os.symlink(data.name, folder / "..data.new")
    os.rename(folder / "..data.new", folder / "..data")
    for file in ("tls.crt", "tls.crt.key"):
        if not (folder / file).is_symlink():
            os.symlink(f"..data/{file}", folder / file)


@pytest.fixture
def site(pki: Paper, tmp_path: Path) -> Path:
    shutil.copy(pki.folder / "a.pem", tmp_path / "site.pem")
    shutil.copy(pki.folder / "ca.crt", tmp_path / "ca.crt")
    (tmp_path / "folder").mkdir()
    shutil.copy(pki.folder / "b.pem", tmp_path / "folder" / "b.pem")
    (tmp_path / "list").write_text(f"{pki.folder}/e.pem\n")
    mounted(tmp_path, pki, "c")
    return tmp_path


def play(both: Both, site: Path, tmp_path: Path, traffic: Callable[[Lab], object]) -> str:
    """Run traffic through our proxy; return what the log says of certificates."""
    seen = observe(both.candidate, tmp_path / "run", CONFIG.format(at=site), traffic, preamble=WATCHING)
    return "\n".join(line.raw for line in seen.logs)


def test_files_that_change_are_shown_and_broken_ones_leave_what_ran(
    both: Both, pki: Paper, site: Path, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        def shows(name: str, file: str) -> None:
            until(lambda: shown(lab, name, pki) == file, f"{name} is shown {file}")

        def said(what: str) -> None:
            until(lambda: what in "\n".join(line.raw for line in lab.log.everything()), what)

        assert [shown(lab, f"{each}.test", pki) for each in "abcde"] == ["a", "b", "c", "a", "e"]
        standing = connected(lab, "a.test")
        put(pki.folder / "other-a.pem", site / "site.pem")
        shows("a.test", "other-a")
        # What does not fit, or is no certificate, or is gone, changes nothing.
        put(pki.folder / "wrong.pem", site / "site.pem")
        said(f"The certificate `{site}/site.pem` has changed and is not used: the private key of")
        (site / "site.pem").write_text("half of it")
        said("it holds no CERTIFICATE block")
        (site / "site.pem").unlink()
        said(f"certificate `{site}/site.pem` does not exist; what ran before stays")
        assert shown(lab, "a.test", pki) == "other-a"
        put(pki.folder / "a.pem", site / "site.pem")
        shows("a.test", "a")
        assert standing.recv(5)
        standing.close()

    log = play(both, site, tmp_path, traffic)
    assert log.count("is not used") == 3


def test_files_appear_in_a_folder_vanish_from_it_and_move_behind_links(
    both: Both, pki: Paper, site: Path, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        def shows(name: str, file: str) -> None:
            until(lambda: shown(lab, name, pki) == file, f"{name} is shown {file}")

        put(pki.folder / "d.pem", site / "folder" / "d.pem")
        shows("d.test", "d")
        # A certificate whose key is not there yet waits for it.
        put(pki.folder / "f.crt", site / "folder" / "f.pem")
        until(lambda: "has no private key" in "\n".join(e.raw for e in lab.log.everything()), "no key")
        put(pki.folder / "f.key", site / "folder" / "f.pem.key")
        shows("f.test", "f")
        (site / "folder" / "d.pem").unlink()
        shows("d.test", "a")
        assert f"{site}/folder/d.pem" not in lab.command("show ssl cert")
        mounted(site, pki, "d")
        shows("d.test", "d")
        (site / "list").write_text(f"{pki.folder}/e.pem [verify none] *.list.test\n")
        shows("www.list.test", "e")
        put(pki.folder / "ca2.crt", site / "ca.crt")
        until(lambda: "/CN=CA2" in lab.command(f"show ssl ca-file {site}/ca.crt"), "the other authority")

    play(both, site, tmp_path, traffic)


def test_what_operators_commit_stays_until_the_file_changes(
    both: Both, pki: Paper, site: Path, tmp_path: Path
) -> None:
    def traffic(lab: Lab) -> None:
        payload = (pki.folder / "other-a.pem").read_text().strip()
        lab.command(f"set ssl cert {site}/site.pem <<\n{payload}\n")
        assert "Success!" in lab.command(f"commit ssl cert {site}/site.pem")
        put(pki.folder / "d.pem", site / "folder" / "d.pem")
        until(lambda: shown(lab, "d.test", pki) == "d", "the folder was looked at")
        assert shown(lab, "a.test", pki) == "other-a"
        put(pki.folder / "a.pem", site / "site.pem")
        until(lambda: shown(lab, "a.test", pki) == "a", "the file was read")

    play(both, site, tmp_path, traffic)
