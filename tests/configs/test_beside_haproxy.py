"""HAProxy accepts and refuses the same configurations, and blames the same lines."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cases import Case, cases
from paper import exit_status

HAPROXY = shutil.which("haproxy")
SHARED = [each for each in cases() if not each.differs]

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")


def _judge(text: str, folder: Path) -> tuple[int, set[int]]:
    """Exit status of `haproxy -c`, and the lines that its alerts blame."""
    (folder / "t.cfg").write_text(text)
    assert HAPROXY is not None
    done = subprocess.run(
        [HAPROXY, "-c", "-f", "t.cfg"], cwd=folder, capture_output=True, text=True, timeout=20, check=False
    )
    alerts = [line for line in done.stderr.splitlines() if line.startswith("[ALERT]")]
    found = [re.search(r"t\.cfg:(\d+)\]", line) for line in alerts]
    return done.returncode, {int(each[1]) for each in found if each}


@pytest.mark.parametrize("case", SHARED, ids=[each.name for each in SHARED])
def test_haproxy_has_the_same_exit_status_and_blames_the_same_lines(case: Case, tmp_path: Path) -> None:
    status, blamed = _judge(case.text, tmp_path)
    assert status == exit_status(case.text)
    # Some of HAProxy's alerts name no line: then there is nothing to compare.
    assert not blamed or blamed == case.blamed
