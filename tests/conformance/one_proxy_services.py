"""The services of examples/one-proxy, real ones: OpenSSH, nginx with certificates of its own, plain HTTP."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .ports import Ledger
from .proxy import START, listening_ports

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
EXAMPLE = Path(__file__).parents[2] / "examples" / "one-proxy"
PROGRAMS = ("sshd", "ssh", "ssh-keygen", "nginx", "curl", "openssl", "git")

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{git_https} ssl;
        ssl_certificate {certificates}/git.crt;
        ssl_certificate_key {certificates}/git.key;
        location / {{
            return 200 "git sni=$ssl_server_name for=$http_x_forwarded_for by=$http_x_forwarded_proto\\n";
        }}
    }}
    server {{
        listen 127.0.0.1:{vault} ssl proxy_protocol;
        ssl_certificate {certificates}/vault.crt;
        ssl_certificate_key {certificates}/vault.key;
        location / {{
            return 200 "vault sni=$ssl_server_name for=$proxy_protocol_addr\\n";
        }}
    }}
}}
"""

SSHD = """
Port {git_ssh}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
"""


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


class _Metrics(BaseHTTPRequestHandler):
    """A page as Prometheus has it, which also tells who asks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = (self.headers.get(name, "") for name in ("x-forwarded-for", "x-forwarded-proto"))
        body = "up 1 for={} by={}\n".format(*told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Services:
    """All of them, until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificates = folder / "certificates"
        self._ledger = Ledger()
        self._running: list[subprocess.Popen[bytes]] = []
        self.git_ssh, self.git_https, self.vault = (self._ledger.take() for _ in range(3))
        subprocess.run([EXAMPLE / "certificates.sh", self.certificates], check=True, capture_output=True)
        self._metrics = ThreadingHTTPServer(("127.0.0.1", 0), _Metrics)
        threading.Thread(target=self._metrics.serve_forever, daemon=True).start()
        try:
            self._nginx()
            self._sshd()
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """What the example's configuration is told."""
        return {
            "CERTIFICATES": str(self.certificates),
            "GIT_SSH": f"127.0.0.1:{self.git_ssh}",
            "GIT_HTTPS": f"127.0.0.1:{self.git_https}",
            "VAULT": f"127.0.0.1:{self.vault}",
            "METRICS": f"127.0.0.1:{self._metrics.server_port}",
        }

    def ssh(self, port: int) -> list[str]:
        """The command that logs in at a port of the proxy."""
        quiet = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR"]
        known = f"UserKnownHostsFile={self.folder}/known_hosts"
        alias = ["-o", "HostKeyAlias=git.example.test", "-o", "IdentitiesOnly=yes", "-F", "none"]
        key = ["-i", f"{self.folder}/user_key", "-p", str(port)]
        return ["ssh", *quiet, "-o", known, *alias, *key]

    def repository(self) -> Path:
        """A bare repository with one commit."""
        work, bare = self.folder / "work", self.folder / "repository.git"
        author = ["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"]
        for words in (
            ["init", "-q", str(work)],
            ["-C", str(work), *author, "commit", "-q", "--allow-empty", "-m", "one"],
            ["clone", "-q", "--bare", str(work), str(bare)],
        ):
            subprocess.run(["git", *words], check=True, capture_output=True)
        return bare

    def close(self) -> None:
        """Ends all of them."""
        self._metrics.shutdown()
        self._metrics.server_close()
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            process.wait(10)
        self._ledger.close()

    def _run(self, name: str, *words: str) -> None:
        program = shutil.which(name, path=PATH)
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running.append(subprocess.Popen([str(program), *words], stdout=log, stderr=log))

    def _nginx(self) -> None:
        config = self.folder / "nginx.conf"
        config.write_text(
            NGINX.format(
                folder=self.folder,
                certificates=self.certificates,
                git_https=self.git_https,
                vault=self.vault,
            )
        )
        self._run("nginx", "-c", str(config), "-p", str(self.folder), "-e", "stderr")

    def _sshd(self) -> None:
        for key in ("host_key", "user_key"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / key)]
            subprocess.run(words, check=True)
        public = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"git.example.test {public}")
        config = self.folder / "sshd_config"
        config.write_text(SSHD.format(folder=self.folder, git_ssh=self.git_ssh))
        if os.geteuid() == 0:
            # Debian's service makes this folder at start; as root sshd insists on it.
            Path("/run/sshd").mkdir(exist_ok=True)
        self._run("sshd", "-D", "-e", "-f", str(config))

    def _wait(self) -> None:
        wanted = {self.git_ssh, self.git_https, self.vault}
        deadline = time.monotonic() + START
        while not wanted <= listening_ports():
            ended = [process.args for process in self._running if process.poll() is not None]
            logs = "\n".join(log.read_text() for log in self.folder.glob("*.log"))
            assert not ended, f"{ended}\n{logs}"
            assert time.monotonic() < deadline, logs
            time.sleep(0.02)


def user() -> str:
    """Who logs in."""
    return getpass.getuser()
