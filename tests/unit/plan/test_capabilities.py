"""A line that needs a capability which the process lacks is named."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, VOCABULARY, PaperWorld, tree

from isthmus.keywords import load
from isthmus.plan import build


def warned(line: str, held: frozenset[str]) -> list[tuple[int, str]]:
    """Line and wording of the warnings about a listen section's line, for a process with few capabilities."""
    world = PaperWorld()
    world.held = held
    read = tree(TIMEOUTS + f"listen l\n bind :1\n {line}\n")
    found, diagnostics = load(read, VOCABULARY, world)
    assert not diagnostics.failed, diagnostics.render()
    build(found, world, diagnostics)
    return [(each.span.line, each.message) for each in diagnostics if each.code == "W0165" and each.span]


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("bind :2 namespace red", "CAP_SYS_ADMIN"),
        ("server s 10.0.0.1:1 namespace red", "CAP_SYS_ADMIN"),
        ("server s 10.0.0.1:1 namespace *", "CAP_SYS_ADMIN"),
        ("bind :2 transparent", "CAP_NET_ADMIN or CAP_NET_RAW"),
        ("source 0.0.0.0 usesrc clientip", "CAP_NET_ADMIN or CAP_NET_RAW"),
        ("server s 10.0.0.1:1 source 0.0.0.0 usesrc client", "CAP_NET_ADMIN or CAP_NET_RAW"),
    ],
)
def test_the_missing_capability_is_named_at_its_line(line: str, needed: str) -> None:
    ((number, message),) = warned(line, frozenset())
    assert number == 7
    assert f"needs {needed}," in message


def test_one_of_two_capabilities_is_enough() -> None:
    assert warned("bind :2 transparent", frozenset({"CAP_NET_RAW"})) == []


def test_the_addresses_of_one_line_are_warned_of_once() -> None:
    assert len(warned("bind :2-9 namespace red", frozenset())) == 1
