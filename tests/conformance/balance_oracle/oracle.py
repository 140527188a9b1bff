"""A real HAProxy 2.6 as a black box: which server does it choose for this key?

One process holds many backends. Every server of every backend is the same answering
frontend, and the backend notes the identifier of the server it chose in a response header,
so that thousands of choices per second can be read over one keep-alive connection.
It knows nothing of what the answers mean; record.py decides what to ask.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

_HEAD = """
global
    nbthread 1
    maxconn 4000
    stats socket {dir}/admin.sock level admin
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
    timeout queue 60s
frontend ask
    bind unix@{dir}/ask.sock
    use_backend %[path,field(2,/)]
frontend answer
    bind unix@{dir}/answer.sock
    http-request return status 200 hdr x-hash %[req.hdr(x-hash)]
"""


def server_line(directory: str, identifier: int, options: str) -> str:
    """One server line that leads to the answering frontend."""
    return f"    server s{identifier} unix@{directory}/answer.sock id {identifier} {options}\n"


class Oracle:
    """A running HAProxy with the given backends; leaving the context ends it."""

    def __init__(
        self, backends: Mapping[str, tuple[str, Sequence[tuple[int, str]]]], extra: str = ""
    ) -> None:
        """`backends` gives each name its lines and its servers (identifier, options)."""
        self._scratch = tempfile.TemporaryDirectory(prefix="balance-oracle-")
        self.directory = self._scratch.name
        text = _HEAD.format(dir=self.directory)
        for name, (lines, servers) in backends.items():
            text += f"backend {name}\n    http-response set-header x-srv %[srv_id]\n"
            text += "".join(f"    {line.strip()}\n" for line in lines.splitlines() if line.strip())
            text += "".join(server_line(self.directory, number, options) for number, options in servers)
        text += extra.replace("{dir}", self.directory)
        (Path(self.directory) / "haproxy.cfg").write_text(text)

    def __enter__(self) -> Oracle:
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", f"{self.directory}/haproxy.cfg"],
            stdout=subprocess.DEVNULL,
            stderr=(Path(self.directory) / "stderr").open("w"),
        )
        deadline = time.monotonic() + 60
        while True:
            self._asking = socket.socket(socket.AF_UNIX)
            try:
                self._asking.connect(f"{self.directory}/ask.sock")
            except OSError:
                self._asking.close()
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError((Path(self.directory) / "stderr").read_text()) from None
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.close()
        self._process.kill()
        self._process.wait()
        self._scratch.cleanup()

    def ask(self, requests: Iterable[tuple[str, dict[str, str]]], field: bytes = b"x-srv") -> list[int]:
        """The server chosen for each (backend, headers), in order; 0 where none was."""
        pending = [
            (
                f"GET /{backend}/ HTTP/1.1\r\nhost: a\r\n"
                + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
                + "\r\n"
            )
            for backend, headers in requests
        ]
        answers: list[int] = []
        for start in range(0, len(pending), 50):
            batch = pending[start : start + 50]
            self._asking.sendall("".join(batch).encode())
            buffer = b""
            while buffer.count(b"\r\n\r\n") < len(batch):
                chunk = self._asking.recv(65536)
                if not chunk:
                    raise RuntimeError(f"closed after {buffer!r}")
                buffer += chunk
            answers += [_field(head, field) for head in buffer.split(b"\r\n\r\n")[: len(batch)]]
        return answers

    def keyed(self, backend: str, keys: Iterable[bytes]) -> list[int]:
        """The server chosen by `balance hash req.hdr(k),b64dec` for each key."""
        return self.ask((backend, {"k": base64.b64encode(key).decode()}) for key in keys)

    def command(self, line: str) -> str:
        """The runtime API's answer to one command."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(f"{self.directory}/admin.sock")
            admin.sendall(line.encode() + b"\n")
            answer = b""
            while chunk := admin.recv(65536):
                answer += chunk
        return answer.decode()


def _field(head: bytes, name: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.startswith(name + b": "):
            return int(line.split(b": ", 1)[1])
    return 0
