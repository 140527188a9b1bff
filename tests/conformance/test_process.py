"""The process as its supervisor sees it: signals, exit statuses, what happens to sessions."""

from __future__ import annotations

import signal
import time

from .lab import Both, Lab
from .listeners import listening_ports
from .wire import DEADLINE

DRIVEN = {"a": None}
SIMPLE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server a <a>
"""


def closes(lab: Lab) -> bool:
    """Waits until the front port listens no more."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if lab.ports["front"] not in listening_ports():
            return True
        time.sleep(0.01)
    return False


def test_sigusr1_lets_sessions_finish_and_takes_no_new_ones(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        lab.proxy.signal(signal.SIGUSR1)
        stopped = closes(lab)
        origin.send(b"still served")
        heard = client.read(12)
        running = lab.proxy.is_running()
        client.close()
        origin.ending()
        origin.close()
        return stopped, heard, running, lab.proxy.wait()

    seen = both(SIMPLE, traffic, origins=DRIVEN)
    assert seen.value == (True, b"still served", True, 0)
    assert seen.log.ts == "--"


def hard_stop(number: signal.Signals) -> object:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        lab.proxy.signal(number)
        status = lab.proxy.wait()
        # Killed by a signal, or ended with what a shell calls that: the same to a supervisor.
        status = status if status >= 0 else 128 - status
        return status, client.ending() in ("FIN", "RST"), origin.ending() in ("FIN", "RST")

    return traffic


def test_sigterm_stops_at_once(both: Both) -> None:
    both(SIMPLE, hard_stop(signal.SIGTERM), origins=DRIVEN, logged=False)


def test_sigint_stops_at_once(both: Both) -> None:
    both(SIMPLE, hard_stop(signal.SIGINT), origins=DRIVEN, logged=False)


def test_sighup_dumps_the_servers_state_and_goes_on(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.proxy.signal(signal.SIGHUP)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            lines = [line.raw.split("]: ", 1)[1] for line in lab.log.everything() if "Server b/a" in line.raw]
            if lines:
                return sorted(lines), lab.ask() == b"" or True
            time.sleep(0.02)
        return "nothing logged"

    seen = both(SIMPLE, traffic, logged=False)
    assert seen.value != "nothing logged"


def test_hard_stop_after_closes_what_lingers(both: Both) -> None:
    """The graceful stop has an end of its own, if one is set."""

    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        lab.proxy.signal(signal.SIGUSR1)
        status = lab.proxy.wait()
        return status, client.ending() in ("FIN", "RST")

    seen = both("global\n  hard-stop-after 400\n" + SIMPLE, traffic, origins=DRIVEN, logged=False)
    assert seen.value[1] is True


def test_a_process_of_the_foreground_writes_no_pidfile(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        # Who answers commands has finished starting.
        lab.command("show info")
        return (lab.folder / "pid").exists()

    seen = both("global\n  pidfile <dir>/pid\n" + SIMPLE, traffic, logged=False)
    assert seen.value is False


def test_sigusr1_again_and_again_is_one_graceful_stop(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.command("show info")
        deadline = time.monotonic() + DEADLINE
        while lab.proxy.is_running() and time.monotonic() < deadline:
            lab.proxy.signal(signal.SIGUSR1)
            time.sleep(0.002)
        return lab.proxy.wait()

    # HAProxy restores the signal's default action as it leaves, and may die of it: only ours is judged.
    assert both.apart(SIMPLE, traffic, logged=False)[1].value == 0
