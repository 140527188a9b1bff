"""A world of its own for the benchmark, and what is to be seen in it: names, interfaces, a tenant's inside.

The world is a network and a mount namespace (unshare(1)): nothing of the machine is touched, and whatever
ends a run, also SIGKILL, leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ways import BRIDGE, ROOT, address_of

_INSIDE = "ISTHMUS_BENCH_INSIDE"
_NAMES = Path("/run/netns")
_LIMIT = 120.0


def missing() -> str | None:
    """What keeps the benchmark from running here, as a sentence."""
    if os.geteuid() != 0:
        return "making namespaces by ip(8) needs root"
    tools = [tool for tool in ("ip", "unshare", "setpriv", "mount") if not shutil.which(tool)]
    return f"missing: {', '.join(tools)} (Debian: iproute2 util-linux mount)" if tools else None


def enter() -> None:
    """Go on in a world of its own: the program starts again there; returns where it already is."""
    if os.environ.pop(_INSIDE, None):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ[_INSIDE] = "1"
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv]
    os.execvp(command[0], command)


@dataclass(frozen=True)
class Run:
    """One process: seconds until it ended and the end state was there, and its peak memory in bytes."""

    seconds: float
    peak: int


def timed(command: tuple[str, ...], *, gone: bool = False) -> Run:
    """Run a command to its end; with `gone`, until the kernel has also removed all that was there."""
    environment = environment_of_isthmus()
    start = time.perf_counter()
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"failed with status {process.returncode}: {' '.join(command)}")
    if gone:
        _until_empty()
    return Run(time.perf_counter() - start, usage.ru_maxrss * 1024)


def environment_of_isthmus() -> dict[str, str]:
    """The environment of a user: Isthmus from this clone, compiled once and not at each start."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT / "src")}


def _until_empty() -> None:
    """Wait until no name is left, and no interface but `lo`: the kernel ends namespaces behind our back."""
    deadline = time.monotonic() + _LIMIT
    while names() or interfaces() != {"lo"}:
        if time.monotonic() > deadline:
            raise SystemExit(f"still there: {names()[:5]}, {sorted(interfaces())[:5]}")
        time.sleep(0.002)


def names() -> list[str]:
    return os.listdir(_NAMES) if _NAMES.exists() else []


def interfaces() -> set[str]:
    return set(os.listdir("/proc/sys/net/ipv4/conf")) - {"all", "default"}


def verify(tenants: int) -> None:
    """See that everything was made: as many of each, and the last tenant whole."""
    expected = {"lo", BRIDGE, *(f"v{i}" for i in range(tenants))}
    if len(names()) != tenants or interfaces() != expected:
        raise SystemExit(f"{len(names())} namespaces and {len(interfaces())} interfaces of {tenants}")
    last = tenants - 1
    addresses = {
        f"{each['local']}/{each['prefixlen']}"
        for link in _listed(last, "addr", "show", "dev", "eth0")
        for each in link["addr_info"]
    }
    routes = _listed(last, "route", "show", "default")
    if not {address_of(last), f"fd77::1:{last:x}/64"} <= addresses or len(routes) != 1:
        raise SystemExit(f"tenant {last} has {addresses} and {routes}")


def _listed(tenant: int, *words: str) -> list[dict]:
    command = ["ip", "-n", f"t{tenant}", "-j", *words]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
