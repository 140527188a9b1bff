"""Answers on a connection, as HAProxy 2.6 was seen to give them, and the modes of 3.x."""

from __future__ import annotations

import pytest
from instances import Operator

from isthmus import product
from isthmus.records import replace
from isthmus.runtime.level import Level
from isthmus.runtime.registry import COMMANDS

VERSION = product.FULL_VERSION + "\n\n"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("show version", VERSION),
        ("  show   version  ", VERSION),
        ("show version\r", VERSION),
        ("show version extra", VERSION),
        ("show version;show version", VERSION * 2),
        ("show cli level", "admin\n\n"),
        ("operator;show cli level", "\noperator\n\n"),
        ("user;show cli level;show env HOME", "\nuser\n\nPermission denied\n\n"),
        ("show env HOME", "HOME=/root\n\n"),
        ("show env", "HOME=/root\n\n"),
        ("show env NOPE", "Variable not found\n\n"),
        ("echo", "\n\n"),
        ("echo two  words", "two words\n\n"),
        ("experimental-mode on;experimental-mode", "\nexperimental-mode is ON\n\n"),
        ("get var proc.known", "proc.known: type=sint value=<3>\n"),
        ("get var proc.other", "Variable not found.\n\n"),
        ("get var txn.known", "Variable not found.\n\n"),
        ("set var proc.x int(3)", "This command is restricted to experimental mode only.\n\n"),
        ("experimental-mode on;set var proc.x int(3)", "\n\n"),
        ("experimental-mode on;set var txn.x int(3)", "\nOnly process-wide variables are permitted.\n\n"),
        ("experimental-mode on;set var proc.x", "\nMissing expression.\n\n"),
        ("experimental-mode on;set var", "\nMissing process-wide variable identifier.\n\n"),
        ("experimental-mode on;set var proc.x in(3)", "\nunknown fetch `in` (did you mean `int`?)\n\n"),
        ("show startup-logs", "[WARNING]  (1) : so it began\n\n"),
        ("show cli sockets", "# socket lvl processes\nunix@/run/a.sock admin all\n\n"),
        ("set timeout cli 0", "Invalid timeout value.\n\n"),
        ("set timeout cli x", "Invalid timeout value.\n\n"),
        ("set timeout foo 3", "'set timeout' only supports 'cli'.\n\n"),
        ("set timeout cli 1", "\n"),
        ("show backend", "# name\nb\nl\n\n"),
        ("quit", ""),
        ("show version;quit;show version", VERSION),
    ],
)
def test_a_line_is_answered_as_haproxy_answers_it(line: str, answer: str) -> None:
    assert Operator().ask(line) == answer


def test_a_connection_closes_behind_one_line_unless_it_is_interactive() -> None:
    operator = Operator()
    operator.ask("show version")
    assert operator.session.closing
    operator.ask("prompt i")
    assert not operator.session.closing


def test_the_prompt_toggles_and_stands_behind_every_answer() -> None:
    operator = Operator()
    assert operator.ask("prompt") == "\n> "
    assert operator.ask("show version;show version") == f"{VERSION}> {VERSION}> "
    assert operator.ask("") == "\n> "
    assert operator.ask("prompt") == "\n"
    assert operator.session.closing


def test_a_timed_prompt_tells_how_long_the_process_has_run() -> None:
    operator = Operator()
    operator.instance.started -= 90061
    assert operator.ask("prompt p timed").startswith("\n[1:01:01:0")


def test_an_unknown_command_gets_the_nearest_ones() -> None:
    answer = Operator().ask("show servres state")
    first, *rest = answer.splitlines()
    assert first == "Unknown command, but maybe one of the following ones is a better match:"
    assert any(each.startswith("  show servers state [<backend>] ") for each in rest)


