"""What holds for every example, whatever its network: plan, apply, apply again, check, show, down."""

from __future__ import annotations

import difflib
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .examples import Reader


@contextmanager
def holds_its_ground(reader: Reader, file: Path) -> Iterator[Callable[[], None]]:
    """Make an example's network; at the end take it down and find everything as it was.

    Gives a check that the network is what the file says, to be made again after it was changed and put back.
    """
    name, words = file.parent.name, str(file)
    reader.begin(file)
    before = reader.snapshot()
    planned = reader.net("plan", words).splitlines()
    assert planned[-1].startswith(f"{name}: ")
    # The lines of rulesets are behind their steps.
    steps = [each for each in planned[:-1] if not each.startswith("    ")]
    assert all(each.startswith("+ ") for each in steps)
    unchanged(before, reader.snapshot(), "a plan changes nothing")
    assert reader.net("apply", words).splitlines()[:-1] == steps

    def settled() -> None:
        assert reader.net("diff", words) == f"{name}: nothing to do\n"
        assert reader.writes("apply", words) == 0
        assert "all hold" in reader.net("check", words)

    settled()
    assert {each["ok"] for each in json.loads(reader.net("check", "--json", words))} == {True}
    drawn(reader, file)
    yield settled
    reader.net("down", words)
    unchanged(before, reader.snapshot(), "all is as it was")
    assert reader.net("down", words) == f"{name}: gone\n", "what is gone may be taken down again"
    assert f"{name}  " not in reader.net("show")


def unchanged(before: list[str], after: list[str], what: str) -> None:
    """Hold two snapshots to be equal, and show the lines that are not."""
    lines = [line for line in difflib.ndiff(before, after) if not line.startswith(" ")]
    assert before == after, "\n".join([what, *lines])


def drawn(reader: Reader, file: Path) -> None:
    """Show the network in every format; what was made looks like the picture beside the file."""
    name = file.parent.name
    assert reader.net("show", name).startswith(f"{name}  ")
    assert reader.net("show", "--ascii", name).isascii()
    described = json.loads(reader.net("show", "--format", "json", name))
    assert described["network"] == name
    assert described in json.loads(reader.net("show", "--format", "json")), "without a name: all there are"
    assert "flowchart" in reader.net("show", "--format", "mermaid", name)
    assert reader.net("show", "--format", "dot", name).startswith("graph ")
    picture = reader.net("show", "--format", "svg", str(file))
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert picture == file.with_name("picture.svg").read_text()
