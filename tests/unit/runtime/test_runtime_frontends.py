"""Frontends closed and opened, checks stopped, and rates limited over the runtime API."""

from __future__ import annotations

import pytest
from instances import Operator
from msgspec.structs import replace


def with_status(status: str, listener: str = "OPEN") -> Operator:
    operator = Operator()
    facts = operator.native.facts
    listeners = tuple(replace(each, status=listener) for each in facts.frontends[0].listeners)
    first = replace(facts.frontends[0], status=status, listeners=listeners)
    operator.native.facts = replace(facts, frontends=(first, *facts.frontends[1:]))
    return operator


@pytest.mark.parametrize(
    ("status", "verb", "state", "log"),
    [
        ("OPEN", "disable", "paused", "Paused frontend f."),
        ("FULL", "disable", "paused", "Paused frontend f."),
        ("PAUSED", "enable", "open", "Resumed frontend f."),
        ("OPEN", "shutdown", "shut", "Proxy f stopped (cumulated conns: FE: 0, BE: 0)."),
        ("PAUSED", "shutdown", "shut", "Proxy f stopped (cumulated conns: FE: 0, BE: 0)."),
    ],
)
def test_a_frontend_changes_its_state(status: str, verb: str, state: str, log: str) -> None:
    operator = with_status(status)
    assert operator.ask(f"{verb} frontend f") == "\n"
    assert operator.native.commands == [{"kind": "set_frontend_state", "frontend": "f", "state": state}]
    assert operator.logged == [log]


@pytest.mark.parametrize(
    ("status", "line", "answer"),
    [
        ("OPEN", "disable frontend", "A frontend name is expected.\n\n"),
        ("OPEN", "enable frontend nosuch", "No such frontend.\n\n"),
        ("OPEN", "enable frontend f", "All sockets are already enabled.\n\n"),
        ("PAUSED", "disable frontend f", "All sockets are already disabled.\n\n"),
        ("STOP", "disable frontend f", "Frontend was previously shut down, cannot disable.\n\n"),
        ("STOP", "enable frontend f", "Frontend was previously shut down, cannot enable.\n\n"),
        ("STOP", "shutdown frontend f", "Frontend was already shut down.\n\n"),
    ],
)
def test_what_cannot_be_is_told(status: str, line: str, answer: str) -> None:
    operator = with_status(status, "DOWN" if status == "STOP" else "OPEN")
    assert operator.ask(line) == answer
    assert operator.native.commands == []


def test_a_frontend_that_waits_for_its_namespace_is_not_shut_down() -> None:
    assert with_status("STOP", "WAITING").ask("disable frontend f") == "\n"


@pytest.mark.parametrize("what", ["connections", "sessions"])
def test_a_limit_of_rates_is_set(what: str) -> None:
    operator = Operator()
    assert operator.ask(f"set rate-limit {what} global 7") == "\n"
    assert operator.native.commands == [{"kind": "set_rate_limit", "what": what, "limit": 7}]


def test_a_limit_of_compression_is_given_in_kilobytes() -> None:
    operator = Operator()
    assert operator.ask("set rate-limit http-compression global 7") == "\n"
    wanted = {"kind": "set_rate_limit", "what": "http-compression", "limit": 7168}
    assert operator.native.commands == [wanted]


@pytest.mark.parametrize("words", ["", "connections", "connections local 1"])
def test_a_limit_that_is_not_there_is_told_from_those_that_are(words: str) -> None:
    operator = Operator()
    assert operator.ask(f"set rate-limit {words}".rstrip()).startswith("'set rate-limit' only supports :\n")
    assert operator.native.commands == []


def test_a_check_is_stopped_and_goes_on() -> None:
    operator = Operator()
    assert operator.ask("disable health b/s2") == "\n"
    no_check = "Health check was not configured on this server, cannot enable.\n\n"
    assert operator.ask("enable health b/s2") == no_check
    assert operator.ask("enable health b/nosuch") == "No such server.\n\n"
