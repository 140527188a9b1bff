"""`isthmus lab`: reads its arguments, runs the demo or manages the lasting lab, tells the outcome."""

import argparse
import importlib.metadata
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from isthmus.lab.demo import TENANTS, Demo, check, standing_demo
from isthmus.lab.errors import LabError
from isthmus.lab.expectation import Expectation
from isthmus.lab.managing import Owners, describe, enter, kept_owners, status_of_lab, stop_lab
from isthmus.lab.picture import Paint, directions, draw, verdicts
from isthmus.lab.proxy import default_command
from isthmus.lab.stopping import Stopped, stop_on_signals


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The object that `--json` prints. `error` stands where the network could not be built."""

    version: str
    rootless: bool
    expectations: list[Expectation]
    ok: bool
    error: str = ""


def main(argv: list[str], owners: Owners = kept_owners) -> int:
    """Run `isthmus lab ARGV`; 0 where everything that was expected held, 2 for wrong arguments.

    `owners` tells for `lab status` which network owns a namespace.
    """
    words, behind = _split(argv)
    options = _parser().parse_args(words)
    if behind and options.command != "enter":
        _parser().error("only `enter` takes a command behind --")
    options.words = behind
    if options.command != "demo":
        return _manage(options, owners)
    stop_on_signals()
    try:
        return _demo(options.proxy or default_command(), once=options.once, as_json=options.json)
    except Stopped:
        # Asked to end before everything was checked; where it had been, _demo has returned.
        return 130


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Part the arguments from a command behind `--`, which has options of its own."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="isthmus lab", description="Networks to try Isthmus on.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_demo(commands)
    status = commands.add_parser("status", help="whether the rootless lab runs, and what is in it")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    enter = commands.add_parser(
        "enter",
        help="a shell, or a command, inside the lab",
        usage="isthmus lab enter [-h] [--rootless] [NAMESPACE] [-- CMD ...]",
        description="Run a shell or a command in a namespace of the lab, without one in the lab's "
        "stand-in for the host. Root enters the machine's own namespaces.",
    )
    enter.add_argument("--rootless", action="store_true", help="as root: the lab, not the machine")
    enter.add_argument("namespace", nargs="?", metavar="NAMESPACE", help="NAME or NETWORK/NAME")
    commands.add_parser("stop", help="end the rootless lab and everything in it")
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser(
        "demo",
        help="three tenants with overlapping addresses behind one proxy",
        description="Make three tenants' network namespaces whose addresses overlap, proxies between "
        "them, and traffic; needs no root where user namespaces are allowed.",
    )
    demo.add_argument("--once", action="store_true", help="check everything, clean up and exit")
    demo.add_argument("--json", action="store_true", help="print one JSON object and no prose")
    demo.add_argument(
        "--proxy",
        metavar="CMD",
        type=shlex.split,
        help="run CMD -f FILE -db in place of Isthmus (HAProxy, as root, passes as well)",
    )


def _manage(options: argparse.Namespace, owners: Owners) -> int:
    try:
        match options.command:
            case "status":
                return _status(owners, as_json=options.json)
            case "enter":
                enter(options.namespace, options.words, rootless=options.rootless)
            case _:
                return _stop()
    except LabError as error:
        print(f"isthmus lab: {error}", file=sys.stderr)
        return 1


def _status(owners: Owners, *, as_json: bool) -> int:
    status = status_of_lab(owners)
    print(msgspec.json.encode(status).decode() if as_json else describe(status))
    return 0 if status.running else 1


def _stop() -> int:
    ended = stop_lab()
    if ended is None:
        print("no lab is running")
        return 0
    for each in ended:
        print(f"ended: process {each.process}: {each.command}")
    print("the lab has stopped")
    return 0


def _demo(proxy: list[str], *, once: bool, as_json: bool) -> int:
    rootless = os.geteuid() != 0
    try:
        with standing_demo(proxy) as demo:
            rootless = demo.rootless
            expectations = check(demo)
            ok = all(each.ok for each in expectations)
            # Whoever reads the outcome may answer with a signal before the waiting has begun.
            with suppress(Stopped):
                if as_json:
                    _print_json(Outcome(_version(), rootless, expectations, ok))
                else:
                    _print_prose(demo, expectations, once=once)
                if not once:
                    _wait_for_end()
    except LabError as error:
        if as_json:
            _print_json(Outcome(_version(), rootless, [], ok=False, error=str(error)))
        else:
            print(f"isthmus lab: {error}", file=sys.stderr)
        return 1
    return 0 if ok else 1


def _wait_for_end() -> None:
    """Wait until a signal asks to stop; LabError when a process of the lab ended by itself."""
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    raise LabError("a process of the lab ended by itself; everything else was stopped")


def _print_json(outcome: Outcome) -> None:
    print(msgspec.json.encode(outcome).decode(), flush=True)


def _colours() -> bool:
    """Whether standard output shows colours: a terminal that can, and nobody who would not."""
    dumb = os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not dumb and "NO_COLOR" not in os.environ


def _print_prose(demo: Demo, expectations: Sequence[Expectation], *, once: bool) -> None:
    paint = Paint(on=_colours())
    how = "without root, in a user namespace" if demo.rootless else "as root, in its own mount namespace"
    print(f"Isthmus {_version()}: three tenants, the same addresses, one machine ({how})\n")
    print(draw(TENANTS, demo.ports.tenants, demo.ports.core, paint))
    print(f"\nWhat answered:\n{verdicts(expectations, paint)}")
    if not once:
        print(f"\n{directions(demo, TENANTS, os.getpid())}")
    sys.stdout.flush()


def _version() -> str:
    try:
        return importlib.metadata.version("isthmus")
    except importlib.metadata.PackageNotFoundError:
        # Run from the source tree without having been installed.
        return "unknown"
