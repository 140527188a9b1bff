"""Every line of tests/configs/rules/tls.tsv, read by Isthmus and, if there is one, by HAProxy.

The columns are those of the other tables there; the files that lines name are made by `tls_certificates`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from paper import VOCABULARY, tree
from tls_certificates import OPENSSL, Maker

from isthmus.engine import check_tls
from isthmus.keywords import System, load
from isthmus.plan import build
from isthmus.process.certificates import check_certificates

TABLE = Path(__file__).parents[2] / "configs" / "rules" / "tls.tsv"
HAPROXY = shutil.which("haproxy")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


class Row(NamedTuple):
    haproxy: str
    isthmus: str
    section: str
    line: str
    note: str = ""


ROWS = [Row(*text.split("\t")) for text in TABLE.read_text().splitlines() if not text.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    Maker(made).make()
    return made


def configuration(row: Row) -> str:
    """A small configuration with the row's line where it belongs."""
    places = dict.fromkeys("GFB", "")
    places[row.section] = row.line.replace("\\n", "\n ")
    return (
        f"global\n {places['G']}\n"
        "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
        f"frontend f\n bind 127.0.0.1:33999\n {places['F']}\n default_backend b\n"
        f"backend b\n {places['B']}\n server s1 127.0.0.1:80\n"
    )


def verdict_of_isthmus(text: str) -> str:
    said, diagnostics = load(tree(text), VOCABULARY, System())
    if not diagnostics.failed:
        built = build(said, System(), diagnostics)
        check_certificates(built, check_tls)
    kinds = {each.code[0] for each in diagnostics}
    return "reject" if "E" in kinds else "warn" if "W" in kinds else "accept"


def verdict_of_haproxy(text: str, folder: Path) -> str:
    (folder / "haproxy.cfg").write_text(text)
    words = [str(HAPROXY), "-c", "-f", "haproxy.cfg"]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return "reject" if run.returncode else "warn" if "[WARNING]" in run.stderr else "accept"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.line}")
def test_isthmus_takes_and_refuses_what_the_table_says(
    row: Row, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert verdict_of_isthmus(configuration(row)) == row.isthmus


def test_verdicts_differ_only_where_the_table_says_why() -> None:
    assert [row.line for row in ROWS if (row.haproxy != row.isthmus) != bool(row.note)] == []


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_the_table_is_true_of_haproxy(folder: Path) -> None:
    version = subprocess.run([str(HAPROXY), "-v"], capture_output=True, text=True, check=True).stdout
    if "HAProxy version 2.6" not in version:
        pytest.skip(f"the table is of HAProxy 2.6, and this is {version.splitlines()[0]}")
    assert [row for row in ROWS if verdict_of_haproxy(configuration(row), folder) != row.haproxy] == []
