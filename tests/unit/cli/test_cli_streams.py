"""What the command does when nobody hears it: closed, full and abandoned standard streams."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMAND = f"{sys.executable} -m isthmus.cli"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "PYTHONUNBUFFERED=1 "])
@pytest.mark.parametrize(
    ("words", "status"),
    [
        # HAProxy's command line answers with its status.
        ("-v >/dev/full", 0),
        ("-v >&-", 0),
        ("-v <&- >&- 2>&-", 0),
        ("-cc 0 >&- 2>&-", 1),
        ("-Z >/dev/full", 1),
        # What a subcommand prints is all that it is for.
        ("help >&-", 0),
        ("help >/dev/full", 1),
    ],
)
def test_output_that_cannot_be_written_makes_no_traceback(unbuffered: str, words: str, status: int) -> None:
    ended = shell(f"{unbuffered}{COMMAND} {words}")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert ended.returncode == status, ended.stderr


def test_a_full_disk_is_told_by_a_subcommand() -> None:
    ended = shell(f"{COMMAND} help >/dev/full")
    assert ended.stderr == "isthmus: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("words", ["-v", "help", "explain E0104"])
def test_a_reader_that_left_is_no_news(words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "isthmus.cli", *words.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert ended.stderr == ""


def test_a_closed_descriptor_is_never_a_sockets() -> None:
    probe = (
        "import os, sys; from isthmus.cli.streams import secure_streams;"
        "secure_streams(strict=False); print(os.readlink('/proc/self/fd/1'), file=sys.stderr)"
    )
    ended = shell(f'{sys.executable} -c "{probe}" >&-')
    assert ended.stderr == "/dev/null\n"


def test_a_letter_that_the_terminal_has_not_is_shown_in_another_way() -> None:
    probe = "from isthmus.cli.streams import secure_streams;secure_streams(strict=True); print('caf\\u00e9')"
    ended = shell(f'PYTHONIOENCODING=ascii {sys.executable} -c "{probe}"')
    assert (ended.returncode, ended.stdout) == (0, "caf\\xe9\n")
