"""The commands by name: one small function each, registered where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from isthmus.records import dataclass
from isthmus.runtime.level import Level

if TYPE_CHECKING:
    from isthmus.runtime.instance import Instance
    from isthmus.runtime.session import Session


@dataclass(frozen=True, slots=True)
class Request:
    """One command as it was typed: the words behind its name, who asks, and of what.

    `payload` are the lines that follow a command which ends in `<<`.
    """

    arguments: tuple[str, ...]
    session: Session
    instance: Instance
    payload: tuple[str, ...] | None = None

    def argument(self, place: int) -> str:
        """Return an argument, empty if there is none."""
        return self.arguments[place] if place < len(self.arguments) else ""


Action = Callable[[Request], str]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, how its arguments are written, what it does, and who may."""

    name: str
    syntax: str
    about: str
    level: Level
    run: Action
    of_process: bool = False
    """Whether it is about the process or the connection itself, so that HAProxy's master has it too."""
    experimental: bool = False
    """Whether the connection has to be in `experimental-mode`."""

    @property
    def marks(self) -> tuple[str, ...]:
        """Who has the command, and in which mode, as `-dKcli` lists it."""
        who = ("MASTER", "WORKER") if self.of_process else ("WORKER",)
        return (*who, "EXPERIM") if self.experimental else who

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the name."""
        return tuple(self.name.split())

    @property
    def line(self) -> str:
        """The line of `help`."""
        return f"  {f'{self.name} {self.syntax}'.strip():<40}: {self.about}\n"


COMMANDS: dict[str, Command] = {}
"""Every command by name. Filled by `command`; read it, do not write to it."""
_ALWAYS = ("help", "prompt", "quit")
_OFFERED = 5
"""How many commands are offered in place of one that does not exist."""


def command(
    name: str,
    about: str,
    *,
    syntax: str = "",
    level: Level = Level.USER,
    of_process: bool = False,
    experimental: bool = False,
) -> Callable[[Action], Action]:
    """Register a function as a command; raises ValueError if the name is taken."""

    def register(run: Action) -> Action:
        if name in COMMANDS:
            raise ValueError(f"command {name!r} is registered twice")
        COMMANDS[name] = Command(name, syntax, about, level, run, of_process, experimental)
        return run

    return register


def find(words: Sequence[str]) -> Command | None:
    """Return the command that some words begin with, the one of the longest name."""
    for length in range(len(words), 0, -1):
        found = COMMANDS.get(" ".join(words[:length]))
        if found is not None:
            return found
    return None


def help_text(words: Sequence[str], level: Level) -> str:
    """Return the answer of `help`: every command, or those that some words begin."""
    commands = tuple(_beginning(words)) or tuple(_near(words)) if words else tuple(_sorted(COMMANDS.values()))
    return "The following commands are valid at this level:\n" + _lines(commands, level)


def unknown_text(words: Sequence[str], level: Level) -> str:
    """Return what is said to words that are no command: the nearest ones, to no words all of them."""
    if not words:
        everything = _lines(tuple(_sorted(COMMANDS.values())), level)
        return "Unknown command. Please enter one of the following commands only:\n" + everything
    near = tuple(_beginning(words)) or tuple(_near(words))
    return "Unknown command, but maybe one of the following ones is a better match:\n" + _lines(near, level)


def _lines(commands: Sequence[Command], level: Level) -> str:
    shown = [each for each in commands if each.name not in _ALWAYS and each.level <= level]
    return "".join(each.line for each in (*shown, *(COMMANDS[name] for name in _ALWAYS)))


def _beginning(words: Sequence[str]) -> Iterable[Command]:
    """Return the commands whose names begin with these words."""
    return _sorted(each for each in COMMANDS.values() if words and each.words[: len(words)] == tuple(words))


def _near(words: Sequence[str]) -> Iterable[Command]:
    """Return the commands whose names are nearest to these words."""
    said = " ".join(words[:3])[:100]
    return (COMMANDS[name] for name in get_close_matches(said, COMMANDS, n=_OFFERED, cutoff=0.0))


def _sorted(commands: Iterable[Command]) -> Iterable[Command]:
    return sorted(commands, key=lambda each: each.name)
