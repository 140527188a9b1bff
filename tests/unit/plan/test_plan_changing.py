"""A running configuration with one server more or less: what changes, and that nothing else does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from paper import VOCABULARY, PaperWorld, built

from isthmus.config import Diagnostics
from isthmus.keywords.added_server import added_server
from isthmus.keywords.row import Reading
from isthmus.keywords.tls_files import TlsFiles
from isthmus.plan import Built, document
from isthmus.plan.changing import PointedToError, backend_index, free_id, with_server, without_server

TEXT = """
defaults
 mode tcp
 timeout connect 1s
 timeout client 1s
 timeout server 1s
frontend f
 bind 127.0.0.1:1
 default_backend b
backend b
 server a 127.0.0.1:1 check
 server gone 127.0.0.1:2
 server last 127.0.0.1:3 id 9 check
backend c
 server t 127.0.0.1:4 track b/last
"""


def added(before: Built, line: str, at: int = 0, name: str = "new") -> tuple[Built, Diagnostics]:
    diagnostics = Diagnostics()
    reading = Reading(diagnostics, VOCABULARY, PaperWorld(), TlsFiles())
    server, _ = added_server(name, tuple(line.split()), reading, False)
    return with_server(before, at, server, PaperWorld(), diagnostics), diagnostics


def names(built: Built, at: int = 0) -> list[str]:
    return [each.name for each in built.engine.backends[at].servers]


def test_a_server_is_added_behind_the_others_and_the_rest_stays() -> None:
    before = built(TEXT)
    after, diagnostics = added(before, "10.0.0.9:80 weight 4")
    assert not diagnostics.failed
    assert names(after) == ["a", "gone", "last", "new"]
    made = after.engine.backends[0].servers[-1]
    assert (made.id, made.weight, made.disabled) == (3, 4, True)
    assert made.address == document.ServerInet("10.0.0.9", document.FixedPort(80))
    servers = after.engine.backends[0].servers[:-1]
    assert replace(after.engine.backends[0], servers=servers) == before.engine.backends[0]
    assert after.engine.backends[1:] == before.engine.backends[1:]
    assert after.engine.frontends == before.engine.frontends
    assert after.added == {("b", "new")}
    assert [each.name for each in after.configuration.proxies[1].servers] == names(after)


def test_its_check_waits() -> None:
    after, _ = added(built(TEXT), "10.0.0.9:80 check rise 5")
    *others, check = after.health.checks
    assert (check.server, check.rise, check.waits) == ("new", 5, True)
    assert not any(each.waits for each in others)


def test_its_namespace_joins_those_of_the_plan() -> None:
    before = built(TEXT.replace("server gone 127.0.0.1:2", "server gone 127.0.0.1:2 namespace x optional"))
    after, _ = added(before, "10.0.0.9:80 namespace y optional")
    after, _ = added(after, "10.0.0.9:80 namespace x optional", name="second")
    assert [each.name for each in after.engine.namespaces] == ["x", "y"]
    chosen = [each.namespace for each in after.engine.backends[0].servers[-2:]]
    assert chosen == [document.FixedNamespace(1), document.FixedNamespace(0)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("10.0.0.9:80 track b/nosuch", "there is no server `b/nosuch` to track"),
        ("10.0.0.9:80 track nosuch/a", "there is no backend `nosuch` to track"),
        ("10.0.0.9:80 track b/gone", "server `b/gone` cannot be tracked: it is not checked"),
        ("10.0.0.9:80 check track a", "server `b/new` cannot be checked and track another at the same time"),
        ("* check", "server `b/new` is wherever its clients went, and cannot be checked"),
    ],
)
def test_what_does_not_hold_together_is_told(line: str, message: str) -> None:
    _, diagnostics = added(built(TEXT), line)
    assert diagnostics.failed
    assert [each.message for each in diagnostics] == [message]


def test_a_server_is_taken_out_and_those_behind_it_move_up() -> None:
    before = built(TEXT.replace("server t", "use-server t if { src 10.0.0.1 }\n server t"))
    after = without_server(before, 0, "gone")
    assert names(after) == ["a", "last"]
    assert after.engine.backends[1].servers[0].track == (0, 1)
    assert after.engine.backends[1].server_choices == before.engine.backends[1].server_choices
    assert [each.id for each in after.engine.backends[0].servers] == [1, 9]
    assert [each.server for each in after.health.checks] == ["a", "last"]


def test_added_and_taken_out_again_is_as_it_was() -> None:
    before = built(TEXT)
    after, _ = added(before, "nosuch.invalid:80 check")
    again = without_server(after, 0, "new")
    assert (again.engine, again.health, again.host_names) == (before.engine, before.health, before.host_names)
    assert (again.configuration, again.added) == (before.configuration, frozenset())


def test_indexes_in_expressions_and_use_server_rules_move() -> None:
    plan = built(TEXT).engine
    use = document.Expression(
        document.Call("int", (document.ArgInt(1),)),
        (document.Call("x", (document.ArgServer(0, 2), document.ArgServer(1, 2))),),
    )
    choices = (document.ServerChoice(document.FixedServer(2), None),)
    backends = tuple(replace(each, server_choices=choices) for each in plan.backends)
    changed = replace(plan, backends=backends, global_=replace(plan.global_, variables=(("proc.v", use),)))
    held = built(TEXT)
    from dataclasses import replace as other

    after = without_server(other(held, engine=changed), 0, "gone").engine
    assert after.global_.variables[0][1].converters[0].args == (  # type: ignore[union-attr]
        document.ArgServer(0, 1),
        document.ArgServer(1, 2),
    )
    targets = [each.server_choices[0].target for each in after.backends]
    assert targets == [document.FixedServer(1), document.FixedServer(2)]


@pytest.mark.parametrize("name", ["last", "a"])
def test_what_something_points_to_is_not_taken_out(name: str) -> None:
    text = TEXT.replace("server a", "use-server a if { src 10.0.0.1 }\n server a")
    with pytest.raises(PointedToError):
        without_server(built(text), 0, name)


def test_the_lowest_free_number_is_given() -> None:
    assert [free_id(each) for each in ([], [1, 2], [2, 3], [1, 50, 2, 4])] == [1, 3, 1, 3]


def test_a_backend_is_found_by_its_name() -> None:
    plan = built(TEXT).engine
    assert [backend_index(plan, name) for name in ("b", "c", "f", "nosuch")] == [0, 1, None, None]
