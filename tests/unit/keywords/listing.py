"""Lists of `-dK` taken apart: what is listed under which head and section, and by which name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from isthmus import keywords
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.runtime import commands as _registered  # noqa: F401  (importing them registers them)
from isthmus.runtime.registry import COMMANDS

_MARKS = re.compile(r"( \+-?[0-9]|( \[[^]]*\])+ ?|\*)$")
CONFIGURATION, CLI, FILTERS = "configuration", "CLI", "filter"


@dataclass(frozen=True)
class Listed:
    """One line of a list. `name` is the line without the marks behind it."""

    kind: str
    section: str
    line: str

    @property
    def name(self) -> str:
        return _MARKS.sub("", self.line).strip()

    @property
    def marks(self) -> str:
        """What stands behind the name."""
        return self.line.strip()[len(self.name) :].strip()


def read(text: str) -> list[Listed]:
    """Take a list apart."""
    found: list[Listed] = []
    kind = section = ""
    for line in text.splitlines():
        if line.startswith("# List of registered "):
            kind, section = line.split()[4], ""
        elif kind == CONFIGURATION and not line.startswith("\t"):
            section = line
        else:
            found.append(Listed(kind, section, line))
    return found


def ours() -> list[Listed]:
    """What is listed here."""
    commands = [(each.name, each.marks) for each in COMMANDS.values()]
    return read(keywords.dump("cfg,cli,flt,svc", Vocabulary({}, {}, {}, frozenset()), commands))


def haproxys() -> list[Listed]:
    """What HAProxy 3.5 lists."""
    return read((Path(__file__).parent / "haproxy-3.5-listing.txt").read_text("ascii"))