def test_half_a_command_gets_every_one_that_begins_so() -> None:
    answer = Operator().ask("show")
    offered = {" ".join(line.split()[:2]) for line in answer.splitlines()[1:] if line.startswith("  show")}
    assert offered == {" ".join(name.split()[:2]) for name in COMMANDS if name.startswith("show ")}


def test_nonsense_gets_a_few_commands_all_the_same() -> None:
    assert 5 <= len(Operator().ask("xyzzy").splitlines()) <= 10


def test_an_empty_line_gets_the_whole_list() -> None:
    answer = Operator().ask("")
    assert answer.startswith("Unknown command. Please enter one of the following commands only:\n")
    assert "  set server <bk>/<srv> [opts]            : " in answer


def test_help_of_a_word_lists_what_begins_so() -> None:
    lines = Operator().ask("help show env").splitlines()
    assert [" ".join(each.split()[:2]) for each in lines[1:-1]] == [
        "show env",
        "help [<command>]",
        "prompt [help",
        "quit :",
    ]


@pytest.mark.parametrize(
    "line",
    ["disable server b/s1", "set weight b/s1 1", "set server b/s1 state ready", "show sess", "operator"],
)
def test_a_user_may_not_do_what_needs_a_higher_level(line: str) -> None:
    operator = Operator()
    operator.session.level = Level.USER
    assert operator.ask(line) == "Permission denied\n\n"
    assert operator.native.commands == []


def test_every_command_is_documented_and_listed_by_help() -> None:
    text = Operator().ask("help")
    for each in COMMANDS.values():
        assert each.about
        assert f"  {each.name}" in text


def test_a_payload_is_the_lines_up_to_an_empty_one():
    operator = Operator()
    said = [operator.ask(line) for line in ("add map a.map <<", "k1 v1", "  k2   v2 with  blanks ")]
    assert (said, operator.session.closing) == (["", "", ""], False)
    assert operator.ask("") == "\n"
    assert operator.session.closing
    assert operator.native.commands[-1] == {
        "kind": "add",
        "list": 3,
        "version": None,
        "entries": [["k1", "v1"], ["k2", "v2 with  blanks "]],
    }


def test_a_payload_may_end_with_a_word_and_is_asked_for_by_a_prompt():
    operator = Operator()
    operator.ask("prompt")
    assert operator.ask("add map @5 #3 <<END") == "+ "
    assert operator.ask("") == "+ "
    assert operator.ask("k v") == "+ "
    assert operator.ask("END") == "\n> "
    assert operator.native.commands[-1]["entries"] == [["k", "v"]]
    assert operator.native.commands[-1]["version"] == 5


def test_a_payload_has_an_end_and_so_has_its_connection():
    operator = Operator()
    operator.session.instance.settings = replace(operator.session.instance.settings, payload=20)
    assert [operator.ask(line) for line in ("add map a.map <<", "k1 v1", "k" * 13)] == ["", "", ""]
    assert operator.ask("x") == "The payload is longer than tune.cli.max-payload-size.\n\n"
    assert operator.session.closing
    assert operator.native.commands == []


def test_a_payload_with_a_key_alone_adds_nothing():
    operator = Operator()
    for line in ("add map a.map <<", "k1 v1", "k2"):
        operator.ask(line)
    assert operator.ask("") == "Missing value for key 'k2'.\n\n"
    assert [each["kind"] for each in operator.native.commands] == ["lists"]


@pytest.mark.parametrize(
    "line",
    [
        "get var proc.\udcff",
        "experimental-mode on;set var proc.\udcff int(1)",
        "experimental-mode on;set var proc.a str(\udcff)",
        "disable server b/\udcff",
        "set server b/s1 addr \udcff",
        "enable frontend \udcff",
        "add server b/\udcff 127.0.0.1:1",
        "add server b/new 127.0.0.1:1 namespace \udcff",
        "show stat \udcff 1 -1",
    ],
)
def test_bytes_that_are_no_text_are_answered(line: str) -> None:
    assert Operator().ask(line).endswith("\n")
