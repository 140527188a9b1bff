"""The processors that the process and its workers run on (manual 3.1 `cpu-set`, `cpu-map`)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from isthmus.model.processors import CpuChoice, CpuMap, CpuPart
from isthmus.process.errors import StartError

_SYSTEM = Path("/sys/devices/system")
_PATIENCE = 5.0
"""Seconds that a worker may take to begin."""
_WORKER = re.compile(r"worker ([0-9]+)\Z")


def usable(choices: Iterable[CpuChoice], now: frozenset[int], root: Path = _SYSTEM) -> frozenset[int]:
    """Return the processors that are left of those in use now. Raises StartError where none is."""
    for choice in choices:
        if choice.part is None:
            now = _members((root / "cpu/online").read_text("ascii")) if _is_there(root) else now
            continue
        number = _numbering(choice.part, root)
        now = frozenset(cpu for cpu in now if (number(cpu) in choice.numbers) == choice.only)
    if not now:
        raise StartError("`cpu-set` leaves no processor to run on")
    return now


def choose(choices: tuple[CpuChoice, ...]) -> None:
    """Keep the process, and every thread begun from now on, on some processors. Raises StartError."""
    if not choices:
        return
    try:
        os.sched_setaffinity(0, usable(choices, frozenset(os.sched_getaffinity(0))))
    except OSError as error:
        raise StartError(f"cannot run on the processors of `cpu-set`: {error.strerror}") from None


def placed(maps: Iterable[CpuMap], workers: int) -> dict[int, frozenset[int]]:
    """Return the processors of each worker, counted from 0, that a line names; later lines replace others."""
    found: dict[int, frozenset[int]] = {}
    for said in maps:
        threads = range(1, workers + 1) if said.threads is None else said.threads
        for at, thread in enumerate(threads):
            if thread <= workers:
                found[thread - 1] = frozenset({said.cpus[at]} if said.each else said.cpus)
    return found


def pin(maps: tuple[CpuMap, ...], workers: int) -> Iterator[str]:
    """Keep running workers on their processors, and give a message for each that cannot be kept there."""
    if not maps:
        return
    tasks = _workers(workers)
    for worker, cpus in placed(maps, workers).items():
        try:
            os.sched_setaffinity(tasks[worker], cpus)
        except (KeyError, OSError) as error:
            reason = getattr(error, "strerror", None) or "it is not there"
            names = ",".join(map(str, sorted(cpus)))
            yield f"cpu-map : thread {worker + 1} cannot be kept on processors {names}: {reason}"


def _workers(count: int) -> dict[int, int]:
    """Return the task of each worker of this process by its number.

    A thread takes its name once it runs, which on a busy processor is a moment after it was begun.
    """
    found: dict[int, int] = {}
    until = time.monotonic() + _PATIENCE
    while len(found) < count and time.monotonic() < until:
        found = {}
        for task in Path("/proc/self/task").iterdir():
            match = _WORKER.match((task / "comm").read_text("ascii", "replace").strip())
            if match:
                found[int(match[1])] = int(task.name)
        time.sleep(0.001)
    return found


def _is_there(root: Path) -> bool:
    return (root / "cpu/online").exists()


def _members(text: str) -> frozenset[int]:
    """Return the numbers of a list as the kernel writes it (`0-3,8`)."""
    found: set[int] = set()
    for each in text.strip().split(","):
        first, _, last = each.partition("-")
        if first:
            found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _numbering(part: CpuPart, root: Path) -> Callable[[int], int]:
    """Return what gives the number of the part of the machine that a processor belongs to."""
    if part is CpuPart.CPU:
        return lambda cpu: cpu
    if part is CpuPart.NODE:
        nodes = {
            cpu: int(folder.name.removeprefix("node"))
            for folder in (root / "node").glob("node[0-9]*")
            for cpu in _members((folder / "cpulist").read_text("ascii"))
        }
        return lambda cpu: nodes.get(cpu, 0)
    if part is CpuPart.THREAD:
        return lambda cpu: _siblings(root, cpu).index(cpu)
    name = "core_id" if part is CpuPart.CORE else "cluster_id"
    # A machine without clusters gives -1 or no file: all of it is the first one.
    return lambda cpu: max(0, int(_topology(root, cpu, name) or 0))


def _siblings(root: Path, cpu: int) -> list[int]:
    """Return the processors that share a core with one, itself among them."""
    return sorted(_members(_topology(root, cpu, "thread_siblings_list")) | {cpu})


def _topology(root: Path, cpu: int, name: str) -> str:
    try:
        return (root / f"cpu/cpu{cpu}/topology/{name}").read_text("ascii").strip()
    except OSError:
        return ""
