"""`isthmus net`: reads its arguments, has the work done, tells the outcome.

Exit statuses: 0 done (or no difference), 1 not done (or a difference, or an expectation that failed),
2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from isthmus.config import Diagnostics
from isthmus.lab.errors import LabError, NoLabError
from isthmus.lab.stopping import Stopped, stop_on_signals
from isthmus.network import building, document, preflight, telling
from isthmus.network.applying import ApplyError
from isthmus.network.desired import spaces
from isthmus.network.difference import Step
from isthmus.network.filtering import FilteringError
from isthmus.network.machine import Machine, machine
from isthmus.network.model import Network
from isthmus.network.services import ServiceError, check_proxy

Options = argparse.Namespace

_EXEC_USAGE = "isthmus net exec [-h] [--rootless] NAMESPACE -- COMMAND [ARGUMENT ...]"
_FORMATS = ("tree", "json", "mermaid", "dot", "svg")
# Where nft and the like lie, which an ordinary user's PATH may leave out.
_ROOTS_FOLDERS = ("/usr/sbin", "/sbin")


class WrongFileError(Exception):
    """The file has errors, or something that it needs is missing; the diagnostics say what."""


def main(argv: Sequence[str]) -> int:
    """Run `isthmus net ARGV`."""
    telling.open_streams()
    status = 1
    try:
        status = _run(list(argv))
        telling.flush()
    except telling.OutputError as error:
        telling.discard()
        telling.complain(f"isthmus net: {error}\n")
        return status or 1
    return status


def _run(argv: list[str]) -> int:
    words, behind = _split(argv)
    options = _parser().parse_args(words)
    options.words = behind
    diagnostics = Diagnostics()
    stop_on_signals()
    try:
        command: Callable[[Options, Diagnostics], int] = options.run
        return command(options, diagnostics)
    except WrongFileError:
        return 1
    except (LabError, ServiceError, FilteringError, building.BusyError, OSError) as error:
        telling.complain(f"isthmus net: {error}\n")
        _tell_notes(error)
        return 1
    except Stopped as stopped:
        telling.complain("isthmus net: stopped; what had been begun was undone\n")
        _tell_notes(stopped)
        return 130
    finally:
        telling.complain(diagnostics.render())


def _tell_notes(error: BaseException) -> None:
    """Print what went wrong as the work was undone."""
    for note in getattr(error, "__notes__", ()):
        telling.complain(f"isthmus net: {note}\n")


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Part the arguments from a command behind `--`, which has options of its own."""
    at = argv.index("--") if "--" in argv else len(argv)
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="isthmus net", description="Networks from one file.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[Options, Diagnostics], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        command.add_argument(
            "--rootless", action="store_true", help="in the user's own lab, also as root (see isthmus lab)"
        )
        return command

    plan = add("plan", _plan, "show what apply would change; change nothing")
    difference = add("diff", _diff, "like plan, with exit status 1 where anything differs")
    apply = add("apply", _apply, "make the network as the file says, or leave everything as it was")
    apply.add_argument("-q", "--quiet", action="store_true", help="print errors alone")
    down = add("down", _down, "remove everything that belongs to the network")
    down.add_argument("-q", "--quiet", action="store_true", help="print errors alone")
    check = add("check", _check, "try what the file expects; exit status 1 where something fails")
    check.add_argument("--json", action="store_true", help="print one JSON document")
    for command in (plan, difference, apply, check):
        command.add_argument("file", type=Path, metavar="FILE")
    down.add_argument("file", type=Path, metavar="FILE", help="the file, or the network's name")
    show = add("show", _show, "draw what is there now")
    show.add_argument("--format", choices=_FORMATS, default="tree", help="tree unless said otherwise")
    show.add_argument("--wanted", action="store_true", help="draw what the file asks for instead")
    show.add_argument("--every", action="store_true", help="show each of many alike, not one for all")
    show.add_argument("--ascii", action="store_true", help="no line-drawing characters")
    show.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a file, or a network's name")
    execute = add("exec", _exec, "run a command inside a namespace")
    execute.usage = _EXEC_USAGE
    execute.add_argument("namespace", metavar="NAMESPACE", help="NAME, NETWORK/NAME, host or outside")
    add("schema", _schema, "print the JSON Schema of network files")
    return parser


def _read(file: Path, diagnostics: Diagnostics) -> Network:
    network = document.read(file, diagnostics)
    if network is None or diagnostics.failed:
        raise WrongFileError
    return network


def _named_or_read(file: Path, diagnostics: Diagnostics) -> Network:
    """Take a network's name for a file that needs none: it is known by its marks."""
    if not file.is_file() and file.name == str(file) and not file.suffix:
        return Network(str(file))
    return _read(file, diagnostics)


def _enter(options: Options, *, start: bool) -> None:
    """Go where the network is: into the rootless lab where that is asked for, or nothing else may be had."""
    from isthmus.lab.holder import ensure_lab, enter_lab, running_lab
    from isthmus.lab.isolation import rootless_wanted

    if rootless_wanted(options.rootless, os.geteuid()):
        enter_lab(ensure_lab() if start else running_lab())
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*path, *(each for each in _ROOTS_FOLDERS if each not in path)])


def _plan(options: Options, diagnostics: Diagnostics) -> int:
    _compared(options, diagnostics)
    return 0


def _diff(options: Options, diagnostics: Diagnostics) -> int:
    return 1 if _compared(options, diagnostics) else 0


