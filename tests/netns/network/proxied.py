"""Examples run by the commands of their READMEs, on a machine of the test's own: by root, and by a user."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

from ..machine import ROOT, SOURCES, Machine

EXAMPLES = SOURCES.parent / "examples"
ORDINARY = 23_457
DEADLINE = 180.0

VISITORS = pytest.mark.parametrize("user", [ROOT, ORDINARY], ids=["as-root", "rootless"])
"""Root of the machine, and a user whose networks are in the user's lab."""

_LISTINGS = (
    *(f"ip -d {each}" for each in ("link", "addr", "route show table all", "-6 route show table all")),
    *("ip rule", "ip -6 rule", "ip neigh", "nft list ruleset", "find /run/netns /run/isthmus -not -type d"),
)
_ASK = "import sys, urllib.request; [print(urllib.request.urlopen(each, timeout=20).read().decode(), end='') "
_ASK += "for each in sys.argv[1:]]"


@dataclass(frozen=True)
class Visitor:
    """Who runs an example's commands: a user of a machine, in the example's folder."""

    machine: Machine
    user: int
    folder: Path

    def run(self, *words: str, status: int = 0) -> str:
        """Run `isthmus WORDS`, which must end with the status; return what it prints, errors last."""
        command = ["-C", str(self.folder), sys.executable, "-P", "-m", "isthmus.cli", *words]
        process = self.machine.start(self.user, *command)
        output, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == status, f"status {process.returncode}: {output}{errors}"
        return output + errors

    def net(self, *words: str, status: int = 0) -> str:
        """Run `isthmus net WORDS`."""
        return self.run("net", *words, status=status)

    def inside(self, namespace: str, *words: str, status: int = 0) -> str:
        """Run a command inside a namespace."""
        return self.net("exec", namespace, "--", *words, status=status)

    def ask(self, namespace: str, *pages: str) -> str:
        """Fetch pages from inside a namespace, one after the other; return their text."""
        words = [sys.executable, "-P", "-c", _ASK, *pages]
        if namespace != "outside":
            return self.inside(namespace, *words)
        done = self.machine.run(self.user, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def snapshot(self) -> str:
        """Describe what a network could have changed in `host`, and the files that stand for namespaces."""
        text = "; ".join(f"{each} 2>/dev/null" for each in _LISTINGS)
        return self.inside("host", "sh", "-c", f"PATH=$PATH:/usr/sbin:/sbin; {text}; true")

    def made_checked_and_unchanged(self, file: str) -> None:
        """Plan, apply, apply again, check: what every example must stand."""
        assert "to make" in self.net("plan", file)
        self.net("apply", file)
        assert "nothing to do" in self.net("apply", file)
        assert "all hold" in self.net("check", file)


@contextmanager
def visit(machine: Machine, user: int, example: str) -> Iterator[Visitor]:
    """Let a user visit an example: in a copy that all may read, on a machine that is as before afterwards."""
    missing = [
        each for each in ("ip", "nft") if shutil.which(each, path="/usr/sbin:/sbin:/usr/bin:/bin") is None
    ]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="isthmus-example-") as made:
        Path(made).chmod(0o755)
        folder = Path(shutil.copytree(EXAMPLES / example, Path(made, example)))
        visitor = Visitor(machine, user, folder)
        # Root's names of namespaces lie there; other tests' do too.
        assert machine.run(ROOT, "mount", "-t", "tmpfs", "tmpfs", "/run").returncode == 0
        if user != ROOT:
            # The lab is there before the network, and after it.
            Path(made, "nothing.yaml").write_text("network: nothing\n")
            visitor.net("plan", "../nothing.yaml")
        before = visitor.snapshot()
        yield visitor
        changed = list(unified_diff(before.splitlines(), visitor.snapshot().splitlines(), lineterm="", n=0))
        assert changed == [], "\n".join(changed)


def has_no(kind: str) -> bool:
    """Say whether this kernel lacks a kind of interface; asked in a namespace that nobody sees."""
    user = ["--user", "--map-root-user"]
    words = [
        "unshare",
        *user,
        "--net",
        "sh",
        "-c",
        f"ip link add name p type bridge && ip link add link p name c type {kind}",
    ]
    return subprocess.run(words, capture_output=True).returncode != 0
