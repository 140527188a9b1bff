#!/usr/bin/env python3
"""Proxies side by side: CPU microseconds per operation, in TCP and HTTP mode.

Every proxy loads the same configuration, has one worker and CPU 0 for itself; the load generator and the
origin share CPU 1.  The figure to quote is the proxy's CPU time per operation (user + system, all its
processes), because it holds whether or not the proxy was the bottleneck.  Proxies take turns A B A B, and the
ratio is the median of the rounds' ratios to the first proxy named: above 1, the other one is cheaper.

Needs nginx, wrk, h2load, iperf3, taskset, setpriv, ip; root for ns-close, which is skipped without.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import tls_load
from ground import LOAD_CPU, Ground, Subject, missing_tools, ours
from workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parent.parent
IDLE_CONNECTIONS = 3000
HELD = ("idle-mem", "idle-tls-mem")
"""Workloads that measure memory."""
PACKAGES = "nginx-light wrk nghttp2-client iperf3 util-linux iproute2"


@dataclass(frozen=True)
class Sample:
    """One round of one proxy.  A cost of None: nothing was measured."""

    cost: float | None
    rate: float
    errors: int


@dataclass(frozen=True)
class Row:
    """A workload's result for one proxy; `ratio` is the first proxy's cost divided by this one's."""

    workload: str
    proxy: str
    cost: float | None
    rate: float
    ratio: float | None
    errors: int


def generate(workload: str, port: int, seconds: int) -> tuple[float, float, int]:
    """Runs the load: operations done, operations (or Gbit) per second, errors."""
    if workload == "tcp-bulk":
        return bulk(port, seconds)
    if workload == "tls-resumed":
        return tls_load.resume(port, seconds)
    asked = WORKLOADS[workload]
    if asked.h2:
        return many_streams(port, asked, seconds)
    command = ["wrk", "-t1", f"-c{asked.connections}", f"-d{seconds}s"]
    if asked.close:
        command += ["-H", "Connection: close"]
    for header in asked.headers:
        command += ["-H", header]
    if asked.body:
        script = Path(os.environ.get("TMPDIR", "/tmp")) / f"isthmus-bench-{os.getpid()}.lua"
        script.write_text(f'wrk.method = "POST"\nwrk.body = string.rep("x", {asked.body})\n')
        command += ["-s", str(script)]
    try:
        scheme = "https" if asked.tls else "http"
        output = output_of([*command, f"{scheme}://127.0.0.1:{port}{asked.path}"])
    finally:
        if asked.body:
            script.unlink()
    done = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if not done or not rate:
        return 0, 0.0, 1
    errors = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    if sockets:
        # wrk counts the end that it asked for with `Connection: close` as a read error.
        counted = (1, 3, 4) if asked.close else (1, 2, 3, 4)
        errors += sum(int(sockets.group(n)) for n in counted)
    return int(done.group(1)), float(rate.group(1)), errors


def many_streams(port: int, asked: Workload, seconds: int) -> tuple[float, float, int]:
    """Requests of HTTP/2 over many streams at once."""
    command = f"h2load -t1 -c{asked.connections} -m16 -D{seconds} https://127.0.0.1:{port}{asked.path}"
    output = output_of(command.split())
    found = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", output)
    if not found:
        return 0, 0.0, 1
    done, failed, errored = map(int, found.groups())
    return done, done / seconds, failed + errored


def bulk(port: int, seconds: int) -> tuple[float, float, int]:
    """Megabytes through one connection, and Gbit per second."""
    output = output_of(["iperf3", "-c", "127.0.0.1", "-p", str(port), "-t", str(seconds), "-J"])
    try:
        received = json.loads(output)["end"]["sum_received"]
        return received["bytes"] / 1e6, received["bits_per_second"] / 1e9, 0
    except (KeyError, ValueError):
        return 0, 0.0, 1


def output_of(command: list[str]) -> str:
    return subprocess.run([*ours(LOAD_CPU), *command], capture_output=True, text=True, timeout=120).stdout


def measure(workload: str, subject: Subject, seconds: int) -> Sample:
    port = subject.ports[WORKLOADS[workload].port]
    if workload in HELD:
        return Sample(idle_pair(subject, port, workload), 0.0, 0)
    if workload == "http-p99":
        return slowest_hundredth(port, seconds)
    before = subject.cpu_seconds()
    operations, rate, errors = generate(workload, port, seconds)
    used = subject.cpu_seconds() - before
    return Sample(used * 1e6 / operations if operations else None, rate, errors)


