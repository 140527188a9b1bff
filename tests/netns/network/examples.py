"""An example run as its reader would run it: by commands alone, as root and in both ways without root.

A test is a story told to a `Reader`, who has a machine, the example's folder and the command line.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..machine import SOURCES, Machine
from .world import run_in_world

FOLDER = Path(__file__).parents[3] / "examples"
ORDINARY = 23_456
_DEADLINE = 60.0
_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

_COUNTING = """
import sys
from isthmus.cli import main
from isthmus.network.netlink.channel import Channel
status = main(["net", *sys.argv[1:]])
print("writes:", Channel.writes, file=sys.stderr)
sys.exit(status)
"""

_SNAPSHOT = "; ".join(
    (
        *(f"ip -d {each}" for each in ("link", "addr", "route show table all", "-6 route show table all")),
        *("ip rule", "ip -6 rule", "nft list ruleset", "sysctl -a -r '^net.*forward' 2>/dev/null"),
        "find /run/netns /run/isthmus -mindepth 1 2>/dev/null | sort",
    )
)

_OF_THE_KERNEL = re.compile(r"fe80:|ff00::|valid_lft|proto (kernel|ra)\b")
_FLAGS = re.compile(r"<([A-Z0-9_,-]*)>")
_FLAGS_BY_ITSELF = {"LOWER_UP", "NO-CARRIER", "M-DOWN"}
_BY_ITSELF = re.compile(r"\b(state|qdisc) \S+|\b(tentative|linkdown)\b")

Done = subprocess.CompletedProcess[str]
Process = subprocess.Popen[str]


class Reader:
    """Root, of the machine or of a user namespace, in a world that is the test's own."""

    def python(self, *words: str) -> Process:
        """Start a Python program, with pipes."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = {"PYTHONPATH": str(SOURCES), "PATH": f"{_PATH}"}
        return subprocess.Popen([sys.executable, "-P", *words], text=True, env=environment, **pipes)

    def begin(self, file: Path) -> None:
        """Be ready for the first `snapshot`, before anything is made of a file."""

    def snapshot(self) -> list[str]:
        """Describe what networks could have changed in the host's namespace."""
        return steady(self.inside("host", "sh", "-c", _SNAPSHOT))

    def start(self, *words: str) -> Process:
        """Start `isthmus WORDS`."""
        return self.python("-m", "isthmus.cli", *words)

    def net(self, *words: str, status: int = 0) -> str:
        """Run `isthmus net WORDS`, which must end with the status; return what it prints."""
        return _output(self.start("net", *words), status)

    def inside(self, namespace: str, *command: str, status: int = 0) -> str:
        """Run a command inside a namespace; return what it prints."""
        return self.net("exec", namespace, "--", *command, status=status)

    def start_inside(self, namespace: str, *command: str) -> Process:
        """Start a command inside a namespace."""
        return self.start("net", "exec", namespace, "--", *command)

    def run_python(self, namespace: str, program: str, *words: str) -> str:
        """Run a Python program inside a namespace."""
        return self.inside(namespace, sys.executable, "-P", "-c", program, *words)

    def listing(self, namespace: str, *words: str) -> Any:
        """Return what `ip -json WORDS` says inside a namespace."""
        return json.loads(self.inside(namespace, "ip", "-d", "-json", *words) or "[]")

    def writes(self, *words: str) -> int:
        """Run `isthmus net WORDS` and say how many changes it asked the kernel for."""
        process = self.python("-c", _COUNTING, *words)
        _, errors = process.communicate(timeout=_DEADLINE)
        assert process.returncode == 0, errors
        return int(errors.rsplit("writes: ", 1)[1])


class OrdinaryReader(Reader):
    """An ordinary user of a machine: what the user builds is in the user's lab."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def python(self, *words: str) -> Process:
        return self._machine.start(ORDINARY, sys.executable, "-P", *words)

    def begin(self, file: Path) -> None:
        # What is made is compared with the lab before; the lab outlasts it.
        self.net("plan", str(file))


def steady(listed: str) -> list[str]:
    """Leave out of a listing what the kernel changes by itself: carrier, IPv6's own addresses and routes.

    Of a carrier `ip` learns when the kernel's queue of such events was worked off: on a busy machine a
    second after both ends of a cable were set up, and two listings of one network differ by it.
    """
    lines = (line for line in listed.splitlines() if not _OF_THE_KERNEL.search(line))
    return [" ".join(_BY_ITSELF.sub("", _FLAGS.sub(_kept_flags, line)).split()) for line in lines]


def _kept_flags(found: re.Match[str]) -> str:
    # `ip` writes NO-CARRIER first and M-DOWN last, so that no comma belongs to either.
    return f"<{','.join(each for each in found[1].split(',') if each not in _FLAGS_BY_ITSELF)}>"


def _output(process: Process, status: int) -> str:
    output, errors = process.communicate(timeout=_DEADLINE)
    assert process.returncode == status, f"status {process.returncode}: {output}{errors}"
    return output


Story = Callable[[Reader, Path], None]


def told_by_everybody(story: Story) -> Callable[..., None]:
    """Make a test of a story: by root, by root of a user namespace, by an ordinary user of a machine.

    The story gets a copy of the examples, which the reader may read and the story change.
    """

    @pytest.mark.parametrize("who", ["root", "root-of-a-user-namespace", "an-ordinary-user"])
    def test(who: str, request: pytest.FixtureRequest) -> None:
        missing = [each for each in ("ip", "nft", "ping") if shutil.which(each, path=_PATH) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            copy = shutil.copytree(FOLDER, Path(folder) / "examples")
            if who == "an-ordinary-user":
                story(OrdinaryReader(request.getfixturevalue("machine")), copy)
            else:
                run_in_world(lambda: story(Reader(), copy), rootless=who != "root")

    test.__name__ = story.__name__
    test.__doc__ = story.__doc__
    return test


@contextmanager
def waiting(process: Process, ready: str) -> Iterator[Process]:
    """Have a program at work that says a line when it is ready; it is ended afterwards."""
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.strip() == ready, said + (process.communicate(timeout=_DEADLINE)[1] or "")
        yield process
    finally:
        # The end of its input ends it. Killing would end `nsenter`, not what that started on a machine.
        if process.poll() is None:
            process.communicate(timeout=_DEADLINE)


LISTENER = """
import os, socket, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
listening = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    with listening.accept()[0] as client:
        client.sendall((socket.gethostname() + " sees " + client.getpeername()[0] + "\\n").encode())
        while data := client.recv(1000):
            client.sendall(data)
"""
"""A server on an address and a port: greets with its host name and the client's address, then echoes."""

CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as server:
    lines = server.makefile("rw")
    print(lines.readline(), end="", flush=True)
    for line in sys.stdin:
        lines.write(line); lines.flush()
        print(lines.readline(), end="", flush=True)
"""
"""Prints the greeting, then sends every line that it reads and prints what comes back."""
