"""Stats sockets in every address form, each with every level, and who owns their files."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from pathlib import Path

import pytest

from .lab import PREAMBLE, Both, Lab
from .proxy import asked
from .wire import End, dial, dial_unix

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
LEVELS = ("user", "operator", "admin")
SOCKETS = "\n".join(
    f"""  stats socket <dir>/{level}.sock level {level}
  stats socket 127.0.0.1:<tcp_{level}> level {level}
  stats socket abns@isthmus-stats-<tcp_{level}> level {level}
  stats socket fd@<{level}_fd> level {level}"""
    for level in LEVELS
)
SITE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server a <a>
"""
# What a user, an operator and an admin may do, one command for each.
COMMANDS = ("show cli level", "show sess", "set weight b/a 7", "disable server b/a", "get weight b/a")


def dialled(lab: Lab, level: str) -> list[End]:
    """A connection to the level's socket of each address form."""
    abstract = socket.socket(socket.AF_UNIX)
    # HAProxy fills an abstract name up with zero bytes.
    abstract.connect(f"\0isthmus-stats-{lab.ports[f'tcp_{level}']}".encode().ljust(108, b"\0"))
    return [
        dial_unix(str(lab.folder / f"{level}.sock")),
        dial(("127.0.0.1", lab.ports[f"tcp_{level}"])),
        End(abstract),
        dial(("127.0.0.1", lab.ports[level])),
    ]


def may(lab: Lab, level: str, command: str) -> set[str]:
    """What the level's four sockets answer to a command, as far as the first words."""
    return {asked(end, command).split("(")[0].split("0x")[0].strip()[:30] for end in dialled(lab, level)}


def test_a_level_holds_on_every_form_of_socket(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return {(level, command): may(lab, level, command) for command in COMMANDS for level in LEVELS}

    preamble = PREAMBLE.replace("  stats socket <stats> level admin\n", SOCKETS + "\n")
    seen = both(SITE, traffic, preamble=preamble, logged=False)
    for level in LEVELS:
        assert seen.value[level, "show cli level"] == {level}
    assert seen.value["user", "set weight b/a 7"] == seen.value["operator", "set weight b/a 7"]
    assert seen.value["operator", "set weight b/a 7"] == {"Permission denied"}
    assert seen.value["admin", "set weight b/a 7"] == {""}


def owner(path: Path) -> tuple[int, int, str]:
    found = path.stat()
    return found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)


@AS_ROOT
@pytest.mark.parametrize("line", ["stats socket", "bind"])
def test_a_unix_sockets_file_has_the_owner_and_mode_of_its_line(both: Both, line: str) -> None:
    user, group = pwd.getpwuid(1).pw_name, grp.getgrgid(2).gr_name
    options = {
        "numbers": "uid 12 gid 13 mode 604",
        "names": f"user {user} group {group} mode 666",
        "one": "uid 14",
        "none": "mode 600",
    }
    lines = "\n".join(f"  {line} <dir>/{name}.sock {words}" for name, words in options.items()) + "\n"

    def traffic(lab: Lab) -> object:
        found = {name: owner(lab.folder / f"{name}.sock") for name in options}
        # What is left of the mode where a line says none is the umask's.
        return {**found, "one": found["one"][:2]}

    preamble = PREAMBLE.replace("defaults\n", lines + "defaults\n") if line != "bind" else PREAMBLE
    site = SITE.replace("  default_backend", lines + "  default_backend") if line == "bind" else SITE
    seen = both(site, traffic, preamble=preamble)
    assert seen.value == {
        "numbers": (12, 13, "0o604"),
        "names": (1, 2, "0o666"),
        "one": (
            14,
            os.getegid(),
        ),
        "none": (os.geteuid(), os.getegid(), "0o600"),
    }
