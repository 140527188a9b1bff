"""A whole process from start to end: signals, pidfile, daemon, failures. The engine is a stand-in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_native import COMMAND
from free_ports import free_port

from isthmus.process import starting
from isthmus.process.errors import StartError
from isthmus.process.supervisor import CONTROL_SIGNALS

TIMEOUTS = "defaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
REPOSITORY = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "waited 20 s in vain"
        time.sleep(0.01)


def configured(folder: Path, port: int, *extra: str, server: str = "") -> str:
    lines = "".join(f" {each}\n" for each in (f"stats socket {folder}/s mode 600 level admin", *extra))
    text = f"global\n{lines}{TIMEOUTS}listen l\n bind 127.0.0.1:{port}\n server s 127.0.0.1:9 {server}\n"
    (folder / "x.cfg").write_text(text)
    return str(folder / "x.cfg")


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *options], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        until(lambda: (folder / "s").exists() or process.poll() is not None)
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(folder: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(folder / "s"))
        connection.sendall(line.encode() + b"\n")
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer.decode()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=20)
    return process.returncode, said


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGUSR1, 0), (signal.SIGTERM, -15), (signal.SIGINT, -2)]
)
def test_a_signal_ends_it_with_the_status_that_haproxy_has(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    with running(tmp_path, "-db", "-f", configured(tmp_path, free_port())) as process:
        assert ask(tmp_path, "show cli level") == "admin\n\n"
        process.send_signal(number)
        assert ended(process)[0] == status
    assert os.listdir(tmp_path) == ["x.cfg"]


def test_a_graceful_stop_says_goodbye_for_every_proxy(tmp_path: Path) -> None:
    with running(tmp_path, "-db", "-f", configured(tmp_path, free_port())) as process:
        ask(tmp_path, "show version")
        process.send_signal(signal.SIGUSR1)
        _, said = ended(process)
    assert said.endswith(": Proxy l stopped (cumulated conns: FE: 0, BE: 0).\n")


def test_sighup_dumps_the_states_of_servers(tmp_path: Path) -> None:
    with running(tmp_path, "-db", "-f", configured(tmp_path, free_port())) as process:
        ask(tmp_path, "show version")
        process.send_signal(signal.SIGHUP)
        assert [told(process) for _ in range(4)] == [
            "SIGHUP received, dumping servers states.",
            "SIGHUP received, dumping servers states for proxy l.",
            "SIGHUP: Server l/s is UP. Conn: 0 act, 0 pend, 0 tot.",
            "SIGHUP: Proxy l has 1 active servers and 0 backup servers available. "
            "Conn: act(FE+BE): 0+0, 0 pend (0 unass), tot(FE+BE): 0+0.",
        ]


def test_pausing_is_not_implemented_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, "-db", "-f", configured(tmp_path, free_port())) as process:
        ask(tmp_path, "show version")
        process.send_signal(signal.SIGTTOU)
        assert told(process) == "SIGTTOU received: pausing is not implemented."


def told(process: subprocess.Popen[str]) -> str:
    """Return the next message of a process, without its severity and number."""
    assert process.stderr is not None
    return process.stderr.readline().rstrip("\n").split(" : ", 1)[1]


def test_a_bind_that_fails_is_told_at_its_line_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = configured(tmp_path, port, f"pidfile {tmp_path}/pid")
        with running(tmp_path, "-f", path, "-D") as process:
            status, said = ended(process)
    assert status == 1
    assert f"Binding [{path}:10] for frontend l: cannot bind socket (Address already in use)" in said
    assert os.listdir(tmp_path) == ["x.cfg"]


def test_a_stats_socket_that_fails_ends_the_start(tmp_path: Path) -> None:
    path = configured(tmp_path, free_port(), "stats socket /nonexistent/s")
    with running(tmp_path, "-db", "-f", path) as process:
        status, said = ended(process)
    assert (status, f"[{path}:3] : cannot open the stats socket: " in said) == (1, True)
    assert os.listdir(tmp_path) == ["x.cfg"]


def test_a_daemon_answers_when_its_starter_has_ended_and_writes_its_pidfile(tmp_path: Path) -> None:
    path = configured(tmp_path, free_port())
    done = subprocess.run(
        [*COMMAND, "-D", "-p", f"{tmp_path}/pid", "-f", path],
        env=ENVIRONMENT,
        timeout=20,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    pid = int((tmp_path / "pid").read_text())
    try:
        assert done.returncode == 0
        info = ask(tmp_path, "show info")
        assert f"Pid: {pid}\n" in info
        assert os.getsid(pid) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not (tmp_path / "s").exists())


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
def test_a_daemon_may_live_in_an_empty_chroot(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "empty").mkdir()
    path = configured(
        tmp_path, free_port(), f"chroot {tmp_path}/empty", "uid 65534", f"pidfile {tmp_path}/pid"
    )
    done = subprocess.run([*COMMAND, "-D", "-f", path], env=ENVIRONMENT, timeout=20, check=False)
    pid = int((tmp_path / "pid").read_text())
    try:
        assert done.returncode == 0
        assert os.readlink(f"/proc/{pid}/root") == f"{tmp_path}/empty"
        assert os.readlink(f"/proc/{pid}/fd/2") == "/dev/null"
        assert "Stopping: 0\n" in ask(tmp_path, "show info")
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}/root").exists())


def test_a_new_process_asks_the_old_one_to_finish(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with running(first, "-db", "-f", configured(first, free_port())) as older:
        ask(first, "show version")
        path = configured(second, free_port())
        with running(second, "-db", "-f", path, "-sf", str(older.pid)) as newer:
            assert ended(older)[0] == 0
            newer.terminate()
            assert ended(newer)[0] == -15


def test_a_service_manager_is_told_when_it_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        process = subprocess.Popen(
            [*COMMAND, "-Ws", "-f", configured(tmp_path, free_port())],
            env={**ENVIRONMENT, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stderr=subprocess.DEVNULL,
        )
        try:
            assert manager.recv(1000).startswith(f"READY=1\nMAINPID={process.pid}\n".encode())
            ask(tmp_path, "show version")
            process.send_signal(signal.SIGUSR1)
            assert manager.recv(1000) == b"STOPPING=1"
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()


def test_a_running_process_sleeps_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    with running(tmp_path, "-db", "-f", configured(tmp_path, free_port())) as process:
        ask(tmp_path, "show version")
        before = wakeups(process.pid)
        time.sleep(0.5)
        assert wakeups(process.pid) - before <= 5


def wakeups(pid: int) -> int:
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                found += int(line.split()[1])
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_privileges_are_dropped_behind_the_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = configured(tmp_path, free_port(), "uid 65534", "gid 65534")
    with running(tmp_path, "-db", "-f", path) as process:
        ask(tmp_path, "show version")
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert "Gid:\t65534\t65534\t65534\t65534" in status


def test_a_signal_during_the_start_waits_for_the_control_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        # To this thread: others of a test's process do not block it, and would die of it.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        raise StartError("no further")

    monkeypatch.setattr(starting, "_limited", interrupted)
    nothing: Any = None
    told: Any = SimpleNamespace(alert=lambda _: None)
    try:
        assert starting.start(nothing, nothing, nothing, told) == 1
        assert signal.sigpending() == {signal.SIGUSR1}
        assert signal.sigwait({signal.SIGUSR1}) == signal.SIGUSR1
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CONTROL_SIGNALS)
