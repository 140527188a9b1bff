"""What `isthmus net` does where its output cannot be written: its work, and then it says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .net_command import PAIR, net, write
from .world import in_world, snapshot


def unread_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


WAYS = [
    ("a pipe that nobody reads", unread_pipe, "Broken pipe"),
    ("a full disk", lambda: os.open("/dev/full", os.O_WRONLY), "No space left on device"),
]


@pytest.mark.parametrize(("what", "opened", "told"), WAYS, ids=[each[0] for each in WAYS])
def test_work_is_done_to_its_end_though_nothing_can_be_printed(what, opened, told) -> None:
    @in_world()
    def test() -> None:
        before, file = snapshot(), write(PAIR)

        def mute(command: str) -> None:
            result = net(command, file, stdout=opened())
            assert result.returncode == 1
            assert result.stderr == f"isthmus net: the output could not be written: {told}\n"

        mute("plan")
        mute("apply")
        assert {path.name for path in Path("/run/netns").iterdir()} == {"red", "blue"}
        assert net("diff", file).returncode == 0
        mute("show")
        mute("down")
        assert snapshot() == before

    test()


@in_world()
def test_closed_standard_streams_stand_in_nobodys_way() -> None:
    before, file = snapshot(), write(PAIR)

    def close() -> None:
        os.closerange(0, 3)

    assert net("apply", "-q", file, preexec_fn=close).returncode == 0
    assert net("diff", file).returncode == 0
    # It would have said something.
    assert net("down", file, preexec_fn=close).returncode == 1
    assert snapshot() == before
