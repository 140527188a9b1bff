"""Limits changed and sessions ended over the runtime API: what the engine is asked, and what is refused."""

from __future__ import annotations

import msgspec
import pytest
from instances import Operator

from isthmus.engine.report import SessionFacts


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (
            "set maxconn server b/s1 7",
            {"kind": "set_server_maxconn", "backend": "b", "server": "s1", "maxconn": 7},
        ),
        ("set maxconn frontend f 0", {"kind": "set_frontend_maxconn", "frontend": "f", "maxconn": 0}),
        ("set maxconn frontend l 12", {"kind": "set_frontend_maxconn", "frontend": "l", "maxconn": 12}),
        ("set maxconn global 40", {"kind": "set_maxconn", "maxconn": 40}),
        (
            "shutdown sessions server b/s2",
            {"kind": "shutdown_server_sessions", "backend": "b", "server": "s2"},
        ),
    ],
)
def test_the_engine_is_asked(line: str, asked: dict[str, object]) -> None:
    operator = Operator()
    assert operator.ask(line) == "\n"
    assert operator.native.commands == [asked]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("set maxconn server b/s1", "Require <maxconn>.\n\n"),
        ("set maxconn server b/s1 x", "maxconn string empty or preceded by garbage\n"),
        ("set maxconn server b/s1 -1", "maxconn string empty or preceded by garbage\n"),
        ("set maxconn server b/s1 1x", "Trailing garbage in maxconn string\n"),
        ("set maxconn server b/s1 2147483648", "Value out of range.\n\n"),
        ("set maxconn server b/nosuch 1", "No such server.\n\n"),
        ("set maxconn frontend", "A frontend name is expected.\n\n"),
        ("set maxconn frontend b 1", "No such frontend.\n\n"),
        ("set maxconn frontend f -1", "Value out of range.\n\n"),
        ("set maxconn frontend f x", "Integer value expected.\n\n"),
        ("set maxconn global", "Expects an integer value.\n\n"),
        ("set maxconn global 41", "Value out of range.\n\n"),
        ("shutdown session", "Session pointer expected (use 'show sess').\n\n"),
        ("shutdown session 0x1", "No such session (use 'show sess').\n\n"),
        ("shutdown sessions server b", "Require 'backend/server'.\n\n"),
    ],
)
def test_what_is_wrong_is_told_in_haproxys_words(line: str, answer: str) -> None:
    operator = Operator()
    process = msgspec.structs.replace(operator.native.facts.process, hard_maxconn=40)
    operator.native.facts = msgspec.structs.replace(operator.native.facts, process=process)
    assert operator.ask(line) == answer
    assert operator.native.commands == []


@pytest.mark.parametrize("number", ["0x1a", "26"])
def test_a_session_is_ended_by_its_number(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator()
    monkeypatch.setattr(operator.native, "sessions", lambda: msgspec.json.encode([SessionFacts(id=26)]))
    assert operator.ask(f"shutdown session {number}") == "\n"
    assert operator.native.commands == [{"kind": "shutdown_session", "id": 26}]
