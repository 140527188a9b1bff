import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from isthmus.lab import workspace as module
from isthmus.lab.workspace import workspace

LEADER = """\
import signal, sys
from isthmus.lab.workspace import workspace
with workspace() as folder:
    (folder / "edge.cfg").write_text("x")
    print(folder, flush=True)
    signal.pause()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_the_folder_is_its_users_alone_and_gone_afterwards(temporary):
    with workspace() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "edge.cfg").write_text("x")
    assert not folder.exists()


def test_the_folder_is_gone_after_an_exception_too(temporary):
    with pytest.raises(ZeroDivisionError), workspace():
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_the_janitor_has_ended_when_the_block_has(temporary):
    before = children()
    with workspace():
        assert len(children() - before) == 1
    assert children() == before


def children():
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_a_folder_under_run_is_avoided_since_the_lab_covers_it(monkeypatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: "/run")
    with workspace() as folder:
        assert folder.parent == Path("/tmp")


def test_the_janitor_removes_the_folder_of_a_leader_that_was_killed(tmp_path):
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    folder = Path(leader.stdout.readline().strip())
    assert folder.exists()
    leader.send_signal(signal.SIGKILL)
    # Ends only when nobody holds the pipe: the janitor must not.
    assert leader.communicate(timeout=30)[0] == ""
    deadline = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
