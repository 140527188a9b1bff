"""What HAProxy's command line asks for: version, condition, check, keywords, or a start."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from isthmus.cli.options import WITHOUT_EFFECT, Options, UsageError, parse
from isthmus.process.console import Console
from isthmus.process.launch import Launch

if TYPE_CHECKING:
    from isthmus.plan.built import Built
    from isthmus.process.configuration import Loaded

_NO_LISTENER = 2
"""The exit status of `-c` for a file without error in which nothing listens."""


def run(arguments: Sequence[str]) -> int:
    """Carry out HAProxy's command line and return the exit status."""
    console = Console()
    try:
        options = parse(arguments)
        if options.version:
            return _version(options.version)
        _change_directory(options.directory)
        if options.condition is not None:
            return _condition(options.condition)
        if options.keyword_classes is not None:
            return _keywords(options)
        if not options.files:
            raise UsageError(usage=True)
    except UsageError as error:
        return _refuse(error, console)
    return _with_files(options, console)


def _version(level: int) -> int:
    from isthmus.cli.version import build_options, version_lines

    print(version_lines() + (build_options() if level > 1 else ""), end="")
    return 0


def _refuse(error: UsageError, console: Console) -> int:
    from isthmus.cli.version import USAGE, version_lines

    if error.usage:
        print(version_lines(), end="")
        console.text(USAGE)
    if error.message:
        console.alert(f"{error.message}.")
    return 1


def _change_directory(directory: str | None) -> None:
    if directory is None:
        return
    try:
        os.chdir(directory)
    except OSError as error:
        raise UsageError(f"cannot change to directory {directory}: {error.strerror}") from None


def _condition(condition: str) -> int:
    from isthmus.config import Diagnostics, check_condition
    from isthmus.process.configuration import features, variables

    diagnostics = Diagnostics()
    verdict = check_condition(
        condition, environment=variables(None), features=features(), diagnostics=diagnostics
    )
    Console().text(diagnostics.render())
    return int(verdict)


def _keywords(options: Options) -> int:
    """Print registered keywords; with files, go on with them afterwards."""
    from isthmus import keywords
    from isthmus.engine import vocabulary
    from isthmus.keywords.vocabulary import Vocabulary
    from isthmus.runtime.registry import COMMANDS

    import_module("isthmus.runtime.commands")
    classes = options.keyword_classes or "help"
    commands = ((each.name, each.marks) for each in COMMANDS.values())
    print(keywords.dump(classes, Vocabulary.read(vocabulary()), commands), end="", flush=True)
    return _with_files(options, Console()) if options.files else 0


def _with_files(options: Options, console: Console) -> int:
    """Read the files, tell what was found, and start unless that was all."""
    launch = _launch(options)
    console.quiet = options.quiet and not options.verbose
    for option in options.without_effect:
        console.notice(f"option {option} has no effect: {WITHOUT_EFFECT[option]}.")
    loaded = _loaded(launch)
    said = loaded.built.process if loaded.built else None
    console.quiet = said.quiet if said else console.quiet
    console.text(loaded.diagnostics.render(diagnostic_mode=options.diagnostic))
    if loaded.built is None:
        for file in loaded.files:
            if any(each.span and each.span.file == file for each in loaded.diagnostics):
                console.alert(f"config : Error(s) found in configuration file : {file}")
        console.alert("config : Fatal errors found in configuration.")
        return 1
    if loaded.warned and loaded.built.process.zero_warning:
        console.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.")
        return 1
    if options.check:
        return _tell_valid(loaded, loaded.built, console)
    if not loaded.listens:
        console.alert("No enabled listener found (check for 'bind' directives) ! Exiting.")
        return 1
    if loaded.built.process.master_worker:
        console.notice("master-worker mode: there is no master here; this one process serves.")
    from isthmus.process.starting import start

    return start(launch, loaded, loaded.built, console)


def _loaded(launch: Launch) -> Loaded:
    """Read the files. Looking for garbage meanwhile would find none and take a sixth of the start."""
    gc.disable()
    try:
        from isthmus.engine import vocabulary
        from isthmus.keywords.vocabulary import Vocabulary
        from isthmus.process.configuration import load

        return load(launch, Vocabulary.read(vocabulary()))
    finally:
        # What was made stays: it is never looked through again, not even at the end.
        gc.freeze()
        gc.enable()


def _tell_valid(loaded: Loaded, built: Built, console: Console) -> int:
    """End a check that found no error. As HAProxy 2.6, success is told unless it is to be quiet."""
    from isthmus.process.failures import refusals

    # What passed every check of the files' words still has to compile, as a start would find.
    if refused := refusals(built):
        for message in refused:
            console.alert(message)
        console.alert("config : Fatal errors found in configuration.")
        return 1
    if not loaded.listens:
        if not console.quiet:
            print("Configuration file has no error but will not start (no listener) => exit(2).")
        return _NO_LISTENER
    if not console.quiet:
        if loaded.warned:
            print("Warnings were found.")
        print("Configuration file is valid")
    return 0


def _launch(options: Options) -> Launch:
    return Launch(
        files=tuple(options.files),
        daemon=options.daemon,
        foreground=options.foreground or options.debug,
        quiet=options.quiet,
        verbose=options.verbose,
        diagnostic=options.diagnostic,
        zero_warning=options.zero_warning,
        master_worker=options.master_worker,
        maxconn=options.maxconn,
        proxy_maxconn=options.proxy_maxconn,
        memory_limit=options.memory_limit,
        pidfile=options.pidfile,
        local_peer=options.local_peer,
        no_splice=options.no_splice,
        ignore_unresolved=options.ignore_unresolved,
        older=tuple(options.older),
        farewell=options.farewell,
    )
