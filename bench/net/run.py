#!/usr/bin/env python3
"""Networks of many tenants, made and removed: `isthmus net` beside `ip -batch` and a script of `ip` commands.

The three ways take turns, several rounds each, in a network and mount namespace of their own; a time is
the wall time of a whole process (interpreter, reading the file, everything) until the end state is there.
A ratio is the other way's time divided by Isthmus's, the median of the rounds: above 1, Isthmus is faster.

Needs root, ip, unshare, setpriv, mount (Debian: iproute2 util-linux mount).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ways import WAYS
from world import enter, environment_of_isthmus, missing, timed, verify

FLOORS = {"ip -batch": 1.0, "script": 10.0}
GROWTH = 1.25
"""How much more a tenant may cost among the most than among the fewest: time and memory grow linearly."""


@dataclass(frozen=True)
class Sample:
    """One round of one way: seconds up and down, peak memory in bytes."""

    up: float
    down: float
    peak: int


@dataclass(frozen=True)
class Row:
    """A way's result for a number of tenants; medians, and the ratios to Isthmus's time."""

    tenants: int
    way: str
    up: float
    down: float
    peak: int
    ratio: float
    ratio_up: float
    ratio_down: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare ways to make and remove networks, by wall time.")
    parser.add_argument("--tenants", default="200,1000", help="how many, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS), help="separated by commas")
    parser.add_argument("--markdown", help="also write the table to this file")
    parser.add_argument("--check", action="store_true", help="fail unless every floor is reached")
    chosen = parser.parse_args()
    chosen.tenants = sorted(int(each) for each in chosen.tenants.split(","))
    chosen.ways = chosen.ways.split(",")
    if unknown := set(chosen.ways) - set(WAYS):
        parser.error(f"no such way: {', '.join(sorted(unknown))}; there are {', '.join(WAYS)}")
    return chosen


def measure(tenants: int, ways: list[str], rounds: int) -> tuple[dict[str, list[Sample]], dict[str, float]]:
    samples: dict[str, list[Sample]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-net-", dir="/run") as folder:
        made = [WAYS[name](Path(folder), tenants) for name in ways]
        for number in range(rounds):
            for way in made:
                up = timed(way.up)
                verify(tenants)
                down = timed(way.down, gone=True)
                samples[way.name].append(Sample(up.seconds, down.seconds, max(up.peak, down.peak)))
                print(f"  {tenants} tenants, round {number + 1}, {way.name}: "
                      f"up {up.seconds:.3f} s, down {down.seconds:.3f} s", flush=True)  # fmt: skip
        parts = breakdown(made[0].up[-1]) if ways[0] == "isthmus" else {}
    return samples, parts


def breakdown(file: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).parent / "breakdown.py"), file]
    environment = environment_of_isthmus()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def summarise(tenants: int, samples: dict[str, list[Sample]]) -> list[Row]:
    base = samples.get("isthmus") or next(iter(samples.values()))
    rows = []
    for name, found in samples.items():
        pairs = list(zip(found, base, strict=True))
        rows.append(
            Row(
                tenants,
                name,
                statistics.median(each.up for each in found),
                statistics.median(each.down for each in found),
                max(each.peak for each in found),
                statistics.median((a.up + a.down) / (b.up + b.down) for a, b in pairs),
                statistics.median(a.up / b.up for a, b in pairs),
                statistics.median(a.down / b.down for a, b in pairs),
            )
        )
    return rows


def growth(rows: list[Row]) -> dict[str, float]:
    """How much more time and memory a further tenant costs than one of the fewest, on average."""
    ours = [row for row in rows if row.way == "isthmus"]
    if len(ours) < 2:
        return {}
    few, many = ours[0], ours[-1]
    factor = many.tenants / few.tenants
    return {
        "time": (many.up + many.down) / (few.up + few.down) / factor,
        "memory": many.peak / few.peak / factor,
    }


def markdown(rows: list[Row], parts: dict[int, dict[str, float]]) -> str:
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    version = subprocess.run(["ip", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    command = shlex.join(["python", "bench/net/run.py", *sys.argv[1:]])
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Linux {platform.release()}, "
        f"{os.cpu_count()} CPUs, load {load}, {version}: `{command}`",
        "",
        "| tenants | way | up | down | peak memory | its time / Isthmus's (up, down) | floor |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        ours = row.way == "isthmus"
        ratio = "" if ours else f"{row.ratio:.2f} ({row.ratio_up:.2f}, {row.ratio_down:.2f})"
        floor = "" if ours else f"{FLOORS[row.way]:g}"
        memory = f"{row.peak / 1e6:.0f} MB" if ours else ""
        times = f"{row.up:.2f} s | {row.down:.2f} s"
        lines.append(f"| {row.tenants} | {row.way} | {times} | {memory} | {ratio} | {floor} |")
    lines.append("")
    lines += [f"* parts for {count} tenants, in ms: {_parts(found)}" for count, found in parts.items()]
    lines += [f"* a tenant's {what}, among the most / among the fewest: {value:.2f} (at most {GROWTH:g})"
              for what, value in growth(rows).items()]  # fmt: skip
    return "\n".join(lines) + "\n"


def _parts(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.0f}" for name, value in found.items())


def failings(rows: list[Row]) -> list[str]:
    found = [
        f"{row.tenants} tenants: {row.ratio:.2f} times {row.way}, below the floor of {FLOORS[row.way]:g}"
        for row in rows
        if row.way in FLOORS and row.ratio < FLOORS[row.way]
    ]
    return found + [f"{what} grows by {value:.2f}" for what, value in growth(rows).items() if value > GROWTH]


def main() -> int:
    chosen = arguments()
    if reason := missing():
        print(f"bench/net: skipped, {reason}", flush=True)
        return 0
    enter()
    rows: list[Row] = []
    parts: dict[int, dict[str, float]] = {}
    for tenants in chosen.tenants:
        samples, found = measure(tenants, chosen.ways, chosen.rounds)
        rows += summarise(tenants, samples)
        if found:
            parts[tenants] = found
    table = markdown(rows, parts)
    print("\n" + table)
    if chosen.markdown:
        Path(chosen.markdown).write_text(table)
    wrong = failings(rows)
    for line in wrong:
        print(line)
    return 1 if chosen.check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
