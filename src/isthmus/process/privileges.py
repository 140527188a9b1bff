"""Giving up what only the start needed: chroot, group, user (manual 3.1).

It comes after everything that needs privileges: binding, entering namespaces, the pidfile. glibc
changes the identity of every thread of the process, the engine's among them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from isthmus.plan.built import Process
from isthmus.process.errors import StartError


def drop(settings: Process) -> None:
    """Enter the chroot and become the configured group and user. Raises StartError."""
    if settings.setcap and settings.uid:
        raise StartError("`setcap` is not implemented: it cannot keep capabilities behind `user` or `uid`")
    if settings.chroot is not None:
        _try(f"chroot to {settings.chroot}", lambda: _enter(settings.chroot or "/"))
    gid, uid = settings.gid, settings.uid
    if gid:
        if os.geteuid() == 0:
            _try("drop the supplementary groups", lambda: os.setgroups([gid]))
        _try(f"become group {gid}", lambda: os.setgid(gid))
    if uid:
        _try(f"become user {uid}", lambda: os.setuid(uid))


def _enter(directory: str) -> None:
    os.chroot(directory)
    os.chdir("/")


def _try(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except OSError as error:
        raise StartError(f"cannot {what}: {error.strerror}") from None
