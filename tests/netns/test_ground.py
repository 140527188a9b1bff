"""The ground itself: a test that is killed leaves no process, no namespace and no mount behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .wire import eventually

HERE = Path(__file__).parent
VICTIM = f"""
import subprocess, sys, time
sys.path.insert(0, {str(HERE.parent)!r})
from {HERE.name}.ground import Ground
ground = Ground()
ground.add("left-behind")
started = subprocess.Popen(ground.command("sleep", "1000", lasting=True))
print(ground._agent.pid, started.pid, flush=True)
time.sleep(1000)
"""


def test_a_killed_test_leaves_nothing_behind(ground):
    victim = subprocess.Popen([sys.executable, "-c", VICTIM], stdout=subprocess.PIPE, text=True)
    assert victim.stdout
    pids = victim.stdout.readline().split()
    assert len(pids) == 2
    assert all(is_alive(pid) for pid in pids)
    victim.kill()
    victim.wait()
    victim.stdout.close()
    eventually(lambda: not any(is_alive(pid) for pid in pids), "what it started ends")
    assert not Path("/run/netns/left-behind").exists()


def is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_ground_has_its_names_for_itself(ground):
    before = names_of_the_machine()
    ground.add("red")
    assert ground.run("ls", "/run/netns").stdout.split() == ["red"]
    assert names_of_the_machine() == before


def names_of_the_machine() -> list[str]:
    folder = Path("/run/netns")
    return sorted(os.listdir(folder)) if folder.exists() else []
