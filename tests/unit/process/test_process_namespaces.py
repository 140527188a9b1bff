"""Stats sockets and checks in namespaces of their own, with the real engine and real namespaces."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("isthmus.engine._native", reason="the engine is not built")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="making network namespaces needs root and ip(8)"
)

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
CONFIGURATION = """
global
  stats socket {folder}/s level admin
  stats socket 127.0.0.1:9999 level user namespace {name}
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
listen l
  bind 127.0.0.1:{port}
  server here 127.0.0.1:9998 check inter 50
  server there 127.0.0.1:9999 check inter 50 check-namespace {name}
"""


@pytest.fixture
def namespace() -> Iterator[str]:
    name = f"isthmus-test-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        time.sleep(0.01)


def ask(path: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(line.encode() + b"\n")
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer.decode()


def test_a_stats_socket_and_a_check_live_in_the_namespace_that_their_lines_name(
    namespace: str, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "x.cfg").write_text(CONFIGURATION.format(folder=tmp_path, name=namespace, port=port))
    process = subprocess.Popen(
        [sys.executable, "-m", "isthmus.cli", "-db", "-f", str(tmp_path / "x.cfg")],
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: (tmp_path / "s").exists() or process.poll() is not None)
        until(lambda: "l,here,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN," in ask(tmp_path / "s", "show stat"))
        until(lambda: ",UP," in ask(tmp_path / "s", "show stat l 4 2"))
        script = (
            "import socket; c = socket.create_connection(('127.0.0.1', 9999)); "
            "c.sendall(b'show cli level\\n'); print(c.recv(99).decode())"
        )
        inside = subprocess.run(
            ["ip", "netns", "exec", namespace, sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
        )
        assert inside.stdout.startswith("user\n")
        assert f"{namespace} /run/netns/{namespace} present" in ask(tmp_path / "s", "show namespaces")
        process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
