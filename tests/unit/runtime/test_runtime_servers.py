"""Commands about servers: what they ask of the engine, and how they answer mistakes."""

from __future__ import annotations

import pytest
from instances import Operator

from isthmus.runtime.commands.weights import parse_weight
from isthmus.runtime.instance import CommandError


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("get weight b/s3", "20 (initial 20)\n\n"),
        ("get weight", "Require 'backend/server'.\n\n"),
        ("get weight b", "Require 'backend/server'.\n\n"),
        ("get weight b/nope", "No such server.\n\n"),
        ("get weight nope/s1", "No such backend.\n\n"),
        ("set weight b/s3", "Require <weight> or <weight%>.\n\n"),
        ("set weight b/s3 500", "Absolute weight can only be between 0 and 256 inclusive.\n\n"),
        ("set weight b/s3 -1%", "Relative weight must be positive.\n\n"),
        ("set weight b/s3 10x", "Trailing garbage in weight string\n\n"),
        ("set server", "Require 'backend/server'.\n\n"),
        ("set server b/x state ready", "No such server.\n\n"),
        ("set server b/s1 state foo", "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n"),
        ("set server b/s1 health", "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n\n"),
        ("set server b/s1", "usage: set server <backend>/<server> health | state | weight\n\n"),
        ("set server b/s1 addr 1.2.3.4", "'set server <srv> addr' is not implemented.\n\n"),
        ("show servers state nope", "Can't find backend.\n\n"),
        ("disable server", "Require 'backend/server'.\n\n"),
    ],
)
def test_a_mistake_is_answered_and_changes_nothing(line: str, answer: str) -> None:
    operator = Operator()
    assert operator.ask(line) == answer
    assert operator.native.commands == []


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("set server b/s1 state maint", {"kind": "set_server_admin", "state": "maint"}),
        ("set server #3/#1 state drain", {"kind": "set_server_admin", "state": "drain"}),
        ("disable server b/s1", {"kind": "set_server_admin", "state": "maint"}),
        ("enable server b/s1", {"kind": "set_server_admin", "state": "ready"}),
        ("set server b/s1 weight 50%", {"kind": "set_server_weight", "weight": 0}),
        ("set weight b/s1 7", {"kind": "set_server_weight", "weight": 7}),
        (
            "set server b/s1 health down",
            {"kind": "set_server_health", "up": False, "reason": "changed from CLI"},
        ),
    ],
)
def test_a_change_is_asked_of_the_engine_by_name(line: str, command: dict[str, object]) -> None:
    operator = Operator()
    assert operator.ask(line) == "\n"
    assert operator.native.commands == [{"backend": "b", "server": "s1", **command}]


def test_enabling_a_drained_server_leaves_it_draining() -> None:
    operator = Operator()
    operator.ask("set server b/s1 state drain;enable server b/s1")
    assert [each["state"] for each in operator.native.commands] == ["drain", "drain"]


def test_a_change_is_logged() -> None:
    operator = Operator()
    operator.ask("disable server b/s3")
    assert operator.logged == [
        "Server b/s3 is going DOWN for maintenance. 1 active and 1 backup servers left. "
        "0 sessions active, 0 requeued, 0 remaining in queue."
    ]


@pytest.mark.parametrize(
    ("text", "weight"), [("0", 0), ("256", 256), ("50%", 20), ("200%", 80), ("10000%", 256), ("0%", 0)]
)
def test_a_weight_is_absolute_or_a_share_of_the_configured_one(text: str, weight: int) -> None:
    assert parse_weight(text, 40) == weight


def test_a_weight_that_begins_with_garbage_is_refused() -> None:
    with pytest.raises(CommandError, match="Empty weight string empty or preceded by garbage"):
        parse_weight("x", 1)


def test_servers_state_has_haproxys_form_and_the_namespace_behind_it() -> None:
    version, header, first, *_ = Operator().ask("show servers state b").splitlines()
    assert version == "1"
    assert header.startswith("# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state ")
    assert first == "3 b 1 s1 127.0.0.1 2 0 1 1 0 1 0 2 0 0 0 0 - 9 - 0 0 - - 0 -"
    assert len(header.split()) == len(first.split()) + 1
