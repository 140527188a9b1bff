"""How exchanges end when something goes wrong, through both proxies: status, termination state, timers."""

from __future__ import annotations

from typing import Any

import pytest

from .http_batch import compare_all
from .http_ending_rows import GROUPS
from .http_ending_rows import POST_HALF as POST
from .http_lab import (
    GET,
    OK,
    PREAMBLE,
    Arrived,
    Client,
    Finish,
    Reply,
    Reset,
    Script,
    Shown,
    Step,
    http_line,
    state_of,
)
from .lab import Both, Lab
from .sink import Line


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_end_alike(both: Both, group: str) -> None:
    compare_all(both, GROUPS[group])


QUEUE = """
listen l
  bind 127.0.0.1:<front>
  LINES
  server s <a> maxconn 1
"""
# What happens to a client that waits for the server's only slot: backend lines, what the client does, what an
# operator does, the statuses that HAProxy's client sees and the termination states.
WAITS: dict[str, tuple[str, Step | None, str, tuple[int, ...], str]] = {
    "for too long": ("timeout queue 300ms", None, "", (503,), "sQ"),
    "until the session ahead ends": ("timeout queue 5s", None, "free", (200,), "--"),
    "and finishes": ("timeout queue 5s", Finish(), "free", (200,), "--"),
    "and finishes, abortonclose": ("timeout queue 5s\n  option abortonclose", Finish(), "", (), "CQ"),
    "and resets, abortonclose": ("timeout queue 5s\n  option abortonclose", Reset(), "", (), "CQ"),
    "until the server goes into maintenance": (
        "timeout queue 300ms",
        None,
        "set server l/s state maint",
        (503,),
        "sQ",
    ),
    "until the session ahead is killed": (
        "timeout queue 5s",
        None,
        "shutdown sessions server l/s",
        (200,),
        "--",
    ),
}


@pytest.mark.parametrize("case", WAITS)
def test_a_client_that_waits_in_the_queue(both: Both, case: str) -> None:
    lines, step, command, statuses, state = WAITS[case]

    def states(line: Line) -> str:
        # What is logged of the server's state is not the point.
        return http_line(line) if " ts=" in line.raw else ""

    def traffic(lab: Lab) -> Any:
        ahead = Client(lab)
        ahead.play([GET, Arrived(b"host")])
        waiting = Client(lab)
        waiting.play([GET, Shown("qcur", "1")])
        if step:
            waiting.play([step])
        if command == "free":
            lab.origin().ends[0].send(OK)
        elif command:
            lab.command(command)
        if statuses:
            waiting.read(1)
        else:
            lab.log.wait(1)
        # Whoever is still ahead has its answer, so that its end is no matter of timeouts.
        lab.origin().ends[0].try_send(OK)
        ahead.read(1)
        return statuses_of(waiting)

    script = Script([Reply(b""), Reply()])
    config, origins = QUEUE.replace("LINES", lines), {"a": script}
    seen = both(config, traffic, origins=origins, preamble=PREAMBLE, normal=states, ordered=False)
    assert seen.value == list(statuses)
    assert state in [state_of(line) for line in seen.logs]


def statuses_of(client: Client) -> list[int]:
    return [message.normal(True, True, frozenset()).status for message in client.messages()]


KILLED = """
listen l
  bind 127.0.0.1:<front>
  timeout http-keep-alive 300ms
  server s <a>
listen l-2
  bind 127.0.0.1:<front2>
  server s <stuck>
"""
# A session that an operator ends: what it does by then, and its state.
KILLS: dict[str, tuple[str, tuple[Step, ...], Reply, str]] = {
    "while the server thinks": ("front", (GET, Arrived(b"host")), Reply(b""), "KH"),
    "in its body": ("front", (POST, Arrived(b"01234")), Reply(b""), "K-"),
    "while connecting": ("front2", (GET, Shown("scur", "1")), Reply(), "K-"),
}


@pytest.mark.parametrize("case", KILLS)
def test_an_exchange_that_an_operator_ends(both: Both, case: str) -> None:
    name, steps, reply, state = KILLS[case]

    def traffic(lab: Lab) -> Any:
        client = Client(lab, name)
        client.play(steps)
        shown = lab.command("show sess").splitlines()
        [number] = [line.split(":")[0] for line in shown if " fe=l" in line]
        lab.command(f"shutdown session {number}")
        ending = client.end.ending()
        lab.log.wait(1)
        return statuses_of(client), ending

    seen = both(KILLED, traffic, origins={"a": Script([reply])}, preamble=PREAMBLE, normal=http_line)
    assert [state_of(line) for line in seen.logs] == [state]
