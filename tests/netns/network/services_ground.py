"""Two namespaces with a supervisor's services in them, looked at from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isthmus import kernel
from isthmus.network.model import (
    Namespace,
    Network,
    Service,
)
from isthmus.network.services import (
    ServiceError,
    apply_services,
    leftovers,
    read_services,
    stop_services,
)
from isthmus.network.services.paths import socket_path
from isthmus.network.spaces import OWN_FOLDER, Space, locate

DEADLINE = 20.0


def eventually(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def may_make_namespaces() -> bool:
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True)
    return tried.returncode == 0 and os.access("/run", os.W_OK)


def has_users() -> bool:
    """Whether there are other users than ours, which a lab without root does not have."""
    return Path("/proc/self/uid_map").read_text().split()[2] != "1"


BREAKDOWN = """
import subprocess, sys
from pathlib import Path
from isthmus.network.services import stop_services
stop_services(sys.argv[1], print)
for path in sys.argv[2:]:
    subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL)
    Path(path).unlink(missing_ok=True)
    if not any(Path(path).parent.glob("*")):
        Path(path).parent.rmdir()
"""


class Ground:
    """A network's name, its namespaces, a folder to record in; gone when the test is."""

    def __init__(self, folder: Path) -> None:
        self.name = f"t{os.getpid()}"
        self.folder = folder
        self.said: list[str] = []
        self._made: list[Path] = []
        self.red = Namespace("red", named=False, hostname="alpha")
        self.blue = Namespace("blue", named=False)
        self._watch = self._watched()

    def _watched(self) -> subprocess.Popen[bytes]:
        """Supervisors outlive who starts them: this process ends them where the tests are killed."""
        paths = [str(path) for each in (self.red, self.blue) for path in self._paths(each)]
        words = [sys.executable, "-c", BREAKDOWN, self.name, *paths]
        return subprocess.Popen(
            ["/bin/sh", "-c", 'read _ || exec "$@"', "sh", *words],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _paths(self, namespace: Namespace) -> list[Path]:
        space = locate(namespace, self.name)
        return [space.net, *([space.uts] if space.uts else [])]

    def close(self) -> None:
        self._watch.communicate(b"well\n", DEADLINE)

    def make(self, *namespaces: Namespace) -> None:
        for each in namespaces:
            space = locate(each, self.name)
            thread = threading.Thread(target=self._make, args=(each, space))
            thread.start()
            thread.join()

    def _make(self, namespace: Namespace, space: Space) -> None:
        kernel.unshare(kernel.CLONE_NEWNET | (kernel.CLONE_NEWUTS if space.uts else 0))
        if space.uts:
            kernel.sethostname(namespace.hostname or "")
            self._bind("/proc/thread-self/ns/uts", space.uts)
        self._bind("/proc/thread-self/ns/net", space.net)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def _bind(self, source: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        kernel.mount(source, str(target), flags=kernel.MS_BIND)
        self._made.append(target)

    def unmake(self) -> None:
        for each in self._made:
            kernel.unmount(str(each))
            each.unlink()
        self._made.clear()

    def network(self, *services: Service, **more) -> Network:
        return Network(self.name, (self.red, self.blue), services=services, **more)

    def apply(self, *services: Service, **more) -> None:
        apply_services(self.network(*services, **more), self.said.append)

    def stop(self) -> None:
        stop_services(self.name, self.said.append)

    def record(self, word: str) -> str:
        """A piece of shell that records a word."""
        return f"echo {word} >> {self.folder}/record"

    @property
    def recorded(self) -> list[str]:
        path = self.folder / "record"
        return path.read_text().split() if path.exists() else []

    def pid(self, service: str) -> int:
        """The process of a service, by what it has in its environment."""
        leaders = [each for each in leftovers(self.name, [service]) if os.getsid(each) == each]
        assert len(leaders) == 1, (service, leaders)
        return leaders[0]

    @property
    def supervisor(self) -> int:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(socket_path(self.name)))
            found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int.from_bytes(found[:4], sys.byteorder)

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in read_services(self.name)}


@contextmanager
def grounded(tmp_path: Path) -> Iterator[Ground]:
    """A ground of one test alone, of which nothing may be left."""
    if not may_make_namespaces():
        pytest.skip("neither root nor a lab: may not make namespaces (test_services_rootless.py makes a lab)")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    made = Ground(tmp_path)
    made.make(made.red, made.blue)
    yield made
    try:
        stop_services(made.name, made.said.append)
    except ServiceError as error:
        print(error)
    made.unmake()
    assert leftovers(made.name) == []
    for folder in ("net", "uts"):
        if (OWN_FOLDER / folder / made.name).exists():
            (OWN_FOLDER / folder / made.name).rmdir()
    left = [str(path) for path in OWN_FOLDER.glob(f"**/*{made.name}*")]
    assert left == []
    made.close()


def sleeper(name: str, namespace: str = "red", **more) -> Service:
    return Service(name, namespace, ("sleep", "1000"), **more)
