"""Servers added and deleted over the runtime API: what is put in force, and what is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from instances import Operator
from paper import built

from isthmus.plan import Built, document

STATIC = """
defaults
  mode tcp
  timeout connect 1s
  timeout server 1s
backend b
  balance static-rr
  server s1 127.0.0.1:9
backend m
  balance source
  server s1 127.0.0.1:9
backend c
  balance source
  hash-type consistent
  server s1 127.0.0.1:9
"""


def servers(built: Built, at: int = 0) -> list[str]:
    return [each.name for each in built.engine.backends[at].servers]


def ask(operator: Operator, line: str) -> str:
    """Ask on a loop: putting checks in force begins tasks."""

    async def run() -> str:
        answer = operator.ask(line)
        operator.instance.checker.stop()
        return answer

    return asyncio.run(run())


def test_a_server_is_put_in_force_in_maintenance() -> None:
    operator = Operator()
    assert ask(operator, "add server b/new 127.0.0.1:80 weight 3") == "New server registered.\n\n"
    assert servers(operator.running.built) == ["s1", "s2", "s3", "new"]
    made = operator.running.built.engine.backends[0].servers[-1]
    assert (made.disabled, made.weight) == (True, 3)
    maintenance = {"kind": "set_server_admin", "backend": "b", "server": "new", "state": "maint"}
    assert operator.native.commands == [maintenance]
    assert operator.running.console == ["'server b/new' : New server registered."]


@pytest.mark.parametrize("word", ["disabled", "enabled"])
def test_a_state_that_is_said_is_the_lines_own(word: str) -> None:
    operator = Operator()
    assert ask(operator, f"add server b/new 127.0.0.1:80 {word}") == "New server registered.\n\n"
    assert operator.native.commands == []
    assert operator.running.built.engine.backends[0].servers[-1].disabled is (word == "disabled")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", "Require 'backend/server'.\n"),
        ("b", "Require 'backend/server'.\n"),
        ("/s 127.0.0.1:1", "Require 'backend/server'.\n"),
        ("nosuch/s 127.0.0.1:1", "No such backend.\n"),
        ("f/s 127.0.0.1:1", "No such backend.\n"),
        ("b/new", "'server' expects <name> and <addr>[:<port>] as arguments.\n\n"),
        ("b/s1 127.0.0.1:1", "Already exists a server with the same name in backend.\n\n"),
        ("b/new 127.0.0.1:1 bogus", "unknown keyword `bogus` on a server line\n\n"),
        ("b/new 127.0.0.1:1 chek", "unknown keyword `chek` on a server line (did you mean `check`?)\n\n"),
        ("b/new 127.0.0.1:1 init-addr none", "`init-addr` cannot be given to a server at run time\n\n"),
        (
            "b/new 127.0.0.1:1 namespace nosuch-ns",
            "namespace `nosuch-ns` does not exist (/run/netns/nosuch-ns) (`ip netns add nosuch-ns` makes it;"
            " `nosuch-ns optional` waits until it is made)\n\n",
        ),
        (
            "b/new 127.0.0.1:1 track b/s3",
            "server `b/s3` cannot be tracked: it is not checked (write `check` on its line)\n\n",
        ),
    ],
)
def test_what_is_refused_changes_nothing(words: str, answer: str) -> None:
    operator = Operator()
    before = operator.running.built
    assert ask(operator, f"add server {words}".rstrip()) == answer
    assert operator.running.built is before
    assert operator.native.commands == []


def test_a_number_that_is_taken_is_refused_with_its_place() -> None:
    operator = Operator()
    origin = operator.running.built.engine.backends[0].servers[1].origin
    answer = ask(operator, "add server b/new 127.0.0.1:1 id 2")
    assert answer == f"id 2 is already used by server `s2` at {origin}\n\n"


def test_an_added_server_cannot_be_tracked() -> None:
    operator = Operator()
    ask(operator, "add server b/new 127.0.0.1:1 check")
    answer = ask(operator, "add server b/other 127.0.0.1:1 track b/new")
    assert answer == "unable to use b/new for tracking as it is a dynamic server.\n\n"


def test_backends_that_lay_out_a_map_refuse() -> None:
    operator = Operator()
    operator.running.built = built(STATIC)
    refusal = "Backend must use a dynamic load balancing to support dynamic servers.\n"
    assert operator.ask("add server b/new 127.0.0.1:1") == refusal
    assert operator.ask("add server m/new 127.0.0.1:1") == refusal
    assert ask(operator, "add server c/new 127.0.0.1:1") == "New server registered.\n\n"


def test_what_the_engine_refuses_is_told() -> None:
    operator = Operator()
    operator.running.errors = (("add server:1", "namespace red is gone"),)
    assert ask(operator, "add server b/new 127.0.0.1:1") == "namespace red is gone\n\n"
    assert operator.native.commands == []


def test_a_servers_check_begins_when_it_is_enabled() -> None:
    operator = Operator()

    async def run() -> None:
        operator.ask("add server b/new 127.0.0.1:9 check inter 20")
        entry = operator.instance.checker.find("b", "new")
        assert entry is not None
        assert (entry.stopped, entry.paused) == (True, True)
        assert operator.ask("enable server b/new") == "\n"
        rows = operator.ask("show stat b 4 -1").splitlines()
        assert any(row.startswith("b,new,") and ",no check," in row for row in rows)
        assert operator.ask("enable health b/new") == "\n"
        assert (entry.stopped, entry.paused) == (False, False)
        operator.instance.checker.stop()

    asyncio.run(run())


def test_only_a_server_in_maintenance_is_deleted() -> None:
    operator = Operator()
    assert ask(operator, "del server b/s3") == "Only servers in maintenance mode can be deleted.\n"
    operator.ask("disable server b/s3")
    assert ask(operator, "del server b/s3") == "Server deleted.\n"
    assert servers(operator.running.built) == ["s1", "s2"]
    assert operator.running.console == ["Server deleted."]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", "Require 'backend/server'.\n"),
        ("b", "Require 'backend/server'.\n"),
        ("b/nosuch", "No such server.\n"),
        ("nosuch/s1", "No such backend.\n"),
    ],
)
def test_what_is_not_there_is_not_deleted(words: str, answer: str) -> None:
    assert Operator().ask(f"del server {words}".rstrip()) == answer


def test_a_tracked_server_is_not_deleted() -> None:
    operator = Operator()
    ask(operator, "add server l/follower 127.0.0.1:1 track b/s1")
    operator.ask("disable server b/s1")
    answer = "This server cannot be removed at runtime due to other configuration elements pointing to it.\n"
    assert ask(operator, "del server b/s1") == answer
    assert isinstance(operator.running.built.engine, document.Plan)


def test_a_namespace_of_the_machine_is_taken(tmp_path: Path) -> None:
    operator = Operator()
    answer = ask(operator, "add server b/new 127.0.0.1:80 namespace /proc/self/ns/net")
    assert answer == "New server registered.\n\n"
    assert operator.running.built.engine.namespaces[-1].path == "/proc/self/ns/net"
