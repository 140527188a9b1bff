"""What reading configuration files gives: sections of lines, in order, and what was wrong.

The tree knows text only. A section's kind is one of the words the caller said begin sections;
what its header's further words mean (`from NAME`) is the caller's to say.
"""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.config.diagnostics import Diagnostic, Diagnostics, Severity
from isthmus.config.text import Line, Word
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its header line (kept whole) and the lines in it, in the order they were written."""

    header: Line
    lines: tuple[Line, ...]

    @property
    def kind(self) -> Word:
        """The word that begins the section: `global`, `frontend`, ..."""
        return self.header.words[0]

    @property
    def name(self) -> Word | None:
        """The second word of the header, if there is one."""
        return self.header.words[1] if len(self.header.words) > 1 else None

    @property
    def rest(self) -> tuple[Word, ...]:
        """The header's words behind the name (`from NAME` and whatever else was written)."""
        return self.header.words[2:]


@dataclass(frozen=True, slots=True)
class Tree:
    """Everything that was read.

    `sections` come in file order; `diagnostics` holds every message of the reading, and is the
    collector that later stages go on filling; `environment` is the environment after all
    `setenv`, `presetenv`, `unsetenv` and `resetenv` lines; `files` are the files read, in order
    (what HAPROXY_CFGFILES lists).
    """

    sections: tuple[Section, ...]
    diagnostics: Diagnostics
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The messages that keep this configuration from being used."""
        return tuple(each for each in self.diagnostics if each.severity is Severity.ALERT)
