"""examples/one-proxy as its README tells it, by Isthmus and by HAProxy, with real services behind it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import proxy
from .one_proxy_services import EXAMPLE, PATH, Services, missing, user
from .ports import Ledger

# Another address than the proxy itself would come from: it must survive all layers.
CLIENT = "127.0.0.77"


@dataclass
class Running:
    """A proxy with the example's configuration."""

    services: Services
    environment: dict[str, str]
    folder: Path
    https: int
    http: int
    ssh: int


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    lacking = missing()
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)} (scripts/debian-packages.sh)")
    services = Services(tmp_path_factory.mktemp("services"))
    yield services
    services.close()


@pytest.fixture(scope="module", params=["isthmus", "haproxy"])
def running(
    request: pytest.FixtureRequest, services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    program = proxy.candidate() if request.param == "isthmus" else proxy.reference()
    if program is None:
        pytest.skip(f"no {request.param} here")
    folder = tmp_path_factory.mktemp(request.param) / "one-proxy"
    shutil.copytree(EXAMPLE / "one-proxy", folder)
    ledger = Ledger()
    https, http, ssh = (ledger.take() for _ in range(3))
    environment = {
        **services.environment,
        "HTTPS_PORT": str(https),
        "HTTP_PORT": str(http),
        "SSH_PORT": str(ssh),
        "NAME": f"one-proxy-{https}",
    }
    started = proxy.Proxy(program, folder, [https, http, ssh], [], env=environment)
    yield Running(services, environment, folder, https, http, ssh)
    started.stop()
    ledger.close()


def ran(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": PATH, **(env or {})},
    )


def curl(running: Running, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    ca = f"{running.services.certificates}/ca.pem"
    to = ["--connect-to", f"::127.0.0.1:{running.https}"] if url.startswith("https") else []
    return ran("curl", "-sS", "--noproxy", "*", "--interface", CLIENT, "--cacert", ca, *to, *words, url)


def hello(running: Running, name: str, *words: str) -> str:
    """What openssl tells of a handshake."""
    ca = f"{running.services.certificates}/ca.pem"
    to = ["-connect", f"127.0.0.1:{running.https}", "-servername", name]
    done = ran("openssl", "s_client", *to, "-CAfile", ca, "-verify_hostname", name, *words)
    return done.stdout + done.stderr


def test_edge_ends_tls_at_the_proxy_and_tells_the_service_who_asks(running: Running) -> None:
    done = curl(running, "https://metrics.example.test/metrics")
    assert (done.stdout, done.stderr) == (f"up 1 for={CLIENT} by=https\n", "")


def test_what_a_client_says_of_its_address_is_replaced(running: Running) -> None:
    done = curl(running, "https://metrics.example.test/", "-H", "X-Forwarded-For: 192.0.2.1")
    assert done.stdout == f"up 1 for={CLIENT} by=https\n"


def test_reencrypt_speaks_tls_to_the_service_under_its_own_certificate(running: Running) -> None:
    done = curl(running, "https://git.example.test/")
    assert done.stdout == f"git sni=git.example.test for={CLIENT} by=https\n"


def test_passthrough_leaves_tls_to_the_service_and_tells_it_who_asks(running: Running) -> None:
    done = curl(running, "https://vault.example.test/")
    assert (done.stdout, done.stderr) == (f"vault sni=vault.example.test for={CLIENT}\n", "")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("metrics.example.test", "*.example.test"),
        ("git.example.test", "*.example.test"),
        ("vault.example.test", "vault.example.test"),
        ("VAULT.example.test", "vault.example.test"),
    ],
)
def test_each_name_is_shown_its_certificate(host: str, shown: str, running: Running) -> None:
    told = hello(running, host)
    assert re.search(r"subject=\s*CN\s*=\s*(\S+)", told)[1] == shown  # type: ignore[index]
    assert "Verify return code: 0 (ok)" in told


@pytest.mark.parametrize("host", ["other.test", "example.test", "a.b.example.test"])
def test_a_name_that_nobody_has_is_refused_with_an_alert(host: str, running: Running) -> None:
    told = hello(running, host)
    assert "unrecognized name" in told
    assert "no peer certificate available" in told


