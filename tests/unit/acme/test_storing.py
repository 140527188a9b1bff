"""Certificates and keys on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from isthmus.acme.storing import write_secret


def test_a_file_is_replaced_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "site.pem"
    file.write_text("before")
    file.chmod(0o644)
    with file.open() as reader:
        write_secret(str(file), b"after")
        assert reader.read() == "before"
    assert file.read_bytes() == b"after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "site.pem"
    os.symlink("real/site.pem", link)
    write_secret(str(link), b"new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "site.pem").read_bytes() == b"new"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "site.pem"
    folder.mkdir()
    with pytest.raises(OSError):
        write_secret(str(folder), b"new")
    assert list(tmp_path.iterdir()) == [folder]
