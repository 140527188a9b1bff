"""Namespaces of one test, each kept by a sleeping process that dies with the test: nothing is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from isthmus.network.expecting import Verdict, check
from isthmus.network.model import Expectation, Namespace, Network
from isthmus.network.spaces import Space

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_ALIVE = "import sys; print('up', flush=True); sys.stdin.read()"


def reason_without_namespaces() -> str | None:
    """Why no namespace can be made here, None where it can."""
    for tool in ("unshare", "nsenter", "ip"):
        if not shutil.which(tool, path=_PATH):
            return f"no {tool} (Debian packages: util-linux, iproute2)"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True)
    return f"no right to make a namespace: {tried.stderr.strip()}" if tried.returncode else None


class ExpectingGround:
    """Namespaces by name; `ip` and `run` act inside one."""

    def __init__(self) -> None:
        self.spaces: dict[str, Space] = {}
        self._alive: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, *names: str, lo: bool = True) -> None:
        for name in names:
            process = self.start_in(None, sys.executable, "-S", "-c", _ALIVE)
            self._alive[name] = process
            self.spaces[name] = Space(name, Path(f"/proc/{process.pid}/ns/net"))
            if lo:
                self.ip(name, "link set lo up")

    def start_in(self, name: str | None, *command: str) -> subprocess.Popen[bytes]:
        """Start a program and wait for its first line; it ends when the test does, in whatever way."""
        inside = ["unshare", "--net"] if name is None else self._inside(name)
        process = subprocess.Popen(
            [*inside, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PATH": _PATH},
        )
        self._alive.setdefault(f"process {process.pid}", process)
        assert process.stdout is not None
        assert process.stdout.readline(), f"{command} ended at its start"
        return process

    def _inside(self, name: str) -> list[str]:
        return ["nsenter", f"--net={self.spaces[name].net}"]

    def run(self, name: str, *command: str, stdin: str = "") -> None:
        done = subprocess.run(
            [*self._inside(name), "--", *command],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": _PATH},
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def ip(self, name: str, words: str) -> None:
        self.run(name, "ip", *words.split())

    def nft(self, name: str, text: str) -> None:
        self.run(name, "nft", "-f", "-", stdin=text.replace("}", "\n}\n"))

    def sysctl(self, name: str, setting: str, value: str) -> None:
        self.spaces[name].call(Path("/proc/sys", setting).write_text, value)

    def join(self, one: str, other: str, net: str = "10.0.0", six: str = "", dad: str = "nodad") -> None:
        """A cable: NET.1 at the one, NET.2 at the other; each interface is named for its far end."""
        far = self._alive[other].pid
        self.ip(one, f"link add {other} type veth peer name {one} netns {far}")
        for here, there, last in ((one, other, 1), (other, one, 2)):
            if net:
                self.ip(here, f"addr add {net}.{last}/24 dev {there}")
            if six:
                self.ip(here, f"addr add {six}::{last}/64 dev {there} {dad}")
            self.ip(here, f"link set {there} up")

    def serve(self, name: str, address: str, port: int) -> None:
        """A service that accepts and keeps what it accepted."""
        family = "AF_INET6" if ":" in address else "AF_INET"
        program = (
            "import socket, sys, threading\n"
            f"s = socket.socket(socket.{family})\n"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            f"s.bind(({address!r}, {port})); s.listen()\n"
            "kept = []\n"
            "def serve():\n"
            "    while True: kept.append(s.accept())\n"
            "threading.Thread(target=serve, daemon=True).start()\n"
            "print('up', flush=True); sys.stdin.read()\n"
        )
        self.start_in(name, sys.executable, "-S", "-c", program)

    def judge(self, *meanings: object, **network: object) -> list[Verdict]:
        """Check expectations in a network of all namespaces."""
        made = tuple(Expectation(repr(meaning), meaning) for meaning in meanings)  # type: ignore[arg-type]
        given = {each.name: each for each in network.pop("namespaces", ())}  # type: ignore[attr-defined]
        namespaces = tuple(given.get(name, Namespace(name)) for name in self.spaces)
        return check(Network("test", namespaces, expectations=made, **network), self.spaces)  # type: ignore[arg-type]

    def close(self) -> None:
        for process in self._alive.values():
            assert process.stdin is not None
            process.stdin.close()
        for process in self._alive.values():
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