def test_a_name_without_a_service_is_not_found(running: Running) -> None:
    done = curl(running, "https://nowhere.example.test/", "-w", "%{http_code}")
    assert done.stdout == "There is no such service.\n404"


def test_plain_http_is_sent_to_https(running: Running) -> None:
    for port in (running.http, running.https):
        url = f"http://127.0.0.1:{port}/a/b?c=d"
        done = curl(running, url, "-H", "Host: git.example.test:80", "-w", "%{http_code} %{redirect_url}")
        assert done.stdout == "301 https://git.example.test/a/b?c=d"


@pytest.mark.parametrize(("offer", "version"), [("--http2", "2"), ("--http1.1", "1.1")])
def test_alpn_chooses_the_version_of_http(offer: str, version: str, running: Running) -> None:
    done = curl(running, "https://metrics.example.test/", offer, "-w", "%{http_version}")
    assert done.stdout == f"up 1 for={CLIENT} by=https\n{version}"


def test_alpn_goes_through_to_a_service_that_keeps_its_tls(running: Running) -> None:
    assert "ALPN protocol: h2" in hello(running, "git.example.test", "-alpn", "h2,http/1.1")
    assert "ALPN protocol: http/1.1" in hello(running, "vault.example.test", "-alpn", "h2,http/1.1")


def test_ssh_has_its_own_port_and_shares_that_of_https(running: Running) -> None:
    for port in (running.ssh, running.https):
        done = ran(*running.services.ssh(port), f"{user()}@127.0.0.1", "echo here; cat", env={})
        assert (done.stdout, done.stderr) == ("here\n", "")


def test_git_clones_over_ssh_at_the_port_of_https(running: Running, tmp_path: Path) -> None:
    bare = running.services.folder / "repository.git"
    if not bare.exists():
        bare = running.services.repository()
    *command, _, port = running.services.ssh(running.https)
    remote = f"ssh://{user()}@127.0.0.1:{port}{bare}"
    done = ran("git", "clone", "-q", remote, str(tmp_path / "c"), env={"GIT_SSH_COMMAND": " ".join(command)})
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "c" / ".git" / "HEAD").exists()


def test_a_vault_under_plain_http_is_not_shown_to_the_layer_of_https(running: Running) -> None:
    # The name in SNI led to the layer of HTTPS, where the vault's host has no backend.
    done = curl(
        running, "https://metrics.example.test/", "-H", "Host: vault.example.test", "-w", "%{http_code}"
    )
    assert done.stdout == "There is no such service.\n404"


def last_server(hop: dict[str, object]) -> str:
    """Where a connection ends, if an explanation leaves no choice."""
    while True:
        (backend,) = hop["backends"]  # type: ignore[misc]
        (server,) = backend["servers"]
        assert backend["sure"]
        if server["next"] is None:
            return str(server["address"])
        hop = server["next"]


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        ("--url https://metrics.example.test/", "METRICS"),
        ("--url https://git.example.test/path", "GIT_HTTPS"),
        ("--sni vault.example.test", "VAULT"),
        ("--payload SSH-2.0-x", "GIT_SSH"),
    ],
)
def test_what_is_explained_is_what_happens(words: str, variable: str, services: Services) -> None:
    program = proxy.candidate()
    if program is None or proxy.is_haproxy(program):
        pytest.skip("no isthmus beside this Python (make build)")
    done = proxy.run(
        program,
        "explain",
        *words.split(),
        "--json",
        "-f",
        str(EXAMPLE / "one-proxy"),
        env=services.environment,
    )
    assert last_server(json.loads(done.stdout)) == services.environment[variable]


def test_both_find_nothing_to_complain_about(services: Services) -> None:
    for program in filter(None, (proxy.candidate(), proxy.reference())):
        done = proxy.run(program, "-c", "-f", str(EXAMPLE / "one-proxy"), env=services.environment)
        assert (done.returncode, done.stderr) == (0, "")
