#!/usr/bin/env python3
"""Mixed HTTP traffic for some minutes: no request is lost, doubled or answered with another's answer, nothing
malformed reaches the origin, and the proxy's memory and descriptors stay flat.

Ends with status 1, and says why, where that does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from clients import Clients
from origin import Origin

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = """
global
  nbthread 2
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{origin}
"""
GROWTH = 1.3
"""Memory at the end may be so much of what it was after a tenth of the time, and 8 MB more."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def memory(pid: int) -> int:
    """Kilobytes of the process's own memory."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"Pss_Anon:\s+(\d+)", text) or re.search(r"Pss:\s+(\d+)", text)
    return int(found.group(1)) if found else 0


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def listens(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise SystemExit("the proxy did not start")


async def load(pid: int, port: int, origin: Origin, chosen: argparse.Namespace) -> list[str]:
    """Send the traffic, and return what went wrong."""
    stopping = asyncio.Event()
    groups = [Clients(port, chosen.seed + number) for number in range(chosen.clients)]
    tasks = [asyncio.create_task(one.run(stopping)) for one in groups]
    await asyncio.sleep(chosen.secs / 10)
    early = memory(pid)
    await asyncio.sleep(chosen.secs * 9 / 10)
    late = memory(pid)
    stopping.set()
    await asyncio.gather(*tasks)
    faults = [fault for one in groups for fault in one.faults]
    sent = set().union(*(one.sent for one in groups))
    doubled = [number for number, count in origin.seen.items() if count > 1]
    answered = {number for one in groups for number in one.answered}
    lost = answered - set(origin.seen)
    if doubled or lost or origin.malformed or set(origin.seen) - sent:
        faults.append(
            f"{len(doubled)} doubled, {len(lost)} answered by nobody, "
            f"{len(origin.malformed)} malformed at the origin"
        )
    if late > early * GROWTH + 8192:
        faults.append(f"memory grew from {early} to {late} kB")
    kinds = sum((one.done for one in groups), start=groups[0].done.__class__())
    print(f"{len(sent)} requests, {len(answered)} answered, {len(origin.seen)} seen by the origin over "
          f"{origin.connections} connections; memory {early} to {late} kB; {dict(kinds)}")  # fmt: skip
    return faults


async def settled(pid: int, before: int) -> bool:
    """Whether the descriptors come back to what they were, within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if descriptors(pid) <= before + 2:
            return True
        await asyncio.sleep(0.2)
    return False


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=int, default=600)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--proxy", default=str(ROOT / ".venv/bin/isthmus"), help="command")
    chosen = parser.parse_args()
    origin, port = Origin(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mixed.cfg"
        path.write_text(CONFIG.format(port=port, origin=await origin.start()))
        process = subprocess.Popen([*shlex.split(chosen.proxy), "-db", "-f", str(path)])
        try:
            await listens(port)
            before = descriptors(process.pid)
            faults = await load(process.pid, port, origin, chosen)
            if not await settled(process.pid, before):
                faults.append(f"{descriptors(process.pid)} descriptors where there were {before}")
        finally:
            process.terminate()
            process.wait(10)
            await origin.stop()
    for fault in faults[:20]:
        print(fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
