"""A world of its own for a test: its own host network, its own /run, gone when the test ends.

The test's function runs in a forked child that has left for new network and mount namespaces (and, to
be rootless, a user namespace), so that tests see nothing of each other or of the machine, may run at
the same time, and leave nothing behind however they end.
"""

import functools
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from isthmus import kernel


def in_world(*, rootless: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test that runs in a world of its own; skipped, with its reason, where that may not be had."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def test(*args: object, **kwargs: object) -> None:
            run_in_world(lambda: function(*args, **kwargs), rootless=rootless)

        return test

    return decorate


def run_in_world(function: Callable[[], None], *, rootless: bool = False) -> None:
    """Run a function in a world of its own; what it raises fails the test with its traceback."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(function, writing, rootless=rootless)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        text = told.read().decode()
    os.waitpid(child, 0)
    kind, _, detail = text.partition("\n")
    if kind == "skip":
        pytest.skip(detail)
    if kind != "done":
        pytest.fail(detail or "the test's process was killed", pytrace=False)


def _live(function: Callable[[], None], writing: int, *, rootless: bool) -> None:
    told = "failed\n"
    outside = _run_folder("self")
    try:
        kernel.die_with(os.getppid())
        _leave(rootless=rootless or os.geteuid() != 0)
        function()
        told = "done\n"
    except pytest.skip.Exception as skipped:
        told = f"skip\n{skipped}"
    except BaseException:
        told += traceback.format_exc()
    finally:
        _end_all(outside)
        os.write(writing, told.encode())
        os._exit(0)


def _end_all(outside: int | None) -> None:
    """Kill what a test that failed left running, supervisors for instance: who sees this world's own /run."""
    inside = _run_folder("self")
    if inside in (None, outside):
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _run_folder(entry.name) == inside:
            with suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


def _run_folder(process: str) -> int | None:
    """Return what file system a process has at /run; None where that may not be known."""
    try:
        return Path(f"/proc/{process}/root/run").stat().st_dev
    except OSError:
        return None


def _leave(*, rootless: bool) -> None:
    user, group = os.geteuid(), os.getegid()
    flags = kernel.CLONE_NEWNET | kernel.CLONE_NEWNS
    try:
        kernel.unshare(flags | (kernel.CLONE_NEWUSER if rootless else 0))
    except OSError as error:
        pytest.skip(f"may not make namespaces here: {error}")
    if rootless:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/run", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    # /sys shows the interfaces of the namespace it was mounted in.
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


LISTINGS = ("link", "addr", "route show table all", "-6 route show table all", "rule", "-6 rule", "neigh")


def snapshot() -> dict[str, object]:
    """Describe what a network file could change in this world's host namespace, and all namespaces' names."""
    taken: dict[str, object] = {}
    for what in (
        "link",
        "addr",
        "route show table all",
        "-6 route show table all",
        "rule",
        "-6 rule",
        "neigh",
    ):
        listed = subprocess.run(["ip", "-d", "-j", *what.split()], capture_output=True, check=True).stdout
        taken[what] = json.loads(listed or b"[]")
    taken["nft"] = subprocess.run(["nft", "list", "ruleset"], capture_output=True, check=False).stdout
    for folder in ("/run/netns", "/run/isthmus"):
        taken[folder] = sorted(str(path) for path in Path(folder).rglob("*")) if Path(folder).exists() else []
    return taken
