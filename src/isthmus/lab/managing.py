"""`isthmus lab status`, `enter` and `stop`: what is asked of the lasting lab at the command line.

Marks of networks are read by a function that is handed in: netlink is the network builder's.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Never

import msgspec

from isthmus.lab.contents import Found, find_space, found_namespaces
from isthmus.lab.errors import LabError
from isthmus.lab.holder import Lab, enter_lab, find_lab, running_lab
from isthmus.lab.isolation import rootless_wanted
from isthmus.lab.members import Member, end_members, members
from isthmus.network.entering import EnteringError, become
from isthmus.network.model import HOST

Owners = Callable[[Sequence[Found]], Mapping[str, str]]
"""Says which network owns a namespace, by full name; called inside the lab. Unowned ones are left out."""

_HOLDER_SECONDS = 5.0

_FOLDERS_OF_ROOT = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# Bash runs this before its first prompt, after its own files have set one.
_HINT = 'PS1="(lab {name}) $PS1"; unset PROMPT_COMMAND'


class NamespaceStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A namespace of the lab; `network` is missing where none owns it."""

    name: str
    network: str = ""


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """The object that `lab status --json` prints; the rest is missing where no lab runs."""

    running: bool
    process: int = 0
    since: float = 0.0
    namespaces: tuple[NamespaceStatus, ...] = ()
    networks: tuple[str, ...] = ()
    processes: int = 0


def kept_owners(every: Sequence[Found]) -> dict[str, str]:
    """Say which network owns a namespace as far as the place tells where it is kept."""
    return {each.full_name: each.network for each in every if each.network is not None}


def status_of_lab(owners: Owners = kept_owners) -> Status:
    """Describe the caller's lab. The calling process is in it afterwards, if there is one."""
    lab = find_lab()
    if lab is None:
        return Status(running=False)
    since = lab.since()
    enter_lab(lab)
    every = found_namespaces()
    owned = owners(every)
    listed = tuple(NamespaceStatus(each.full_name, owned.get(each.full_name, "")) for each in every)
    networks = tuple(sorted({each.network for each in listed if each.network}))
    inside = _open_inside(lab)
    try:
        others = [each for each in members(inside) if each.process not in (lab.holder, os.getpid())]
    finally:
        os.close(inside)
    return Status(True, lab.holder, since, listed, networks, len(others))


def describe(status: Status) -> str:
    """Tell a status in lines for people."""
    if not status.running:
        return "no lab is running"
    began = datetime.fromtimestamp(status.since).astimezone()
    width = max((len(each.name) for each in status.namespaces), default=0)
    return "\n".join(
        [
            f"the lab runs: held by process {status.process} since {began:%Y-%m-%d %H:%M:%S}",
            f"networks: {', '.join(status.networks) or 'none'}",
            "namespaces:",
            *(f"  {each.name:{width}}  {each.network}".rstrip() for each in status.namespaces),
            f"processes inside: {status.processes}",
        ]
    )


def enter(name: str | None, command: Sequence[str], *, rootless: bool) -> Never:
    """Become a command, or the user's shell, in a namespace: the host's stand-in where none is named.

    As root the machine's own namespaces are meant, unless `rootless`. LabError where no lab runs, or
    where there is no such namespace.
    """
    if rootless_wanted(rootless, os.geteuid()):
        enter_lab(running_lab())
    space = find_space(name or HOST)
    hints = {"ISTHMUS_LAB": space.name, "PATH": _path_of_root(os.environ.get("PATH", os.defpath))}
    if not command:
        command = [os.environ.get("SHELL") or "/bin/sh"]
        hints |= {"PROMPT_COMMAND": _HINT.format(name=space.name), "PS1": f"(lab {space.name}) # "}
    try:
        become(space, command, hints)
    except EnteringError as error:
        raise LabError(str(error)) from error


def _path_of_root(path: str) -> str:
    """Let an ordinary user, who is root inside, find what only root has a use for: ip, nft."""
    folders = path.split(os.pathsep)
    return os.pathsep.join([*folders, *(each for each in _FOLDERS_OF_ROOT if each not in folders)])


def stop_lab() -> tuple[Member, ...] | None:
    """End the caller's lab with all that is inside; return what ended, None where there was no lab.

    A caller who is inside is spared, and keeps what is left of the lab until it ends. LabError where a
    process does not end.
    """
    lab = find_lab()
    if lab is None:
        return None
    inside = _open_inside(lab)
    try:
        ended = end_members(inside, spared=(lab.holder, os.getpid()))
    finally:
        os.close(inside)
    _end_holder(lab)
    return ended


def _end_holder(lab: Lab) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        # The descriptor means this process, even if its number is another's by now.
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(lab.lifeline, number)
        if select.select([lab.lifeline], [], [], _HOLDER_SECONDS)[0]:
            return
    raise LabError(f"the lab's holder, process {lab.holder}, does not end")


def _open_inside(lab: Lab) -> int:
    try:
        return os.open(f"/proc/{lab.holder}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise LabError("the lab has ended meanwhile") from error
