"""Remembers which services ran their initialize hooks, beyond a supervisor that crashed.

The kernel cannot be asked that, so an empty-handed supervisor would initialize twice. A marker names
the namespace it holds for: where that was made anew, the network begins a new life.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from isthmus.network.services.paths import marker_folder, remove_tree

if TYPE_CHECKING:
    from isthmus.network.services.definition import Definition


def is_initialized(network: str, definition: Definition) -> bool:
    """Whether a service's initialize hooks have succeeded in its namespace before."""
    try:
        return (marker_folder(network) / definition.name).read_text() == _identity(definition)
    except OSError:
        return False


def mark_initialized(network: str, definition: Definition) -> None:
    """Remember that they have. Without a /run to write to, only the supervisor itself remembers."""
    with suppress(OSError):
        folder = marker_folder(network)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / definition.name).write_text(_identity(definition))


def forget_initialized(network: str) -> None:
    """Forget it all: the network's life is over."""
    remove_tree(marker_folder(network))


def _identity(definition: Definition) -> str:
    if definition.net is None or definition.net.startswith("/proc/"):
        return "not ours"
    found = os.stat(definition.net)
    # Inode numbers of namespaces are used again; the time is that of the bind mount.
    return f"{found.st_ino} {found.st_ctime_ns}"
