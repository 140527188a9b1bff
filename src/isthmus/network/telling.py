"""What `isthmus net` prints: plans, progress, and errors with their place in the file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TextIO

from isthmus.config import Diagnostics, Span, register
from isthmus.network.applying import ApplyError
from isthmus.network.describing import describe, details_of_change, sign
from isthmus.network.desired import ends_of
from isthmus.network.difference import Step
from isthmus.network.model import Network

_COLOURS = {"+": "\033[32m", "-": "\033[31m", "~": "\033[33m"}
_PLAIN = "\033[0m"

CONFLICT = register(
    "E2301",
    "something of that name is there already",
    """An interface or a namespace of that name exists and does not belong to the network: it carries no
    mark of it. Nothing was touched. Give the network's another name, remove what is there, or have the
    file use a namespace that exists by `attach`.""",
)
LACKING = register(
    "E2302",
    "the machine lacks something that the network needs",
    """A privilege, a kernel module or a program is missing. Nothing was touched.""",
)
FAILED = register(
    "E2303",
    "a step could not be done",
    """The kernel refused a step, or a service did not start. Everything that had been done before was
    undone, so that the machine is as it was.""",
)
ABSENT = register(
    "E2304",
    "a namespace to attach to, or a device to move in, cannot be had",
    """The file uses a namespace that a process or a path holds, or a device, and it is not there, may not be
    entered, or has another name in the file already. Nothing was touched.""",
)
PROXY = register(
    "E2305",
    "the proxy's configuration cannot be run",
    """What is wrong with it was told before, with places in its own files. Nothing was touched.""",
)


def plan_lines(steps: Sequence[Step], *, colour: bool) -> Iterable[str]:
    """Yield a plan like a diff: a line a step, and the lines of rulesets that differ."""
    for step in steps:
        yield painted(sign(step), describe(step), colour=colour)
        for line in details_of_change(step):
            yield "    " + painted(line[0], line[2:], colour=colour)


def painted(mark: str, text: str, *, colour: bool) -> str:
    """Return a line with its sign, in the sign's colour on a terminal."""
    line = f"{mark} {text}"
    return f"{_COLOURS[mark]}{line}{_PLAIN}" if colour and mark in _COLOURS else line


def words(step: Step) -> str:
    """Say in one line what a step does, with its sign."""
    return f"{sign(step)} {describe(step)}"


def summary(network: str, steps: Sequence[Step]) -> str:
    """Say in one line how much there is to do."""
    if not steps:
        return f"{network}: nothing to do"
    counts = {mark: sum(sign(step) == mark for step in steps) for mark in "+~-"}
    return f"{network}: {counts['+']} to make, {counts['~']} to change, {counts['-']} to remove"


class Progress:
    """Tells how far an apply is: a line that is written over on a terminal, a line a step elsewhere.

    Falls silent where it cannot be written: the work goes on, and the last word of it (`flush`) fails.
    """

    def __init__(self, total: int, stream: TextIO, *, quiet: bool = False) -> None:
        self._total = total
        self._done = 0
        self._stream = stream
        self._over = stream.isatty()
        self._quiet = quiet

    def __call__(self, what: Step | str) -> None:
        """Tell of a step that is begun, or of what a service's supervisor says."""
        if self._quiet:
            return
        if isinstance(what, str):
            self._line(what)
            return
        self._done += 1
        text = f"{sign(what)} {describe(what)}"
        if self._over:
            self._write(f"\r\033[K[{self._done}/{max(self._total, self._done)}] {text[:100]}")
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        self._write(("\r\033[K" if self._over else "") + text + "\n")

    def end(self) -> None:
        """Clear the line that is written over."""
        if self._over and not self._quiet:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._quiet = True


def places(network: Network) -> dict[tuple[str, ...], Span | None]:
    """Say where in the file a namespace, an interface or a service stands, by its object's key."""
    found: dict[tuple[str, ...], Span | None] = {}
    for namespace in network.namespaces:
        found["namespace", namespace.name] = namespace.span
    for link in network.links:
        for end in ends_of(link):
            found["interface", end.namespace, end.name] = end.span or link.span
    for service in network.services:
        found["service", service.name] = service.span
    if network.proxy is not None:
        found["service", "proxy"] = network.proxy.span
    return found


def place_of(step: Step, network: Network) -> Span | None:
    """Say where in the file the object of a step stands, or that which it belongs to."""
    known = places(network)
    key = step.subject.key
    for candidate in (key[:3], ("interface", *key[1:3]), key[:2], ("namespace", key[1])):
        if known.get(tuple(candidate)) is not None:
            return known[tuple(candidate)]
    return None


def failure(error: ApplyError, network: Network, diagnostics: Diagnostics) -> None:
    """Add the error that a step could not be done."""
    step = error.step
    diagnostics.alert(
        FAILED,
        f"`{sign(step)} {describe(step)}` could not be done: {error.reason}",
        place_of(step, network),
        hint=None if error.left else "everything that had been done was undone",
    )


class OutputError(Exception):
    """What was to be printed could not be written: nobody reads the pipe, or the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output could not be written: {error.strerror or error}")


def say(text: str) -> None:
    """Print a line for the user, errors apart; OutputError where it cannot be written."""
    try:
        sys.stdout.write(text + "\n")
    except OSError as error:
        raise OutputError(error) from None


def flush() -> None:
    """Write out what was said; OutputError where it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error) from None


def discard() -> None:
    """Let go of what cannot be written: else Python tries again as it ends, and fails in its own words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Print an error; where nobody can be told, nobody is."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def open_streams() -> None:
    """Have the three standard streams, also where the caller closed some: files opened next are none of them.

    Nothing can be written to a closed standard output: that is told like a full disk.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free: this one.
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
