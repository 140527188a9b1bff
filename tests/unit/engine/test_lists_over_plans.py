"""Which lists of patterns a new plan keeps, and which it loads anew."""

from __future__ import annotations

import hashlib

import pytest
from live_engine import LiveEngine, plan
from msgspec.structs import replace

from isthmus.engine.lists import (
    AddEntries,
    AllLists,
    Entries,
    GetEntries,
    GetLists,
    ListAnswer,
    PrepareVersion,
)

TEXT = """
frontend f
 bind 127.0.0.1:1
 tcp-request content set-var(txn.a) src,map_ip(nets)
 tcp-request content set-var(txn.b) src,map_ip(virt@live)
 acl x src 10.0.0.1
 default_backend b
backend b
 server s 127.0.0.1:9
"""


def put(engine: LiveEngine, content: bytes) -> None:
    """Apply the plan with what the file holds."""
    made = plan(TEXT)
    digest = hashlib.sha256(content).hexdigest()
    lists = tuple(
        each if each.name.startswith("virt@") else replace(each, digest=digest) for each in made.lists
    )
    report = engine.native.apply(replace(made, lists=lists), {digest: content})
    assert report.errors == ()
    engine.report = report


def ask(engine: LiveEngine, question: object) -> ListAnswer:
    return engine.native.lists(question)  # type: ignore[arg-type]


def entries(engine: LiveEngine, number: int) -> list[tuple[str, str]]:
    answer = ask(engine, GetEntries(number))
    assert isinstance(answer, Entries)
    return [(key, value) for _, key, value in answer.entries]


def prepared(engine: LiveEngine, number: int) -> int:
    """The last version that was prepared: it tells a list that was kept from one that is new."""
    answer = ask(engine, GetLists())
    assert isinstance(answer, AllLists)
    return next(each.next for each in answer.lists if each.id == number)


@pytest.fixture
def running(engine: LiveEngine) -> LiveEngine:
    put(engine, b"10.0.0.0/8 ten\n")
    return engine


def test_a_list_stays_while_its_file_is_the_same(running: LiveEngine) -> None:
    ask(running, PrepareVersion(0))
    put(running, b"10.0.0.0/8 ten\n")
    assert prepared(running, 0) == 1
    put(running, b"10.0.0.0/8 eleven\n")
    assert (prepared(running, 0), entries(running, 0)) == (0, [("10.0.0.0/8", "eleven")])


def test_what_operators_changed_in_a_file_ends_with_the_plan(running: LiveEngine) -> None:
    ask(running, AddEntries(0, None, (("11.0.0.0/8", "more"),)))
    assert len(entries(running, 0)) == 2
    put(running, b"10.0.0.0/8 ten\n")
    assert entries(running, 0) == [("10.0.0.0/8", "ten")]


def test_a_list_in_memory_keeps_what_operators_put_there(running: LiveEngine) -> None:
    ask(running, AddEntries(1, None, (("11.0.0.0/8", "more"),)))
    put(running, b"")
    assert entries(running, 1) == [("11.0.0.0/8", "more")]


def test_a_file_that_came_without_its_text_is_refused(running: LiveEngine) -> None:
    made = plan(TEXT)
    lists = (replace(made.lists[0], digest="unknown"), *made.lists[1:])
    report = running.native.apply(replace(made, lists=lists))
    assert report.errors == (("nets", "came without its text"),)
