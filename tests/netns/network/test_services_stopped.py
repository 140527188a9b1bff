"""Services that end: asked, killed, or left behind by a crash, no process of theirs stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.network.model import (
    Hook,
    Phase,
    Service,
)
from isthmus.network.services import (
    leftovers,
    read_services,
)
from isthmus.network.services.paths import socket_path

from .services_ground import (
    DEADLINE,
    Ground,
    eventually,
    grounded,
    has_users,
    shell,
    sleeper,
)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with grounded(tmp_path) as made:
        yield made


def sleeping(mark: int) -> list[str]:
    """The sleeping processes, wherever they are, that carry this test's number."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", str(mark).encode()]:
                found.append(entry.name)
    return found


def test_a_killed_supervisor_leaves_no_process(ground: Ground):
    mark = 100000 + os.getpid()
    # One child in the group, one in a session of its own, one in the group that hid its environment.
    script = f"sleep {mark} & setsid -f sleep {mark}; env -i sleep {mark} & exec sleep {mark}"
    ground.apply(Service("web", "red", shell(script)))
    eventually(lambda: len(sleeping(mark)) == 4, "all run")
    os.kill(ground.supervisor, signal.SIGKILL)
    eventually(lambda: sleeping(mark) == [], "all end")
    assert read_services(ground.name) == []


def test_services_die_with_the_supervisor_even_where_its_guard_died_before(ground: Ground):
    ground.apply(sleeper("web"), sleeper("db", user="nobody" if has_users() else None))
    supervisor = ground.supervisor
    guards = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    mine = {str(ground.pid("web")), str(ground.pid("db"))}
    for pid in {*guards} - mine:
        os.kill(int(pid), signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: leftovers(ground.name) == [], "the kernel ends them")


def test_a_stop_ends_what_left_the_process_group(ground: Ground):
    mark = 200000 + os.getpid()
    ground.apply(Service("web", "red", shell(f"sleep {mark} & setsid -f sleep {mark}; exec sleep {mark}")))
    eventually(lambda: len(sleeping(mark)) == 3, "all run")
    ground.stop()
    assert sleeping(mark) == []
    assert "left behind" not in " ".join(ground.said)


def test_what_ignores_the_stop_is_killed(ground: Ground):
    script = f"trap '{ground.record('asked')}' TERM; while :; do sleep 0.05; done"
    ground.apply(Service("web", "red", shell(script), stop_timeout=0.3))
    ground.stop()
    assert ground.recorded == ["asked"]


def test_a_supervisor_that_is_asked_to_end_stops_its_services_in_order(ground: Ground):
    def stopping(name: str) -> tuple[Hook, ...]:
        return (Hook(Phase.POST_STOP, shell(ground.record(name))),)

    ground.apply(sleeper("web", needs=("db",), hooks=stopping("web")), sleeper("db", hooks=stopping("db")))
    os.kill(ground.supervisor, signal.SIGTERM)
    eventually(lambda: not socket_path(ground.name).exists(), "the supervisor ends")
    assert ground.recorded == ["web", "db"]


def test_a_client_that_is_killed_has_its_change_undone(ground: Ground):
    ground.apply(sleeper("web"))
    program = (
        "import sys; from isthmus.network.services.client import *; from isthmus.network.services import *\n"
        "from isthmus.network.services.definition import ReadinessDefinition as R\n"
        f"d = read_definitions({ground.name!r})\n"
        "slow = Definition('slow', 'outside', ('sleep', '1000'), readiness=R(command=('false',)))\n"
        f"apply_definitions({ground.name!r}, (*d, slow), print)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as client:
        eventually(lambda: leftovers(ground.name, ["slow"]), "the slow one starts")
        client.kill()
    eventually(lambda: not leftovers(ground.name, ["slow"]), "it is undone")
    eventually(lambda: ground.states() == {"web": "running"}, "the other one stays")


def test_a_stop_without_a_supervisor_kills_what_a_crash_left(ground: Ground):
    environment = {"PATH": "/bin:/usr/bin", "ISTHMUS_NETWORK": ground.name, "ISTHMUS_SERVICE": "web"}
    left = subprocess.Popen(["sleep", "1000"], env=environment)
    threading.Thread(target=left.wait).start()
    ground.stop()
    assert left.wait(DEADLINE) == -signal.SIGKILL
    assert ground.said == ["killed 1 process that a crash left behind"]
    ground.said.clear()
    ground.stop()
    assert ground.said == []
