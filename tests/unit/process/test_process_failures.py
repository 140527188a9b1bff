"""How failures of the engine are told."""

from __future__ import annotations

from paper import TIMEOUTS, built

from isthmus.engine.report import ApplyReport
from isthmus.process.failures import messages


def told(line: str, origin: str, said: str) -> list[str]:
    plan = built(f"{TIMEOUTS}frontend f\n {line}\n").engine
    assert plan.frontends[0].binds[0].origin == "t.cfg:6"
    return list(messages(ApplyReport(errors=((origin, said),)), plan))


def test_a_bind_is_told_as_haproxy_tells_it() -> None:
    found = told("bind 127.0.0.1:80", "t.cfg:6", "Address already in use (os error 98)")
    assert found == [
        "Binding [t.cfg:6] for frontend f: cannot bind socket (Address already in use) for [127.0.0.1:80]"
    ]


def test_a_line_with_several_addresses_names_none() -> None:
    found = told("bind 127.0.0.1:80,127.0.0.1:81", "t.cfg:6", "Permission denied (os error 13)")
    assert found == ["Binding [t.cfg:6] for frontend f: cannot bind socket (Permission denied)"]


def test_a_failure_that_belongs_to_no_bind_keeps_its_origin() -> None:
    assert told("bind :80", "namespace red", "absent") == ["[namespace red] : absent"]
