"""A thousand namespaces in one process, as root and as an ordinary user."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from signal import SIGTERM

import pytest

from .ground import Ground, reason_without_ground
from .program import Program
from .wire import dial, eventually, line

COUNT = 1_000
# What one namespace may cost: a listener for each of two workers, one for the namespace itself, and while
# it is used a few sockets made ahead; the factory's thread and a listener's books.
DESCRIPTORS_EACH = 8
DESCRIPTORS_KEPT = 3
MEMORY_EACH = 64 << 10
# Seconds from the start to the first answer; two cores are shared with other tests.
START = 30.0
NOBODY = 65534
CONFIG = """
global
  nbthread 2
  @stats@
defaults
  mode tcp
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend all
{binds}
  default_backend own
backend own
  server s 127.0.0.1:80 namespace *
"""


@pytest.fixture(params=["as-started", "as-an-ordinary-user"])
def folk(request, isthmus_path):
    """A ground, and a folder that its user may write to."""
    reason = reason_without_ground()
    if reason:
        pytest.skip(reason)
    user = None
    if request.param == "as-an-ordinary-user":
        if os.geteuid() != 0:
            pytest.skip("the tests run as an ordinary user already")
        user = NOBODY
        skip_unless_reachable(isthmus_path)
    # pytest's folders are for root alone.
    folder = Path(tempfile.mkdtemp(prefix="isthmus-netns-"))
    folder.chmod(0o777)
    made = None
    try:
        # An ordinary user's process stays in the host's network namespace, to which none of its threads
        # that entered another can return.
        made = Ground(own_network=user is None, user=user)
        yield made, folder
    finally:
        if made:
            made.close()
        shutil.rmtree(folder)


def skip_unless_reachable(program: str) -> None:
    """An ordinary user may be unable to run this isthmus, or to make a user namespace at all."""
    dropped = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    name = pwd.getpwuid(NOBODY).pw_name
    # Behind another program, as in the test: what setpriv itself executes still has root's capabilities.
    runs = subprocess.run([*dropped, "env", program, "-v"], capture_output=True, text=True)
    if runs.returncode:
        pytest.skip(f"{program} cannot be run by {name}: {runs.stderr.strip()[-200:]}")
    tried = subprocess.run(
        [*dropped, *Ground.unsharing(True, rootless=True), "true"], capture_output=True, text=True
    )
    if tried.returncode:
        pytest.skip(f"no user namespaces for {name}: {tried.stderr.strip()}")


def test_a_thousand_namespaces_fit_in_one_process(folk, isthmus_path):
    ground, folder = folk
    raise_descriptor_limit()
    names = [f"tenant-{number}" for number in range(COUNT)]
    ground.add_many(names)
    listeners = {}
    for name in names:
        listener = ground.socket(name, socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 80))
        listener.listen(8)
        listeners[name] = listener
    binds = "\n".join(f"  bind 127.0.0.1:8000 namespace {name}" for name in names)
    text = CONFIG.format(binds=binds)
    began = time.monotonic()
    proxy = Program(ground, isthmus_path, text, folder)
    took = time.monotonic() - began
    cost = (proxy.descriptors(), proxy.resident(), proxy.threads())
    print(f"start {took:.1f} s; descriptors {cost[0]}, memory {cost[1] >> 20} MiB, threads {cost[2]}")
    for name in names:
        with dial(ground.named(name), "127.0.0.1", 8000) as client:
            end, _ = listeners[name].accept()
            with end:
                end.sendall(name.encode() + b"\n")
                assert line(client) == name
    after = (proxy.descriptors(), proxy.resident(), proxy.threads())
    print(f"after traffic: descriptors {after[0]}, memory {after[1] >> 20} MiB, threads {after[2]}")
    assert took < START
    assert after[0] < COUNT * DESCRIPTORS_EACH + 200
    assert after[1] < COUNT * MEMORY_EACH + (64 << 20)
    kept = COUNT * DESCRIPTORS_KEPT + 200
    eventually(
        lambda: proxy.descriptors() < kept, f"sockets made ahead are given back: {proxy.descriptors()}"
    )
    proxy.signal(SIGTERM)
    began = time.monotonic()
    proxy.wait()
    assert time.monotonic() - began < 5


def raise_descriptor_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 16_384:
        pytest.skip(f"a thousand namespaces need 16384 descriptors, the limit is {hard}")
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(16_384, soft), hard))
