"""Connections that stay open: which server does HAProxy 2.6 choose while others are busy?

TCP mode, one bind and one backend; every server is a listening socket here, so that the chosen
server is the one that accepts. A connection that nobody accepts stands in a queue.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

QUEUED = 0


class Farm:
    """A running HAProxy before `options` many servers; leaving the context ends it."""

    def __init__(self, lines: str, options: Sequence[tuple[int, str]], bind: str = "") -> None:
        """`lines` go into the backend; `options` gives each server's identifier and keywords."""
        self._scratch = tempfile.TemporaryDirectory(prefix="balance-farm-")
        self.directory = self._scratch.name
        self._selector = selectors.DefaultSelector()
        self._listeners: list[socket.socket] = []
        text = (
            f"global\n    nbthread 1\n    stats socket {self.directory}/admin.sock level admin\n"
            "defaults\n    mode tcp\n    timeout client 60s\n    timeout server 60s\n"
            "    timeout connect 5s\n    timeout queue 60s\n"
            f"frontend ask\n    bind {bind or f'unix@{self.directory}/ask.sock'}\n    default_backend farm\n"
            "backend farm\n"
        )
        text += "".join(f"    {line.strip()}\n" for line in lines.splitlines())
        for identifier, keywords in options:
            path = f"{self.directory}/{identifier}.sock"
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(128)
            listener.setblocking(False)
            self._listeners.append(listener)
            self._selector.register(listener, selectors.EVENT_READ, identifier)
            text += f"    server s{identifier} unix@{path} id {identifier} {keywords}\n"
        (Path(self.directory) / "haproxy.cfg").write_text(text)
        self.clients: dict[int, socket.socket] = {}
        self._accepted: list[socket.socket] = []
        self._peers: dict[int, socket.socket] = {}
        self._next = 0

    def __enter__(self) -> Farm:
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", f"{self.directory}/haproxy.cfg"],
            stdout=subprocess.DEVNULL,
            stderr=(Path(self.directory) / "stderr").open("w"),
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.command("show info")
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((Path(self.directory) / "stderr").read_text()) from None
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for held in (*self.clients.values(), *self._accepted, *self._listeners):
            held.close()
        self._selector.close()
        self._scratch.cleanup()

    def accepted(self, timeout: float = 0.15) -> int:
        """The server that accepts a connection next, QUEUED when none does in `timeout` seconds."""
        for key, _ in self._selector.select(timeout):
            listener = key.fileobj
            assert isinstance(listener, socket.socket)
            self._accepted.append(listener.accept()[0])
            return int(key.data)
        return QUEUED

    def open(self) -> int:
        """Open a connection and keep it; the server that took it (it is client number `self.last`)."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(f"{self.directory}/ask.sock")
        self.clients[self._next] = client
        self._next += 1
        server = self.accepted()
        if server != QUEUED:
            self._peers[self.last] = self._accepted[-1]
        return server

    @property
    def last(self) -> int:
        """The number of the client opened last."""
        return self._next - 1

    def close(self, client: int) -> None:
        """Close a client's connection and wait until HAProxy counts one fewer on the backend."""
        before = self.current()
        self.clients.pop(client).close()
        if client in self._peers:
            self._peers.pop(client).close()
        deadline = time.monotonic() + 5
        while self.current() >= before and time.monotonic() < deadline:
            time.sleep(0.002)

    def current(self) -> int:
        """Connections of the backend now, queued ones included."""
        for line in self.command("show stat").splitlines():
            columns = line.split(",")
            if columns[:2] == ["farm", "BACKEND"]:
                return int(columns[4]) + int(columns[2])
        return 0

    def command(self, line: str) -> str:
        """The runtime API's answer to one command."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(f"{self.directory}/admin.sock")
            admin.sendall(line.encode() + b"\n")
            answer = b""
            while chunk := admin.recv(65536):
                answer += chunk
        return answer.decode()
