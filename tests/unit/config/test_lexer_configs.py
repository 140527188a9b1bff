"""Whole files of tests/configs/lexer: what is accepted gives a tree, what is rejected gives messages.

Beside NAME.cfg stands NAME.expected: for `accept` the words of each line, quoted where needed, for
`reject` the messages as they are printed.
"""

from pathlib import Path

import pytest

from isthmus.config import Tree, quote, read

from .builders import FEATURES, SECTIONS

CONFIGS = Path(__file__).parents[2] / "configs" / "lexer"
ENVIRONMENT = {"SITE": "paris", "PORTS": "8080 8081  8082", "EMPTY": ""}


def read_config(path: Path, monkeypatch) -> Tree:
    monkeypatch.chdir(path.parent)
    return read([path.name], environment=ENVIRONMENT, features=FEATURES, sections=SECTIONS)


def listing(tree: Tree) -> str:
    lines = []
    for section in tree.sections:
        lines.append(" ".join(quote(word.text) for word in section.header.words))
        lines += [
            f"{line.line:>5}: " + " ".join(quote(word.text) for word in line.words) for line in section.lines
        ]
    return "".join(f"{line}\n" for line in lines)


def names(folder):
    return [pytest.param(path, id=path.stem) for path in sorted((CONFIGS / folder).glob("*.cfg"))]


@pytest.mark.parametrize("path", names("accept"))
def test_an_accepted_file_gives_its_tree(path, monkeypatch):
    tree = read_config(path, monkeypatch)
    assert tree.diagnostics.render() == ""
    assert listing(tree) == path.with_suffix(".expected").read_text()


@pytest.mark.parametrize("path", names("reject"))
def test_a_rejected_file_gives_all_its_messages(path, monkeypatch):
    tree = read_config(path, monkeypatch)
    assert tree.diagnostics.failed
    assert tree.diagnostics.render() == path.with_suffix(".expected").read_text()


def test_there_are_files_of_both_kinds():
    assert names("accept")
    assert names("reject")
