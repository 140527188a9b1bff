"""Which files a configuration is made of, and their bytes (management manual, `-f`).

A directory stands for its *.cfg files that are not hidden, in the byte order of their names; its
subdirectories are not entered. `-` has no special meaning (`/dev/stdin` reads from there).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from isthmus.config.codes import register
from isthmus.config.diagnostics import Diagnostics

UNREADABLE_FILE = register(
    "E0012", "configuration file cannot be read", "The file or directory is missing, or may not be read."
)
EMPTY_DIRECTORY = register(
    "E0013",
    "directory without configuration files",
    """Of a directory, the files whose names end in .cfg and do not start with a dot are read.""",
)


def find_files(paths: Iterable[str], diagnostics: Diagnostics) -> tuple[str, ...]:
    """Return the files that `-f` arguments stand for, in the order in which they are to be read."""
    files: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(path)
            continue
        try:
            names = os.listdir(path)
        except OSError as error:
            _unreadable(path, error, diagnostics)
            continue
        chosen = [name for name in names if name.endswith(".cfg") and not name.startswith(".")]
        found = [os.path.join(path, name) for name in sorted(chosen, key=os.fsencode)]
        # A link to nowhere stays, to be told of when it is read: a part of the configuration is missing.
        found = [file for file in found if os.path.isfile(file) or not os.path.exists(file)]
        if not found:
            diagnostics.alert(
                EMPTY_DIRECTORY,
                f"the directory {path} has no *.cfg file",
                None,
                expected="at least one *.cfg file",
            )
        files += found
    return tuple(files)


def read_bytes(file: str, diagnostics: Diagnostics) -> bytes | None:
    """Return a file's contents, or None after reporting why there are none."""
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except (OSError, ValueError) as error:
        _unreadable(file, error, diagnostics)
        return None


def _unreadable(path: str, error: OSError | ValueError, diagnostics: Diagnostics) -> None:
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    diagnostics.alert(UNREADABLE_FILE, f"cannot read `{path}`: {reason}", None)
