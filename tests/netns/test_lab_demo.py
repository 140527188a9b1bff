"""`isthmus lab demo` as a user runs it: a process of its own, as root and as an ordinary user."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PATIENCE = 60.0
# Root without CAP_SYS_ADMIN has to go the way of ordinary users, and can still read this clone
# wherever it lies. CAP_SETFCAP is what the kernel asks of whoever maps user 0.
ORDINARY = ["setpriv", "--bounding-set=-all,+setfcap", "--inh-caps=-all"]
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

is_root = os.geteuid() == 0


def can_make_user_namespaces():
    prefix = ORDINARY if is_root else []
    tried = subprocess.run([*prefix, "unshare", "--user", "--map-root-user", "--mount", "true"])
    return tried.returncode == 0


needs_root = pytest.mark.skipif(not is_root, reason="needs root")
needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
needs_user_namespaces = pytest.mark.skipif(
    not can_make_user_namespaces(), reason="user namespaces are forbidden here"
)

WAYS = [
    pytest.param("root", "haproxy", marks=[needs_root, needs_haproxy], id="root-haproxy"),
    pytest.param("root", "", marks=[needs_root], id="root-isthmus"),
    pytest.param("rootless", "", marks=[needs_user_namespaces], id="rootless-isthmus"),
]


@pytest.fixture
def start(tmp_path):
    """Start the demo with its files under `tmp_path`; whatever is alive at the end is killed."""
    started = []

    def start_demo(way, proxy, *options):
        prefix = ORDINARY if way == "rootless" and is_root else POWERLESS if way == "powerless" else []
        command = [*prefix, sys.executable, "-m", "isthmus.lab", "demo", *options]
        if proxy:
            command += ["--proxy", proxy]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        started.append(process)
        return process

    yield start_demo
    for process in started:
        process.kill()
        process.communicate()


def family(folder):
    """Every live process that names the folder among its arguments or in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in told:
                found.append(int(entry.name))
    return found


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.02)


def assert_nothing_left(folder, names_before):
    wait_until(lambda: not family(folder), f"processes ended, {family(folder)} did not")
    wait_until(lambda: not list(folder.iterdir()), "files removed")
    assert names_of_namespaces() == names_before
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()


def names_of_namespaces():
    folder = Path("/run/netns")
    # Other tests make namespaces meanwhile; the demo's names are these.
    return {"red", "blue", "green"} & {entry.name for entry in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize(("way", "proxy"), WAYS)
def test_once_json_tells_every_expectation_and_leaves_nothing(start, tmp_path, way, proxy):
    before = names_of_namespaces()
    process = start(way, proxy, "--once", "--json")
    output, errors = process.communicate(timeout=PATIENCE)
    told = json.loads(output)
    assert [each for each in told["expectations"] if not each["ok"]] == [], errors
    assert set(told) == {"version", "rootless", "expectations", "ok"}
    assert set(told["expectations"][0]) == {"name", "expected", "got", "ok"}
    assert told["rootless"] == (way == "rootless")
    assert told["ok"] is True
    assert process.returncode == 0
    assert_nothing_left(tmp_path, before)


@pytest.mark.parametrize(("way", "proxy"), WAYS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_it_and_leaves_nothing(start, tmp_path, way, proxy, number):
    before = names_of_namespaces()
    process = start(way, proxy, "--json")
    assert json.loads(process.stdout.readline())["ok"] is True
    members = family(tmp_path)
    # Three tenants, two proxies, the leader and the janitor.
    assert len(members) >= 7
    process.send_signal(number)
    process.wait(PATIENCE)
    if number != signal.SIGKILL:
        assert family(tmp_path) == [], "the leader ended before its own"
        assert process.returncode == 0
    assert_nothing_left(tmp_path, before)


@pytest.mark.parametrize(("way", "proxy"), WAYS)
def test_it_tells_how_to_ask_a_tenant_and_where_the_configuration_lies(start, way, proxy):
    process = start(way, proxy)
    told = ""
    while "To stop: Ctrl-C" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line
    assert "FAILED" not in told
    assert "\x1b" not in told, "colour is for terminals"
    addresses = re.findall(r"curl (http://127\.0\.0\.1:\d+/) +# (\w+)", told)
    assert [tenant for _, tenant in addresses] == ["red", "blue", "green"]
    for address, tenant in addresses:
        with urllib.request.urlopen(address, timeout=PATIENCE) as response:
            assert json.load(response)["tenant"] == tenant
    for name in ("edge.cfg", "core.cfg"):
        path = next(Path(word) for word in told.split() if word.endswith(name))
        assert "namespace red" in path.read_text()
    inside = next(line.strip() for line in told.splitlines() if "nsenter" in line)
    answer = subprocess.run(inside.split(), capture_output=True, timeout=PATIENCE, check=True)
    assert json.loads(answer.stdout)["tenant"] == "red"


def test_a_proxy_that_does_not_start_is_an_error_that_shows_what_it_said(start, tmp_path):
    way = "root" if is_root else "rootless"
    process = start(way, "sh -c 'echo no such luck; exit 3'", "--once", "--json")
    output, _ = process.communicate(timeout=PATIENCE)
    told = json.loads(output)
    assert told["ok"] is False
    assert "status 3" in told["error"]
    assert "no such luck" in told["error"]
    assert process.returncode == 1
    assert_nothing_left(tmp_path, names_of_namespaces())


@needs_root
@needs_haproxy
def test_a_proxy_that_ends_while_the_demo_waits_ends_the_demo_with_an_error(start, tmp_path):
    process = start("root", "haproxy", "--json")
    process.stdout.readline()
    is_proxy = [number for number in family(tmp_path) if b"haproxy\0-f" in arguments(number)]
    os.kill(is_proxy[0], signal.SIGKILL)
    process.wait(PATIENCE)
    assert process.returncode == 1
    assert_nothing_left(tmp_path, names_of_namespaces())


def arguments(process):
    return Path(f"/proc/{process}/cmdline").read_bytes()


@needs_root
def test_where_user_namespaces_are_forbidden_it_names_the_settings(start, tmp_path):
    process = start("powerless", "true", "--once")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "user.max_user_namespaces" in errors
    assert "Traceback" not in errors
    assert_nothing_left(tmp_path, names_of_namespaces())
