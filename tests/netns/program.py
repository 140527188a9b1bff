"""A proxy under test as a process on a ground."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from .ground import DEADLINE, Ground, find


def isthmus() -> str | None:
    """$ISTHMUS_BIN, else the isthmus beside this Python."""
    named = os.environ.get("ISTHMUS_BIN")
    if named:
        return shutil.which(named)
    beside = Path(sys.executable).with_name("isthmus")
    return str(beside) if beside.exists() else None


def haproxy() -> str | None:
    return find("haproxy")


class Program:
    """A running proxy, its admin socket, its standard error, and what it holds."""

    def __init__(self, ground: Ground, program: str, text: str, folder: Path, name: str = "proxy") -> None:
        self.ground = ground
        self.program = program
        self.socket_path = folder / f"{name}.sock"
        self.path = folder / f"{name}.cfg"
        self.path.write_text(text.replace("@stats@", f"stats socket {self.socket_path} level admin"))
        self.error_path = folder / f"{name}.stderr"
        with self.error_path.open("wb") as errors:
            self.process = subprocess.Popen(
                ground.command(program, "-f", str(self.path), "-db", lasting=True),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        ground.closing(self)
        if "@stats@" in text:
            self._wait_for_socket()

    def _wait_for_socket(self) -> None:
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{self.program} did not start: {self.errors}\n{self.path.read_text()}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return bool(self.command("show info"))
        except OSError:
            return False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def errors(self) -> str:
        return self.error_path.read_text(errors="replace")

    def command(self, text: str) -> str:
        """One command to the admin socket, and its answer."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(DEADLINE)
            admin.connect(str(self.socket_path))
            return converse(admin, text)

    def server_row(self, backend: str, server: str) -> dict[str, str]:
        """A server's (or FRONTEND's, BACKEND's) row of `show stat`."""
        lines = self.command("show stat").splitlines()
        names = lines[0].lstrip("# ").split(",")
        for row in lines[1:]:
            cells = dict(zip(names, row.split(","), strict=False))
            if (cells.get("pxname"), cells.get("svname")) == (backend, server):
                return cells
        raise AssertionError(f"no {backend}/{server} in {lines}")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self) -> int:
        """Bytes of memory that are its own."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) * 1024

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def wait(self) -> int:
        return self.process.wait(DEADLINE)

    def stop(self) -> int:
        """Asks for a graceful stop and gives the exit status."""
        self.signal(signal.SIGUSR1)
        return self.wait()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        print(self.path.name, "ended with", self.process.returncode, "and said:", self.errors)


def converse(admin: socket.socket, text: str) -> str:
    """A command over a connected admin socket, and its answer."""
    admin.sendall(text.encode() + b"\n")
    got = b""
    while chunk := admin.recv(65536):
        got += chunk
    return got.decode()
