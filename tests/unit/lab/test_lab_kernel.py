import subprocess
import sys
import time
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from isthmus import kernel
from isthmus.lab import isolation
from isthmus.lab.interfaces import address_request
from isthmus.lab.isolation import _refusal, setting

# Prints its child's number; the child waits for ever, unless the kernel ends it.
PARENT = """\
import os, signal
from isthmus import kernel
leader = os.getpid()
child = os.fork()
if child == 0:
    kernel.die_with(leader)
    print(os.getpid(), flush=True)
    signal.pause()
signal.pause()
"""


def test_a_mount_that_fails_names_its_target():
    with pytest.raises(OSError) as caught:
        kernel.mount("none", "/nonexistent/target", "tmpfs")
    assert caught.value.filename == "/nonexistent/target"


def test_a_child_that_is_bound_to_its_leader_ends_when_the_leader_is_killed():
    leader = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(leader.stdout.readline())
    leader.kill()
    leader.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_an_address_request_has_the_size_and_order_of_a_struct_ifreq():
    request = address_request(b"lo:1", IPv4Interface("10.0.0.10/24").ip.packed)
    assert len(request) == 40
    assert request[:16] == b"lo:1".ljust(16, b"\0")
    assert request[20:24] == bytes([10, 0, 0, 10])


def test_a_setting_that_this_kernel_has_not_is_none():
    assert setting("kernel.no_such_setting_at_all") is None
    assert setting("user.max_user_namespaces").isdigit()


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        (
            "kernel.apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user.max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
        ("kernel.unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ],
)
def test_a_refusal_tells_which_setting_to_change(monkeypatch, name, value, advice):
    monkeypatch.setattr(isolation, "setting", lambda asked: value if asked == name else None)
    assert advice in str(_refusal("may not"))


def test_a_refusal_without_a_setting_to_blame_names_those_that_were_looked_at(monkeypatch):
    monkeypatch.setattr(isolation, "setting", lambda asked: None)
    told = str(_refusal("may not"))
    assert "kernel.apparmor_restrict_unprivileged_userns" in told
    assert "user.max_user_namespaces" in told
