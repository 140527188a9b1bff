"""The proxies of a lab: started on a configuration file, waited for, stopped."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from isthmus import kernel
from isthmus.lab.errors import LabError

# A debug build on a machine that is busy with other tests takes seconds to import and start.
_START_SECONDS = 30.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.02
_LISTEN = "0A"


def default_command() -> list[str]:
    """Isthmus itself, by the interpreter that runs the lab."""
    return [sys.executable, "-m", "isthmus.cli"]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has at this moment; the lab takes them a moment later."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def running_proxy(command: list[str], configuration: Path, awaited: Mapping[int, set[int]]) -> Iterator[None]:
    """Start a proxy on a configuration, and stop it afterwards.

    `awaited` holds, for a process in each network namespace, the ports that listen there before the
    proxy counts as started. What the proxy prints lies beside the configuration, as `NAME.log`.
    """
    log = configuration.with_suffix(".log")
    leader = os.getpid()

    def bind_to_leader() -> None:
        # Ctrl-C is for the leader, which stops its proxies in order.
        os.setsid()
        kernel.die_with(leader)

    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                [*command, "-f", str(configuration), "-db"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=bind_to_leader,
            )
        except OSError as error:
            raise LabError(f"the proxy could not be started: {shlex.join(command)}: {error}") from error
    try:
        _await_listening(process, awaited, log)
        yield
    finally:
        _stop(process)


def _await_listening(process: subprocess.Popen[bytes], awaited: Mapping[int, set[int]], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not all(ports <= _listening_beside(neighbour) for neighbour, ports in awaited.items()):
        if process.poll() is not None:
            raise LabError(f"the proxy ended with status {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise LabError(f"the proxy did not listen within {_START_SECONDS:g} s:\n{_tail(log)}")
        time.sleep(_POLL_SECONDS)


def _listening_beside(process: int) -> set[int]:
    return listening_ports(Path(f"/proc/{process}/net/tcp").read_text())


def listening_ports(table: str) -> set[int]:
    """Find the ports on which somebody listens, in the form of /proc/net/tcp (proc(5)).

    Looking them up sends no traffic: a proxy that expects a PROXY header logs no false alarm.
    """
    rows = (line.split() for line in table.splitlines()[1:])
    return {int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == _LISTEN}


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-20:]
    return "\n".join(f"    {line}" for line in lines) or "    (it printed nothing)"


def _stop(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The proxy leads a group of its own, in which whatever it started is as well.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
