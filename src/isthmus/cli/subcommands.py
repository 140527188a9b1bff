"""The subcommands beside HAProxy's command line: check, explain, plan, lab, net, help."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from isthmus.config import nearest

Subcommand = Callable[[Sequence[str]], int]


def run(arguments: Sequence[str]) -> int:
    """Carry out a subcommand and return the exit status."""
    name, *rest = arguments
    found = SUBCOMMANDS.get(name)
    if found is None:
        near = nearest(name, SUBCOMMANDS)
        hint = f"did you mean `isthmus {near}`?" if near else "`isthmus help` lists what there is"
        print(f"isthmus: unknown subcommand `{name}`\nhint: {hint}", file=sys.stderr)
        return 2
    return found(rest)


def _check(files: Sequence[str]) -> int:
    from isthmus.cli.flags import run as run_flags

    return run_flags(["-c", "-V", "-dD", "--", *files])


def _plan(files: Sequence[str]) -> int:
    """Print the plan of some files as JSON."""
    import msgspec

    from isthmus.engine import vocabulary
    from isthmus.keywords.vocabulary import Vocabulary
    from isthmus.process.configuration import load
    from isthmus.process.launch import Launch

    if not files:
        return _missing("plan FILE ...")
    loaded = load(Launch(tuple(files)), Vocabulary.read(vocabulary()))
    sys.stderr.write(loaded.diagnostics.render())
    if loaded.built is None:
        return 1
    document = msgspec.json.format(msgspec.json.encode(loaded.built.engine), indent=2)
    print(document.decode())
    return 0


def _explain(arguments: Sequence[str]) -> int:
    """Tell what codes of messages mean, or what a connection that is described would meet."""
    if any(each.startswith("-") for each in arguments):
        from isthmus.explaining.command import main

        return main(arguments)
    return _explain_codes(arguments)


def _explain_codes(codes: Sequence[str]) -> int:
    # The codes of every stage register themselves.
    import isthmus.network.document
    import isthmus.network.telling
    import isthmus.plan.building  # noqa: F401
    from isthmus.config import CODES

    if not codes:
        return _missing("explain CODE ... | --sni NAME|--url URL FILE ...")
    status = 0
    for code in codes:
        found = CODES.get(code.upper())
        if found is None:
            print(f"isthmus: there is no message `{code}`", file=sys.stderr)
            status = 1
            continue
        print(f"{found.code}: {found.title}\n\n{found.text}")
        if found.example:
            print("\n" + "\n".join(f"    {line}" for line in found.example.splitlines()))
    return status


def _lab(arguments: Sequence[str]) -> int:
    from isthmus.lab.command import main
    from isthmus.network.marked import owners

    return main(list(arguments), owners)


def _net(arguments: Sequence[str]) -> int:
    import gc

    # A command that ends soon: looking for cycles among a large network's objects finds none.
    gc.disable()
    from isthmus.network.command import main

    return main(arguments)


def _help(_: Sequence[str]) -> int:
    from isthmus.cli.version import USAGE, version_lines

    print(version_lines() + USAGE, end="")
    return 0


def _missing(usage: str) -> int:
    print(f"usage: isthmus {usage}", file=sys.stderr)
    return 2


SUBCOMMANDS: dict[str, Subcommand] = {
    "check": _check,
    "explain": _explain,
    "plan": _plan,
    "lab": _lab,
    "net": _net,
    "help": _help,
}
"""Every subcommand by name."""
