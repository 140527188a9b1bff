"""A machine for one test: processes, network and mounts of its own, with ordinary users that can run Isthmus.

For what lasts by design, such as the holder of a lab: it is gone when the test is, however the test ends.
The interpreter may lie in a folder that only root may enter; on the machine everybody may.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import isthmus

SOURCES = Path(isthmus.__file__).parents[1]
DEADLINE = 60.0
ROOT = 0


@functools.cache
def reason_without_machine() -> str | None:
    """Why there can be none here, None where there can."""
    tried = subprocess.run([*Machine.unsharing(), "true"], capture_output=True, text=True)
    return f"neither root nor user namespaces: {tried.stderr.strip()}" if tried.returncode else None


class Machine:
    """`run` and `start` take a user's number first; without root only root of a user namespace is there."""

    def __init__(self) -> None:
        needed = {str(Path(each).resolve()) for each in (sys.prefix, sys.base_prefix, SOURCES)}
        self._shell = subprocess.Popen(
            [*self.unsharing(), sys.executable, str(Path(__file__).with_name("machine_init.py")), *needed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment(),
            text=True,
        )
        assert self._shell.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self._shell.pid}/task/{self._shell.pid}/children").read_text()
        self._entered = ["nsenter", "--target", children.strip(), "--pid", "--mount", "--net"]
        if os.geteuid() != 0:
            self._entered += ["--user", "--preserve-credentials"]

    @staticmethod
    def unsharing() -> list[str]:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]

    @staticmethod
    def _environment() -> dict[str, str]:
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        return {"PATH": path, "PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}

    def start(
        self, user: int, *words: str, without: tuple[str, ...] = (), **options: object
    ) -> subprocess.Popen[str]:
        """Start a command as a user, who has an empty group list; its output is piped."""
        drop = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        become = ["setpriv", *drop, *without, "--"] if drop or without else []
        defaults = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = self._environment()
        return subprocess.Popen(
            [*self._entered, "--", *become, "env", *words],
            **{**defaults, "text": True, "env": environment, **options},
        )

    def run(self, user: int, *words: str, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(user, *words, without=without)
        output, errors = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(words, process.returncode, output, errors)

    def isthmus(self, user: int, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `isthmus WORDS` to its end."""
        return self.run(user, sys.executable, "-P", "-m", "isthmus.cli", *words)

    def python(self, user: int, text: str) -> str:
        """Run a program in Python that must succeed; return what it prints."""
        done = self.run(user, sys.executable, "-P", "-c", text)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def close(self) -> None:
        """End the machine and everything on it."""
        self._shell.communicate(timeout=DEADLINE)
