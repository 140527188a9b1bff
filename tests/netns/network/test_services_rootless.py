"""The services again as an ordinary user has them: in a user namespace, outside out of reach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LAB = [
    *("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"),
    *("--kill-child", "--fork", "--"),
]
PARTS = ("hooks", "running", "stopped")
CHOSEN = (
    "hooks_of_a_life or needs_is_ready or puts_everything_back or killed_supervisor or put_back_as "
    "or made_anew or proxy_is_a_service or inherits_nothing or interfaces_of_its or share_a_namespace"
)


def test_services_need_no_root(tmp_path: Path):
    inside = 'mount -t tmpfs none /run && exec "$@"'
    tried = subprocess.run([*LAB, "sh", "-c", inside, "sh", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no user namespaces: {tried.stderr.strip()}")
    tests = [str(Path(__file__).with_name(f"test_services_{part}.py")) for part in PARTS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    chosen = [*tests, "-k", CHOSEN, f"--basetemp={tmp_path / 'lab'}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*LAB, "sh", "-c", inside, "sh", *command, *chosen],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
