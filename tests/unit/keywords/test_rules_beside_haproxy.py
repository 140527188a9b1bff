"""Every line of the tables in tests/configs/rules, read by Isthmus and, if there is one, by HAProxy.

The columns are HAProxy 2.6's verdict (accept, warn or reject), Isthmus's, the section that the line is put
into (Global, Frontend, Backend, Listen), the line (`\\n` begins another one), and why the verdicts differ.
"""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from http_words import FILES
from paper import messages

FOLDER = Path(__file__).parents[2] / "configs" / "rules"
TABLES = {"tcp": FOLDER / "lines.tsv", "http": FOLDER / "http.tsv"}
"""A table for each mode."""
HAPROXY = shutil.which("haproxy")


class Row(NamedTuple):
    mode: str
    haproxy: str
    isthmus: str
    section: str
    line: str
    note: str = ""


ROWS = [
    Row(mode, *text.split("\t"))
    for mode, table in TABLES.items()
    for text in table.read_text().splitlines()
    if not text.startswith("#")
]


def configuration(row: Row) -> str:
    """A small configuration with the row's line where it belongs."""
    places = dict.fromkeys("GFBL", "")
    places[row.section] = row.line.replace("\\n", "\n ")
    return (
        f"global\n {places['G']}\n"
        f"defaults\n mode {row.mode}\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
        f"frontend f\n bind 127.0.0.1:33999\n {places['F']}\n default_backend b\n"
        f"backend b\n {places['B']}\n server s1 127.0.0.1:80\n"
        f"listen l\n bind 127.0.0.1:33998\n {places['L']}\n server s1 127.0.0.1:80\n"
    )


def verdict_of_isthmus(text: str) -> str:
    kinds = {code[0] for code, _ in messages(text)}
    return "reject" if "E" in kinds else "warn" if "W" in kinds else "accept"


def verdict_of_haproxy(text: str, folder: Path) -> str:
    file = folder / "haproxy.cfg"
    file.write_text(text)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    run = subprocess.run([HAPROXY, "-c", "-f", file], cwd=folder, capture_output=True, text=True, check=False)
    return "reject" if run.returncode else "warn" if "[WARNING]" in run.stderr else "accept"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.mode} {row.section}: {row.line}")
def test_isthmus_takes_and_refuses_what_the_table_says(row):
    assert verdict_of_isthmus(configuration(row)) == row.isthmus


def test_verdicts_differ_only_where_the_table_says_why():
    assert [row.line for row in ROWS if (row.haproxy != row.isthmus) != bool(row.note)] == []


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_the_table_is_true_of_haproxy(tmp_path):
    version = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, check=True).stdout
    if "HAProxy version 2.6" not in version:
        pytest.skip(f"the table is of HAProxy 2.6, and this is {version.splitlines()[0]}")
    wrong = [row for row in ROWS if verdict_of_haproxy(configuration(row), tmp_path) != row.haproxy]
    assert wrong == []
