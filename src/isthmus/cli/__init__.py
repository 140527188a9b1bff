"""The command `isthmus`: HAProxy's command line, and subcommands beside it. Reads argv only.

A first word that does not begin with a dash is a subcommand; everything else is HAProxy's language.
Modules are imported where they are needed, since `isthmus -v` should not load an engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = tuple(sys.argv[1:] if argv is None else argv)
    if arguments and not arguments[0].startswith("-"):
        from isthmus.cli.subcommands import run
    else:
        from isthmus.cli.flags import run
    status = run(arguments)
    if argv is None and arguments[:1] == ("net",):
        _end(status)
    return status


def _end(status: int) -> None:
    """End the process without taking its objects apart one by one, which a large network has many of."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        # Somebody else's pipe; the interpreter's own way out says so.
        return
    os._exit(status)
