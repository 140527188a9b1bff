"""The command `isthmus`: HAProxy's command line, and subcommands beside it. Reads argv only.

A first word that does not begin with a dash is a subcommand; everything else is HAProxy's language.
Modules are imported where they are needed, since `isthmus -v` should not load an engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from isthmus.cli.streams import OutputLostError, secure_streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    if argv is not None:
        return _run(tuple(argv))
    arguments = tuple(sys.argv[1:])
    if arguments[:1] == ("net",):
        # It looks after its streams itself.
        status = _run(arguments)
        _end(status)
        return status
    # HAProxy's command line answers with its exit status, whether or not its words were heard.
    secure_streams(strict=_is_subcommand(arguments))
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except OutputLostError as lost:
        if not lost.reader_left:
            print(f"isthmus: cannot write to standard output: {lost}", file=sys.stderr)
        status = 1
    return status


def _is_subcommand(arguments: Sequence[str]) -> bool:
    return bool(arguments) and not arguments[0].startswith("-")


def _run(arguments: Sequence[str]) -> int:
    if _is_subcommand(arguments):
        from isthmus.cli.subcommands import run
    else:
        from isthmus.cli.flags import run
    return run(arguments)


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
