"""The examples of the network builder: right, drawn as they are, and explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from isthmus.config import Diagnostics
from isthmus.network.command import main
from isthmus.network.document import json_schema, read
from isthmus.network.document.composing import compose
from isthmus.network.document.nodes import plain
from isthmus.network.document.report import Report

EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = sorted(EXAMPLES.glob("*/*.yaml"))
# A part that others include is right in their company alone.
WHOLE = [file for file in FILES if not any(f"include: [{file.name}]" in each.read_text() for each in FILES)]
FOLDERS = sorted(each.parent for each in EXAMPLES.glob("*/network.yaml"))


def identity(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def value_of(file: Path) -> Any:
    node = compose(str(file), file.read_text(), Report())
    assert node is not None
    return plain(node)


@pytest.mark.parametrize("file", WHOLE, ids=identity)
def test_an_example_is_read_without_a_diagnostic(file: Path):
    diagnostics = Diagnostics()
    network = read(file, diagnostics)
    assert diagnostics.render() == ""
    assert network is not None
    assert network.name == file.parent.name


@pytest.mark.parametrize("file", FILES, ids=identity)
def test_the_schema_accepts_an_example(file: Path):
    found = Draft202012Validator(json_schema()).iter_errors(value_of(file))
    assert [f"{each.json_path}: {each.message[:200]}" for each in found] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=identity)
def test_the_picture_shows_the_example_as_it_is_now(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["show", "--wanted", "--format", "svg", str(folder / "network.yaml")]) == 0
    assert (folder / "picture.svg").read_text() == capsys.readouterr().out, (
        f"isthmus net show --wanted --format svg {folder}/network.yaml >{folder}/picture.svg"
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=identity)
def test_an_example_is_explained_with_its_picture_and_its_commands(folder: Path):
    told = (folder / "README.md").read_text()
    assert "(picture.svg)" in told
    for command in ("apply", "check", "down"):
        file = rf"(examples/{folder.name}/)?network(-\w+)?\.yaml"
        assert re.search(rf"isthmus net {command} (--\w+ )?{file}", told), f"{command} is not told of"
    assert f"({folder.name}/README.md)" in (EXAMPLES / "README.md").read_text()
