"""Frontends that are closed and opened at run time, and limits that stay as operators set them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from .lab import Both, Lab, Origins
from .wire import greets

ORIGINS: Origins = {"a": greets}
TEXT = """
global
  maxconn 1000
  maxconnrate 500
frontend f
  bind 127.0.0.1:<front>
  bind 127.0.0.1:<second>
  maxconn 100
  default_backend b
frontend g
  bind 127.0.0.1:<other>
  default_backend b
listen l
  bind 127.0.0.1:<third>
  server a <a>
backend b
  balance roundrobin
  server a <a>
"""


def statuses(lab: Lab) -> dict[str, str]:
    rows = (line.split(",") for line in lab.command("show stat").splitlines() if "," in line)
    return {row[0]: row[17] for row in rows if row[1] == "FRONTEND"}


def reaches(lab: Lab, name: str) -> bool:
    try:
        return lab.greeting(name=name) == "a"
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 8
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def info(lab: Lab, *names: str) -> list[str]:
    lines = lab.command("show info").splitlines()
    return [line for line in lines if line.partition(":")[0] in names]


def test_a_frontend_is_paused_and_goes_on(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        living = lab.connect()
        living.read(2)
        answers = [lab.command(f"disable frontend{name}") for name in ("", " nosuch", " f", " f")]
        until(lambda: not reaches(lab, "front") and not reaches(lab, "second"))
        seen = [statuses(lab), reaches(lab, "other")]
        living.send(b"still there")
        living.finish()
        answers += [lab.command(f"enable frontend{name}") for name in ("", " nosuch", " f", " f", " g")]
        seen += [statuses(lab), lab.names(2), lab.greeting(name="second"), living.ending()]
        return answers, seen

    seen = both(TEXT, traffic, origins=ORIGINS, logged=False)
    assert seen.value[1][0]["f"] == "PAUSED"


def test_a_frontend_is_shut_down_for_good(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = [lab.command(f"shutdown frontend{name}") for name in ("", " nosuch", " f", " f", " l")]
        until(lambda: not reaches(lab, "front") and not reaches(lab, "third"))
        answers += [lab.command(f"{verb} frontend f") for verb in ("enable", "disable")]
        answers.append(lab.command("disable frontend g"))
        answers.append(lab.command("shutdown frontend g"))
        return answers, statuses(lab), reaches(lab, "front"), reaches(lab, "other")

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_what_is_logged_of_frontends(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        for line in ("disable frontend f", "enable frontend f", "shutdown frontend f"):
            lab.command(line)
        lab.log.wait(2)
        return [line.message for line in lab.log.lines()]

    both(TEXT, traffic, origins=ORIGINS, logged=False)


RATES = (
    *("", "connections", "connections global", "connections local 10", "foo global 1"),
    *("connections global 10", "sessions global 12", "sessions global -1"),
    *("http-compression", "http-compression local 1", "http-compression global -1"),
)


def test_limits_of_rates(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = [lab.command(f"set rate-limit {words}".rstrip()) for words in RATES]
        lines = [a.splitlines() for a in answers]
        return lines, info(lab, "ConnRateLimit", "SessRateLimit")

    seen = both(TEXT, traffic, origins=ORIGINS, logged=False)
    assert seen.value[1] == ["ConnRateLimit: 10", "SessRateLimit: 12"]


@pytest.mark.parametrize("what", ["connections", "sessions"])
def test_a_limit_of_rates_holds(both: Both, what: str) -> None:
    def traffic(lab: Lab) -> object:
        lab.command(f"set rate-limit {what} global 3")
        # A second that is not over yet limits what is accepted; nothing is refused.
        names = lab.names(7)
        most = max(int(each.split(": ")[1]) for each in info(lab, "MaxConnRate", "MaxSessRate"))
        return names, most <= 4

    both(TEXT, traffic, origins=ORIGINS, logged=False)


SET = (
    *("set maxconn frontend f 7", "set maxconn global 600", "set maxconn server b/a 5"),
    *("set rate-limit connections global 40", "set rate-limit sessions global 50"),
    *("set weight b/a 3", "disable frontend g", "shutdown frontend l"),
)


def test_what_operators_set_stays_when_a_server_is_added_and_deleted(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        def shown() -> object:
            rows = (line.split(",") for line in lab.command("show stat").splitlines() if "," in line)
            wanted = {("f", "FRONTEND"), ("b", "a")}
            limits = [(row[0], row[6], row[18]) for row in rows if (row[0], row[1]) in wanted]
            names = ("Maxconn", "Hard_maxconn", "ConnRateLimit", "SessRateLimit")
            return limits, info(lab, *names), statuses(lab)

        said = [lab.command(line) for line in SET]
        said.append(lab.greeting())
        said.append(lab.command("add server b/n 127.0.0.1:9"))
        first = shown()
        said.append(lab.command("del server b/n"))
        return said, first, shown(), lab.greeting()

    both(TEXT, traffic, origins=ORIGINS, logged=False)