def _compared(options: Options, diagnostics: Diagnostics) -> bool:
    """Print the steps there would be; say whether there is any."""
    network = _read(options.file, diagnostics)
    _enter(options, start=True)
    with machine(spaces(network).values()) as opened:
        comparison = building.compare(network, opened)
        _obstacles(network, comparison, opened, diagnostics)
    for line in telling.plan_lines(comparison.steps, colour=_colour()):
        telling.say(line)
    telling.say(telling.summary(network.name, comparison.steps))
    _check_proxy(network, diagnostics)
    if diagnostics.failed:
        raise WrongFileError
    return bool(comparison.steps)


def _check_proxy(network: Network, diagnostics: Diagnostics) -> None:
    """Add what is wrong with the proxy's configuration; its own errors have places in its own files."""
    if network.proxy is None:
        return
    wrong = check_proxy(network)
    if wrong is None:
        return
    telling.complain(wrong)
    files = ", ".join(map(str, network.proxy.files))
    diagnostics.alert(telling.PROXY, f"the proxy's configuration cannot be run: {files}", network.proxy.span)


def _apply(options: Options, diagnostics: Diagnostics) -> int:
    network = _read(options.file, diagnostics)
    _enter(options, start=True)
    _check_proxy(network, diagnostics)
    if diagnostics.failed:
        return 1
    with building.exclusive(network.name), machine(spaces(network).values()) as opened:
        comparison = building.compare(network, opened)
        _obstacles(network, comparison, opened, diagnostics)
        if diagnostics.failed:
            return 1
        progress = telling.Progress(len(comparison.steps), sys.stdout, quiet=options.quiet)
        try:
            building.build(network, comparison, opened, progress)
        except ApplyError as error:
            telling.failure(error, network, diagnostics)
            _report_left(error.left)
            _tell_notes(error)
            return 1
        finally:
            progress.end()
    if not options.quiet:
        telling.say(_applied(network, comparison))
    return 0


def _applied(network: Network, comparison: building.Comparison) -> str:
    if not comparison.steps:
        return f"{network.name}: nothing to do"
    return f"{network.name}: done ({telling.summary(network.name, comparison.steps).split(': ', 1)[1]})"


def _obstacles(
    network: Network, comparison: building.Comparison, opened: Machine, diagnostics: Diagnostics
) -> None:
    """Add what stands in the way of applying a network, all of it."""
    places = telling.places(network)
    for key, text in comparison.conflicts.items():
        diagnostics.alert(
            telling.CONFLICT,
            f"there is already {text}",
            places.get(key),
            hint="give it another name, or remove what is there",
        )
    for name, reason in comparison.found.absent.items():
        text = f"the namespace to attach {name} to {reason}"
        diagnostics.alert(telling.ABSENT, text, places.get(("namespace", name)))
    for key, text in preflight.absent_devices(comparison.kernel_steps, opened):
        diagnostics.alert(telling.ABSENT, text, places.get(key))
    if not diagnostics.failed:
        for text in preflight.lacking(comparison.kernel_steps, network.name):
            diagnostics.alert(telling.LACKING, text, None)


def _report_left(left: Sequence[tuple[Step, str]]) -> None:
    for step, reason in left:
        what = telling.words(step)
        telling.complain(f"isthmus net: could not do `{what}` as it was undone: {reason}\n")


def _down(options: Options, diagnostics: Diagnostics) -> int:
    network = _named_or_read(options.file, diagnostics)
    try:
        _enter(options, start=False)
    except NoLabError:
        # With its lab all of a network has gone.
        if not options.quiet:
            telling.say(f"{network.name}: gone")
        return 0
    progress = telling.Progress(0, sys.stdout, quiet=options.quiet)
    with building.exclusive(network.name), machine(spaces(network).values()) as opened:
        try:
            left = building.dismantle(network, opened, progress)
        finally:
            progress.end()
    for step, reason in left:
        what = telling.words(step)
        telling.complain(f"isthmus net: could not do `{what}`: {reason}\n")
    if not options.quiet and not left:
        telling.say(f"{network.name}: gone")
    return 1 if left else 0


def _check(options: Options, diagnostics: Diagnostics) -> int:
    from isthmus.lab.picture import Paint
    from isthmus.network import expecting

    network = _read(options.file, diagnostics)
    _enter(options, start=False)
    verdicts = expecting.check(network, spaces(network))
    if options.json:
        telling.say(expecting.verdicts_as_json(verdicts).rstrip("\n"))
    else:
        telling.say(expecting.matrix(verdicts, Paint(on=_colour())))
    return 0 if all(each.ok for each in verdicts) else 1


def _show(options: Options, diagnostics: Diagnostics) -> int:
    from isthmus.network.drawing import SeveralError, draw

    networks: list[Network] | None = None
    if options.file is not None:
        networks = [_named_or_read(options.file, diagnostics)]
    if not options.wanted:
        _enter(options, start=False)
    try:
        telling.say(
            draw(
                networks,
                options.format,
                wanted=options.wanted,
                every=options.every,
                ascii_only=options.ascii,
            )
        )
    except SeveralError as error:
        telling.complain(f"isthmus net: {error}\n")
        return 2
    return 0


def _exec(options: Options, diagnostics: Diagnostics) -> int:
    from isthmus.lab.contents import find_space
    from isthmus.network.entering import EnteringError, become

    if not options.words:
        telling.complain(f"usage: {_EXEC_USAGE}\nisthmus net exec: error: a command is needed behind --\n")
        return 2
    _enter(options, start=False)
    try:
        become(find_space(options.namespace), options.words)
    except EnteringError as error:
        raise LabError(str(error)) from error


def _schema(_: Options, __: Diagnostics) -> int:
    telling.say(json.dumps(document.json_schema(), indent=2))
    return 0


def _colour() -> bool:
    dumb = os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not dumb and "NO_COLOR" not in os.environ
