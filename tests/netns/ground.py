"""The ground that a test stands on: namespaces, sockets in them, programs beside them.

Every test has a /run/netns of its own (agent.py), so names are what the test likes to call them, two tests
never meet, and a test that is killed leaves nothing: the kernel takes the mounts with the last process.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

AGENT = Path(__file__).with_name("agent.py")
DEADLINE = 10.0


@functools.cache
def reason_without_ground() -> str | None:
    """Why no namespace can be made here, None where it can."""
    for tool in ("unshare", "nsenter", "setpriv", "ip"):
        if not find(tool):
            return f"no {tool} (Debian packages: util-linux, iproute2)"
    tried = subprocess.run(
        [*Ground.unsharing(own_network=True), "mount", "-t", "tmpfs", "none", "/run"],
        capture_output=True,
        text=True,
    )
    if tried.returncode:
        return f"neither root nor user namespaces: {tried.stderr.strip() or tried.stdout.strip()}"
    return None


def find(program: str) -> str | None:
    # An ordinary user's PATH on Debian lacks the folders that ip, nft and haproxy lie in.
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Ground:
    """A private /run/netns, and, unless the host's is asked for, a private default namespace.

    `user` drops to another user first: what an ordinary user can do, tried by root.
    """

    def __init__(self, own_network: bool = True, user: int | None = None) -> None:
        self.link, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(60)
        self._turn = threading.Lock()
        self.user = user
        drop = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        # Another user may not be able to run this Python. Neither needs its site packages.
        python = sys.executable if user is None else "/usr/bin/python3"
        # The agent ends by itself when the test's end of the socket is closed, in whatever way.
        with far:
            self._agent = subprocess.Popen(
                [
                    *drop,
                    *self.unsharing(own_network, self.rootless),
                    *(python, "-S", "-E", str(AGENT), str(far.fileno())),
                    "own" if own_network else "host",
                ],
                pass_fds=[far.fileno()],
                env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
            )
        self._entered = [
            *drop,
            *("nsenter", "--target", str(self._agent.pid), "--mount"),
            *(["--net"] if own_network else []),
            *(["--user", "--preserve-credentials"] if self.rootless else []),
            "--",
        ]
        self._closers: list = []
        assert self.link.recv(100) == b"{}", "the agent ended at its start"

    @property
    def rootless(self) -> bool:
        return os.geteuid() != 0 or self.user is not None

    @staticmethod
    def unsharing(own_network: bool, rootless: bool | None = None) -> list[str]:
        rootless = os.geteuid() != 0 if rootless is None else rootless
        user = ["--user", "--map-root-user"] if rootless else []
        network = ["--net"] if own_network else []
        return ["unshare", *user, "--mount", *network, "--propagation", "private", "--"]

    def _ask(self, *request: object) -> list[int]:
        # A test's threads ask too, and each must get its own answer.
        with self._turn:
            self.link.send(json.dumps(request).encode())
            answer, fds, _, _ = socket.recv_fds(self.link, 4096, 1)
        failure = json.loads(answer)
        if failure:
            raise OSError(failure["errno"], failure["text"])
        return fds

    def add(self, name: str, *addresses: str) -> Namespace:
        """A new namespace under a name, with these addresses on its loopback."""
        self._ask("add", name)
        namespace = Namespace(self, name)
        for address in addresses:
            namespace.address(address)
        return namespace

    def add_many(self, names: list[str]) -> None:
        for first in range(0, len(names), 100):
            self._ask("add", *names[first : first + 100])

    def delete(self, name: str) -> None:
        """Takes the name away; the namespace itself lives as long as a socket in it."""
        self._ask("delete", name)

    @property
    def default(self) -> Namespace:
        return Namespace(self, "")

    def named(self, name: str) -> Namespace:
        """A namespace that was added before."""
        return Namespace(self, name)

    def socket(self, name: str, family: int, kind: int) -> socket.socket:
        (fd,) = self._ask("socket", name, int(family), int(kind))
        made = socket.socket(fileno=fd)
        made.settimeout(DEADLINE)
        self.closing(made)
        return made

    def command(self, *words: str, lasting: bool = False) -> list[str]:
        """The words of a command that runs on this ground; a lasting one dies with the test."""
        mortal = ["setpriv", "--pdeathsig", "KILL"] if lasting else []
        program = find(words[0]) or words[0]
        return [*self._entered, *mortal, program, *words[1:]]

    def run(self, *words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.command(*words), input=stdin, capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.stderr}{done.stdout}")
        return done

    def link_pair(self, one: Namespace, other: Namespace, name: str, net: str) -> None:
        """A cable between two namespaces: NET.1 at the one, NET.2 at the other, both ends called `name`."""
        self.run(*one.ip, "link", "add", name, "type", "veth", "peer", "name", name, "netns", other.name)
        for end, last in ((one, 1), (other, 2)):
            self.run(*end.ip, "addr", "add", f"{net}.{last}/24", "dev", name)
            self.run(*end.ip, "link", "set", name, "up")

    def closing(self, thing: object) -> None:
        """Has a thing closed with the ground."""
        self._closers.append(thing)

    def close(self) -> None:
        for closer in reversed(self._closers):
            closer.close()
        self.link.close()
        self._agent.wait(DEADLINE)


class Namespace:
    """A namespace by its name; the name is what stands in a configuration."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground = ground
        self.name = name

    def __str__(self) -> str:
        return self.name

    @property
    def ip(self) -> list[str]:
        return ["ip", "-n", self.name] if self.name else ["ip"]

    def address(self, address: str, device: str = "lo") -> None:
        text = address if "/" in address else address + ("/128" if ":" in address else "/32")
        duplicate = ["nodad"] if ":" in text else []
        self.ground.run(*self.ip, "addr", "add", text, "dev", device, *duplicate)

    def run(self, *words: str, stdin: str = "") -> str:
        """A command inside the namespace."""
        inside = ["nsenter", f"--net=/run/netns/{self.name}", "--"] if self.name else []
        words = (find(words[0]) or words[0], *words[1:])
        return self.ground.run(*inside, *words, stdin=stdin).stdout

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        return self.ground.socket(self.name, family, kind)
