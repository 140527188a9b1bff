"""What a benchmark stands on: origins, proxies, a namespace, and a clean-up that a SIGKILL cannot prevent.

Every process dies with this one (pdeathsig).  What is not a process (the namespace, the temporary files) is
removed by a janitor: a shell that waits on a pipe and does its work when the pipe closes, however we ended.
"""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from workloads import BINDS, FILES, HTTP_CONFIG, SERVICES

PROXY_CPU, LOAD_CPU = "0", "1"
NAMESPACE_ADDRESS = "10.250.0.2"
NAMESPACE_PORT = 9003
HZ = os.sysconf("SC_CLK_TCK")

CONFIG = """
global
  nbthread 1
  maxconn 7000
defaults
  mode tcp
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend ft
  bind 127.0.0.1:{tcp}
  default_backend bt
backend bt
  server s1 127.0.0.1:{origin}
frontend fi
  option splice-auto
  bind 127.0.0.1:{bulk}
  default_backend bi
backend bi
  option splice-auto
  server s1 127.0.0.1:{iperf}
"""
NAMESPACE_CONFIG = """
frontend fn
  bind 127.0.0.1:{ns}
  default_backend bn
backend bn
  server s1 {address}:{port} namespace {namespace}
"""
NGINX = """
user root; master_process off; daemon off; error_log /dev/null; pid {folder}/{name}.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen {address} backlog=4096{speaks}; location / {{ return 200 "{body}"; }}
    location /64k {{ root {folder}; }} location /1m {{ root {folder}; }}
    location /chunked {{ root {folder}; ssi on; ssi_types *; }} }} }}
"""


class Ground:
    """The origins and the proxies of one run; a context manager that leaves nothing behind."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="isthmus-bench-"))
        self.namespace = f"isthmus-bench-{os.getpid()}" if os.geteuid() == 0 else None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._taken: set[int] = set()
        self.origin_port = self.free_port()
        self.http2_port = self.free_port()
        self.iperf_port = self.free_port()

    def __enter__(self) -> Ground:
        clean = f"read _; rm -rf {shlex.quote(str(self.folder))}"
        if self.namespace:
            clean += f"; ip netns del {self.namespace} 2>/dev/null"
        self._janitor = subprocess.Popen(["sh", "-c", clean], stdin=subprocess.PIPE, start_new_session=True)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard) if soft < hard else (soft, hard))
        try:
            self._start_origins()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert self._janitor.stdin
        self._janitor.stdin.close()
        self._janitor.wait()

    def free_port(self) -> int:
        """A port above 20000 that nobody listens on, below the ephemeral ones."""
        for port in range(20000 + os.getpid() % 5000, 32000):
            if port in self._taken:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            self._taken.add(port)
            return port
        raise SystemExit("no free port between 20000 and 32000")

    def _spawn(self, cpu: str, command: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen(
                [*ours(cpu), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    def _nginx(self, name: str, address: str, speaks: str = "") -> list[str]:
        path = self.folder / f"{name}.conf"
        path.write_text(
            NGINX.format(folder=self.folder, name=name, address=address, speaks=speaks, body="x" * 100)
        )
        return ["nginx", "-c", str(path)]

    def _write_files(self) -> None:
        self.folder.chmod(0o755)
        (self.folder / "64k").write_bytes(b"x" * 65536)
        (self.folder / "1m").write_bytes(b"x" * (1 << 20))
        (self.folder / "chunked").write_bytes(b"x" * 8192)
        for name, (value, count) in FILES.items():
            lines = (f"/key-{number} {value}\n" for number in range(count))
            (self.folder / name).write_text("".join(lines))

    def _write_certificate(self) -> None:
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        asked = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench"
        command = [*shlex.split(asked), "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        (self.folder / "site.pem").write_text(certificate.read_text() + key.read_text())

    def _start_origins(self) -> None:
        self._write_files()
        self._write_certificate()
        self._spawn(LOAD_CPU, self._nginx("origin", f"127.0.0.1:{self.origin_port}"), "origin.log")
        http2 = self._nginx("http2", f"127.0.0.1:{self.http2_port}", " http2")
        self._spawn(LOAD_CPU, http2, "http2.log")
        self._spawn(LOAD_CPU, ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(self.iperf_port)], "iperf.log")
        if self.namespace:
            for command in (
                f"ip netns add {self.namespace}",
                f"ip -n {self.namespace} link set lo up",
                f"ip -n {self.namespace} addr add {NAMESPACE_ADDRESS}/32 dev lo",
            ):
                subprocess.run(shlex.split(command), check=True)
            inside = self._nginx("inside", f"{NAMESPACE_ADDRESS}:{NAMESPACE_PORT}")
            self._spawn(LOAD_CPU, ["ip", "netns", "exec", self.namespace, *inside], "inside.log")
        if not answers(self.origin_port):
            raise SystemExit(f"the origin did not start: {(self.folder / 'origin.log').read_text()}")

    def start_proxy(self, name: str, command: str) -> Subject:
        """Starts a proxy with the benchmark's configuration and waits until it listens."""
        ports = {kind: self.free_port() for kind in ("tcp", "bulk", "ns", *BINDS)}
        text = CONFIG.format(origin=self.origin_port, iperf=self.iperf_port, **ports)
        origins = {"origin": self.origin_port, "origin_h2": self.http2_port}
        text += SERVICES.format(served=Path(__file__).parent / "served")
        text += HTTP_CONFIG.format(folder=self.folder, **origins, **ports)
        if self.namespace:
            text += "defaults\n  mode tcp\n  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n"
            text += NAMESPACE_CONFIG.format(
                address=NAMESPACE_ADDRESS, port=NAMESPACE_PORT, namespace=self.namespace, **ports
            )
        path = self.folder / f"{name}.cfg"
        path.write_text(text)
        log = f"{name}.log"
        process = self._spawn(PROXY_CPU, [*shlex.split(command), "-f", str(path), "-db"], log)
        if not answers(ports["tcp"]):
            raise SystemExit(f"{name} did not start: {(self.folder / log).read_text()[-2000:]}")
        return Subject(name, process.pid, ports)


class Subject:
    """A proxy that is measured."""

    def __init__(self, name: str, pid: int, ports: dict[str, int]) -> None:
        self.name = name
        self.pid = pid
        self.ports = ports

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        total = 0
        for pid in family(self.pid):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / HZ

    def memory_bytes(self) -> int:
        """Proportional set size of the process and its children."""
        total = 0
        for pid in family(self.pid):
            try:
                found = re.search(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
            except OSError:
                continue
            total += int(found.group(1)) if found else 0
        return total * 1024


def family(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def ours(cpu: str) -> list[str]:
    """A prefix for a command that dies with this process and keeps to one CPU, where there are two."""
    pinned = ["taskset", "-c", cpu] if (os.cpu_count() or 1) > 1 else []
    return ["setpriv", "--pdeathsig", "KILL", *pinned]


def answers(port: int, limit: float = 20) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def missing_tools() -> list[str]:
    needed = ("nginx", "wrk", "h2load", "iperf3", "taskset", "setpriv", "ip")
    return [tool for tool in needed if not shutil.which(tool)]
