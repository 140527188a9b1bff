"""The file that tells the process's number (`-p`, `pidfile`)."""

from __future__ import annotations

import os

from isthmus.process.errors import StartError


def write(path: str) -> None:
    """Write this process's number into a file. Raises StartError.

    As HAProxy, the file is left behind at the end: `-sf $(cat FILE)` must tell a stale number by itself.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{os.getpid()}\n")
    except OSError as error:
        raise StartError(f"cannot write the pidfile {path}: {error.strerror}") from None
