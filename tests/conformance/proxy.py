"""A proxy as a process: started, waited for, stopped, its exit status and stderr kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .listeners import listening_ports
from .wire import DEADLINE, End, dial_unix

# Seconds that a start may take: on a machine that compiles beside the tests Python is slow to begin.
START = 40.0
# Python may keep what it compiled: a start then takes half the time.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def reference() -> str | None:
    """The HAProxy that sets the expectation."""
    return _find(os.environ.get("HAPROXY_BIN", "haproxy"))


def candidate() -> str | None:
    """The proxy compared with it: $ISTHMUS_BIN, else the isthmus beside this Python."""
    named = os.environ.get("ISTHMUS_BIN")
    if named:
        return _find(named)
    beside = Path(sys.executable).with_name("isthmus")
    return str(beside) if beside.exists() else shutil.which("isthmus")


def _find(program: str) -> str | None:
    # An ordinary user's PATH on Debian lacks the folder that haproxy lies in.
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")


def is_haproxy(program: str) -> bool:
    return Path(program).name.startswith("haproxy")


class Proxy:
    """A running proxy."""

    def __init__(
        self,
        program: str,
        config: Path,
        ports: list[int],
        paths: list[str],
        fds: Sequence[int] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        self.program = program
        self._stopping = False
        self.stderr_path = config.with_suffix(".stderr")
        self.stdout_path = config.with_suffix(".stdout")
        with self.stderr_path.open("wb") as err, self.stdout_path.open("wb") as out:
            self._process = subprocess.Popen(
                [program, "-f", str(config), "-db"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**ENVIRONMENT, **(env or {})},
                pass_fds=fds,
            )
        self.pid = self._process.pid
        self._wait_until_it_listens(ports, paths)

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text(errors="replace")

    @property
    def stdout(self) -> str:
        return self.stdout_path.read_text(errors="replace")

    def _wait_until_it_listens(self, ports: list[int], paths: list[str]) -> None:
        # To ask the kernel does not disturb: a probing connection would be logged and counted.
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                status = self._process.returncode
                raise AssertionError(f"{self.program} ended at start ({status}):\n{self.stderr}")
            if set(ports) <= listening_ports() and all(Path(path).exists() for path in paths):
                return
            time.sleep(0.01)
        missing = sorted(set(ports) - listening_ports())
        self.kill()
        raise AssertionError(f"{self.program} does not listen on {missing}:\n{self.stderr}")

    def command(self, path: str, line: str) -> str:
        """One command over the stats socket, and its answer."""
        return asked(dial_unix(path), line)

    def signal(self, number: signal.Signals) -> None:
        self._stopping |= number == signal.SIGUSR1
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits for the end; the exit status, negative for a signal, as subprocess says it."""
        return self._process.wait(DEADLINE)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Graceful stop, unless it ended before: what was accepted is served and logged first."""
        # A second one would kill a HAProxy that is about to exit, and heeds signals no more.
        if self.is_running() and not self._stopping:
            self.signal(signal.SIGUSR1)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.program} did not end on SIGUSR1:\n{self.stderr}") from None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def asked(end: End, line: str) -> str:
    """One command over a connection to a stats socket, and its answer."""
    try:
        end.send(line.encode() + b"\n")
        return end.read_end()[0].decode()
    finally:
        end.close()


def run(program: str, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs to the end: for -c, -v and the like."""
    return subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        env={**ENVIRONMENT, **(env or {})},
    )


def blamed_lines(output: str, name: str) -> list[int]:
    """The lines of the file `name` that a proxy's diagnostics speak of, each once, in order."""
    found = [int(number) for number in re.findall(re.escape(name) + r":(\d+)", output)]
    return list(dict.fromkeys(found))
