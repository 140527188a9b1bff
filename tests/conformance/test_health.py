"""Checks by TCP connect: when a server counts as down and as up again, and what is said of it."""

from __future__ import annotations

import re
import socket
import time
from contextlib import closing

import pytest

from .lab import Both, Lab
from .sink import Line, coarse_message
from .wire import DEADLINE, greets

BOTH_GREET = {"a": greets, "b": greets}


def config(check: str, server: str = "<closed>", more: str = "server b <b> backup") -> str:
    return f"""
listen f
  bind 127.0.0.1:<front>
  timeout connect 500
  retries 0
  server a {server} {check}
  {more}
"""


def said(line: Line) -> str:
    return re.sub(r"check duration: \d+ms", "check duration: Nms", coarse_message(line))


def told(lab: Lab, words: str) -> str:
    """Waits for a log line with these words."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        for line in lab.log.lines():
            if words in line.raw:
                return said(line)
        time.sleep(0.01)
    raise AssertionError(f"nothing logged with {words!r}: {[line.raw for line in lab.log.everything()]}")


def test_a_server_that_refuses_is_down_after_fall_checks(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        message = told(lab, "is DOWN")
        return message, lab.names(2)

    seen = both(config("check inter 100 fall 2 rise 2"), traffic, origins=BOTH_GREET, normal=said)
    assert seen.value[1] == ["b", "b"]


def test_the_first_check_alone_takes_a_starting_server_down(both: Both) -> None:
    """At start a server is up, but only just: one failure is enough, whatever `fall` says."""

    def traffic(lab: Lab) -> object:
        return told(lab, "is DOWN")

    both(config("check inter 2s fall 3"), traffic, origins=BOTH_GREET, normal=said)


def listening_late(lab: Lab) -> socket.socket:
    late = socket.socket()
    late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    late.bind(("127.0.0.1", lab.ports["closed"]))
    late.listen(100)
    return late


def test_a_server_that_comes_back_is_up_after_rise_checks(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        down = told(lab, "is DOWN")
        with closing(listening_late(lab)):
            up = told(lab, "is UP")
        return down, up

    text = config("check inter 300 fall 1 rise 2", more="")
    both(text, traffic, origins=BOTH_GREET, logged=False)


def test_fastinter_and_downinter_set_the_pace(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        told(lab, "is DOWN")
        began = time.monotonic()
        with closing(listening_late(lab)):
            told(lab, "is UP")
        return time.monotonic() - began < 3

    text = config("check inter 30s fastinter 100 downinter 200 fall 1 rise 3", more="")
    # The very first check comes within `inter`, spread over the servers; with one server it comes at once.
    seen = both(text, traffic, origins=BOTH_GREET, logged=False)
    assert seen.value is True


def test_a_check_may_go_to_another_port_and_address(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        told(lab, "is DOWN")
        return lab.names(1)

    text = config("check inter 100 fall 1 addr 127.0.0.1 port <spare>", server="<a>")
    seen = both(text, traffic, origins=BOTH_GREET, normal=said)
    assert seen.value == ["b"]


def test_a_check_that_gets_no_answer_times_out(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return told(lab, "is DOWN")

    text = config("check inter 200 fall 1", server="<stuck>", more="server b <b> backup\n  timeout check 200")
    both(text, traffic, origins=BOTH_GREET, logged=False)


def test_a_server_that_tracks_another_follows_it(both: Both) -> None:
    text = """
backend checked
  server probe <closed> check inter 100 fall 1
listen f
  bind 127.0.0.1:<front>
  server a <a> track checked/probe
  server b <b> backup
"""

    def traffic(lab: Lab) -> object:
        return told(lab, "Server f/a is DOWN"), lab.names(1)

    seen = both(text, traffic, origins=BOTH_GREET, logged=False)
    assert seen.value[1] == ["b"]


FOLLOWING = """
backend checked
  server s <a> check inter 1m {disabled}
backend b
  server t <b> track checked/s
  server u <b> track b/t
listen f
  bind 127.0.0.1:<front>
  server v <b> track b/u
"""


def followed(lab: Lab) -> dict[str, tuple[str, str]]:
    """Each server's status, and the bits of what operators said of it or of those that it tracks."""
    shown = [line.split(",") for line in lab.command("show stat").strip().splitlines()]
    names = [name.lstrip("# ") for name in shown[0]]
    rows = [dict(zip(names, line, strict=False)) for line in shown[1:]]
    status = {row["svname"]: row["status"] for row in rows if row["svname"] in "stuv"}
    state = [line.split() for line in lab.command("show servers state").splitlines()]
    bits = {line[3]: line[6] for line in state if len(line) > 6 and line[3] in "tuv"}
    return {name: (status[name].split(" 1/")[0], bits.get(name, "")) for name in status}


@pytest.mark.parametrize("disabled", ["", "disabled"])
def test_servers_that_track_one_follow_it_into_maintenance_and_drain(both: Both, disabled: str) -> None:
    def traffic(lab: Lab) -> object:
        seen = [followed(lab)]
        for command in (
            "set server checked/s state maint",
            "set server b/t state ready",
            "set server checked/s state ready",
            "set server checked/s state drain",
            "set server checked/s state ready",
            "set server b/t state maint",
            "set server b/t state ready",
            "disable server b/u",
            "enable server b/u",
        ):
            lab.command(command)
            seen.append(followed(lab))
        return seen

    site = FOLLOWING.format(disabled=disabled)
    seen = both(site, traffic, origins=BOTH_GREET, logged=False)
    assert seen.value[1]["u"] == ("MAINT (via b/t)", "2")
