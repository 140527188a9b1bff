"""Sessions that end because somebody says so, or because their server is marked down or up."""

from __future__ import annotations

from collections.abc import Callable

from .ending_lab import DRIVEN, config
from .lab import Both, Lab
from .wire import greets


def ended_by(command: str) -> Callable[[Lab], object]:
    """What both ends of a session see when an operator says this."""

    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        # The kernel accepts before the proxy knows that it is connected: what passes tells that it does.
        origin.read(1)
        lab.command(command)
        return client.read_end(), origin.ending()

    return traffic


def test_a_session_killed_over_the_stats_socket(both: Both) -> None:
    seen = both(config(), ended_by("shutdown sessions server b/a"), origins=DRIVEN)
    assert seen.log.ts == "K-"


def test_on_marked_down_shutdown_sessions_kills_what_runs(both: Both) -> None:
    text = config(more="on-marked-down shutdown-sessions")
    # Whether the server's state or the session is logged first is chance.
    both(text, ended_by("disable server b/a"), origins=DRIVEN, ordered=False)


def test_on_marked_down_shutdown_sessions_by_health(both: Both) -> None:
    text = config(more="check inter 60s port <b_port> on-marked-down shutdown-sessions")
    both(text, ended_by("set server b/a health down"), origins={"a": None, "b": greets}, ordered=False)


def test_on_marked_up_shutdown_backup_sessions(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        spare = lab.origin("b").accept()
        spare.read(1)
        lab.command("enable server b/a")
        ended = client.read_end(), spare.ending()
        lab.log.wait(1)
        later = lab.connect()
        lab.origin("a").accept().send(b"!")
        return ended, later.read(1)

    text = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server a <a> disabled on-marked-up shutdown-backup-sessions
  server b <b> backup
"""
    both(text, traffic, origins={"a": None, "b": None}, ordered=False)


def test_one_session_killed_by_its_number(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        [number] = [line.split(":")[0] for line in lab.command("show sess").splitlines() if " fe=f " in line]
        answers = [lab.command(f"shutdown session {each}") for each in (number, "0x0f0f0f", "", "nonsense")]
        return answers, client.read_end(), origin.ending()

    both(config(), traffic, origins=DRIVEN)


def test_a_server_set_to_maintenance_keeps_its_sessions_and_gets_no_new_ones(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        lab.command("disable server b/a")
        refused = lab.connect().read_end()
        lab.log.wait(1)
        client.send(b"x")
        heard = origin.read(1)
        lab.command("enable server b/a")
        again = lab.connect()
        lab.origin().accept().close()
        answered = again.ending()
        again.close()
        lab.log.wait(2)
        client.close()
        return refused, heard, answered

    both(config(), traffic, origins=DRIVEN)


def test_a_drained_server_gets_no_new_sessions(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  server a <a>
  server b <b>
"""

    def traffic(lab: Lab) -> object:
        lab.command("set server f/a state drain")
        drained = lab.names(3)
        lab.command("set server f/a state ready")
        return drained, sorted(lab.names(4))

    seen = both(text, traffic, origins={"a": greets, "b": greets})
    assert seen.value == (["b", "b", "b"], ["a", "a", "b", "b"])
