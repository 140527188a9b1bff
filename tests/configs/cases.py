"""The table of configurations: right ones and wrong ones, and what is said about each.

A `.cfg` file here holds cases between lines of dashes. A comment at the end of a line names the codes of
the messages about that line; a line of text above the first keyword says why Debian's HAProxy 2.6 judges
otherwise, where it does. Without a section `defaults` or `global` at its top, a case follows TIMEOUTS.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
TIMEOUTS = "defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
_CODES = re.compile(r"#((?: [EW]\d{4})+)$")
_DIFFERS = "# HAProxy differs: "


@dataclass(frozen=True)
class Case:
    """One configuration. `expected` counts each line's codes; `differs` is empty where HAProxy agrees."""

    name: str
    text: str
    expected: Counter[tuple[str, int]]
    differs: str

    @property
    def blamed(self) -> set[int]:
        """The lines with an error."""
        return {line for code, line in self.expected if code.startswith("E")}


def cases() -> list[Case]:
    """Every case of every file."""
    return [case for path in sorted(FOLDER.glob("*/*.cfg")) for case in _cases(path)]


def _cases(path: Path) -> list[Case]:
    found: list[Case] = []
    number = 1
    for part in path.read_text().split("----\n"):
        found.append(_case(f"{path.parent.name}/{path.stem}:{number}", part))
        number += part.count("\n") + 1
    return found


def _case(name: str, part: str) -> Case:
    differs = ""
    if part.startswith(_DIFFERS):
        first, _, part = part.partition("\n")
        differs = first.removeprefix(_DIFFERS)
    text = part if re.match(r"(defaults|global|namespace_list|#)", part) else TIMEOUTS + part
    expected = Counter(
        (code, number)
        for number, line in enumerate(text.splitlines(), 1)
        if (match := _CODES.search(line))
        for code in match[1].split()
    )
    return Case(name, text, expected, differs)