def slowest_hundredth(port: int, seconds: int) -> Sample:
    """Microseconds that 99 of 100 requests take at most, at a rate that leaves the proxy half idle."""
    clients, each = WORKLOADS["http-p99"].connections, 250
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        output_of(
            [*f"h2load --h1 -t1 -c{clients} --rps={each} -D{seconds}".split(), f"--log-file={log.name}",
             f"http://127.0.0.1:{port}/"]
        )  # fmt: skip
        lines = [line.split() for line in Path(log.name).read_text().splitlines()]
    times = sorted(int(line[2]) for line in lines if len(line) == 3 and line[1] == "200")
    if not times:
        return Sample(None, 0.0, 1)
    return Sample(times[len(times) * 99 // 100], len(times) / seconds, len(lines) - len(times))


def idle_pair(subject: Subject, port: int, workload: str) -> float:
    """Bytes that one idle client connection costs the proxy, in TCP mode with its server connection."""
    before = subject.memory_bytes()
    held: list[socket.socket]
    if workload == "idle-tls-mem":
        held = [*tls_load.hold(port, IDLE_CONNECTIONS)]
    else:
        held = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(IDLE_CONNECTIONS)]
    time.sleep(2)
    after = subject.memory_bytes()
    for one in held:
        one.close()
    time.sleep(1)
    return (after - before) / IDLE_CONNECTIONS


def summarise(workload: str, samples: dict[str, list[Sample]], first: str) -> list[Row]:
    rows = []
    for name, rounds in samples.items():
        costs = [one.cost for one in rounds if one.cost]
        pairs = [
            base.cost / one.cost
            for one, base in zip(rounds, samples[first], strict=True)
            if one.cost and base.cost
        ]
        rows.append(
            Row(
                workload,
                name,
                round(statistics.median(costs), 2) if costs else None,
                round(statistics.median(one.rate for one in rounds), 2),
                round(statistics.median(pairs), 2) if pairs else None,
                sum(one.errors for one in rounds),
            )
        )
    return rows


def verdict(row: Row) -> str:
    """How a result stands to the floor and the aim of its workload."""
    asked = WORKLOADS[row.workload]
    value = row.cost if row.workload == "idle-mem" else row.ratio
    if value is None or row.errors:
        return "failed"
    if row.workload == "idle-mem":
        return "aim" if value <= asked.aim else "floor" if value <= asked.floor else "below"
    return "aim" if value >= asked.aim else "floor" if value >= asked.floor else "below"


def markdown(rows: list[Row], first: str, versions: dict[str, str], command: str) -> str:
    """The table for bench/README.md, with what one needs to repeat it."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Linux {platform.release()}, "
        f"{os.cpu_count()} CPUs ({cpu.group(1) if cpu else platform.machine()}): `{command}`",
        "",
        *[f"* {name}: {text}" for name, text in versions.items()],
        "",
        f"| workload | proxy | cost | rate | {first}'s cost / its cost | floor / aim | reached | errors |",
        "|---|---|--:|--:|--:|--:|---|--:|",
    ]
    for row in rows:
        asked = WORKLOADS[row.workload]
        is_first = row.proxy == first
        lines.append(
            f"| {row.workload} | {row.proxy} | {row.cost} {asked.unit} | {row.rate} {asked.rate_unit} "
            f"| {'' if is_first else row.ratio} | {asked.floor:g} / {asked.aim:g} "
            f"| {'' if is_first else verdict(row)} | {row.errors} |"
        )
    return "\n".join(lines) + "\n"


def version_of(command: str) -> str:
    done = subprocess.run([*shlex.split(command), "-v"], capture_output=True, text=True)
    return (done.stdout.splitlines() or ["version unknown"])[0]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare proxies by CPU time per operation.")
    parser.add_argument("--proxy", action="append", help="NAME=COMMAND; the first sets the base")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, separated by commas")
    parser.add_argument("--secs", type=int, default=3, help="seconds per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", help="also write the rows to this file")
    parser.add_argument("--markdown", help="also write the table to this file")
    parser.add_argument("--check", action="store_true", help="fail unless every floor is reached")
    chosen = parser.parse_args()
    unknown = set(chosen.only.split(",")) - set(WORKLOADS)
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    chosen.proxy = chosen.proxy or ["haproxy=haproxy", f"isthmus={ROOT / '.venv/bin/isthmus'}"]
    return chosen


def run(chosen: argparse.Namespace, proxies: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    first = next(iter(proxies))
    with Ground() as ground:
        fleet = [ground.start_proxy(name, command) for name, command in proxies.items()]
        for workload in chosen.only.split(","):
            if workload == "ns-close" and not ground.namespace:
                print("ns-close: skipped, making a namespace needs root", flush=True)
                continue
            samples: dict[str, list[Sample]] = {subject.name: [] for subject in fleet}
            for _ in range(1 if workload in HELD else chosen.rounds):
                for subject in fleet:
                    samples[subject.name].append(measure(workload, subject, chosen.secs))
            for row in summarise(workload, samples, first):
                print(f"{row.workload:16} {row.proxy:10} {row.cost} {WORKLOADS[workload].unit}, "
                      f"{row.rate} {WORKLOADS[workload].rate_unit}, ratio {row.ratio}, errors {row.errors}",
                      flush=True)  # fmt: skip
                rows.append(row)
    return rows


def main() -> int:
    chosen = arguments()
    if missing := missing_tools():
        print(
            f"missing: {', '.join(missing)} (Debian: {PACKAGES})",
            file=sys.stderr,
        )
        return 2
    # A SIGTERM shall run the clean-up as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    proxies = dict(spec.split("=", 1) for spec in chosen.proxy)
    rows = run(chosen, proxies)
    versions = {name: version_of(command) for name, command in proxies.items()}
    shown = "python bench/run.py " + shlex.join(sys.argv[1:])
    table = markdown(rows, next(iter(proxies)), versions, shown.strip())
    print("\n" + table)
    if chosen.markdown:
        Path(chosen.markdown).write_text(table)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps([asdict(row) for row in rows], indent=1))
    first = next(iter(proxies))
    failing = [row for row in rows if row.proxy != first and verdict(row) in ("below", "failed")]
    for row in failing:
        print(f"{row.workload}: {row.proxy} does not reach the floor of {WORKLOADS[row.workload].floor:g}")
    return 1 if chosen.check and failing else 0


if __name__ == "__main__":
    sys.exit(main())
