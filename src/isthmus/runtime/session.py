"""One operator's connection as a state machine: lines in, answers out. Holds no socket."""

from __future__ import annotations

import re
import time

from isthmus.records import dataclass, field
from isthmus.runtime import commands as _registered  # noqa: F401  (importing them registers them)
from isthmus.runtime.instance import BriefCommandError, CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.mode import Mode
from isthmus.runtime.registry import Request, find, unknown_text

EXPERIMENTAL = "experimental-mode"
"""The mode in which commands run that may change."""
_TOO_LONG = "The payload is longer than tune.cli.max-payload-size.\n\n"
_PAYLOAD = re.compile(r"\s<<(\S*)\s*\Z")
"""The end of a line whose command has a payload, and the word that ends it."""


@dataclass(slots=True)
class _Unfinished:
    """A command whose payload has not come whole yet."""

    words: tuple[str, ...]
    end: str
    lines: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class Session:
    """One connection: what it may do, how it answers, and after how many seconds of silence it ends."""

    instance: Instance
    level: Level
    timeout: float
    mode: Mode = Mode.CLOSING
    timed: bool = False
    quitting: bool = False
    modes: set[str] = field(default_factory=set)
    """Those of `expert-mode` and `experimental-mode` that the connection is in."""
    _unfinished: _Unfinished | None = None

    def answer(self, line: str) -> str:
        """Carry out the commands of a line and return everything that is to be sent.

        A line that ends in `<<` has a payload: the lines that follow, up to an empty one or to the word
        that stands behind `<<`.
        """
        if self._unfinished is not None:
            return self._go_on(self._unfinished, line.rstrip("\r"))
        found = _PAYLOAD.search(line)
        if found:
            self._unfinished = _Unfinished(_words(line[: found.start()]), found[1])
            return self._prompt(more=True)
        answers: list[str] = []
        for text in _commands(line):
            words = _words(text)
            self.instance.requests += 1
            answer = self._run(words)
            if self.quitting:
                break
            answers.append(f"{answer}\n{self._prompt()}")
        return "".join(answers)

    @property
    def closing(self) -> bool:
        """Whether the connection is to be closed now that a line is answered."""
        return self.quitting or (self.mode is Mode.CLOSING and self._unfinished is None)

    def _go_on(self, unfinished: _Unfinished, line: str) -> str:
        """Take a line of a payload, or the end of it. One that is too long ends the connection."""
        if line != unfinished.end:
            unfinished.lines.append(line)
            unfinished.size += len(line) + 1
            if unfinished.size > self.instance.settings.payload:
                self.quitting = True
                return _TOO_LONG
            return self._prompt(more=True)
        self._unfinished = None
        self.instance.requests += 1
        return f"{self._run(unfinished.words, tuple(unfinished.lines))}\n{self._prompt()}"

    def _prompt(self, *, more: bool = False) -> str:
        if self.mode is not Mode.PROMPT:
            return ""
        if more:
            return "+ "
        if not self.timed:
            return "> "
        up = int(time.time() - self.instance.started)
        return f"[{up // 86400}:{up // 3600 % 24:02}:{up // 60 % 60:02}:{up % 60:02}]> "

    def _run(self, words: tuple[str, ...], payload: tuple[str, ...] | None = None) -> str:
        if not words and self.mode is not Mode.CLOSING:
            return ""
        found = find(words)
        if found is None:
            return unknown_text(words, self.level)
        if found.experimental and EXPERIMENTAL not in self.modes:
            return "This command is restricted to experimental mode only.\n"
        if self.level < found.level:
            return "Permission denied\n"
        try:
            return found.run(Request(words[len(found.words) :], self, self.instance, payload))
        except BriefCommandError as error:
            return str(error)
        except CommandError as error:
            return f"{error}\n"
        except UnicodeEncodeError as error:
            return f"`{error.object}` holds bytes that are no UTF-8.\n"


def _commands(line: str) -> list[str]:
    """Split a line at its semicolons; a backslash keeps one."""
    parts, current, escaped = [], "", False
    for character in line.rstrip("\r\n"):
        if character == ";" and not escaped:
            parts.append(current)
            current = ""
            continue
        escaped = character == "\\" and not escaped
        current += character
    return [*parts, current] if current.strip() or not parts else parts


def _words(text: str) -> tuple[str, ...]:
    """Split a command into words; a backslash takes away the meaning of the character behind it."""
    words: list[str] = []
    current: str | None = None
    characters = iter(text)
    for character in characters:
        if character in " \t":
            if current is not None:
                words.append(current)
            current = None
            continue
        current = (current or "") + (next(characters, "") if character == "\\" else character)
    return tuple(words if current is None else [*words, current])
