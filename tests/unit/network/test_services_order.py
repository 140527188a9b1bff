"""What starts and stops, and in which order."""

from __future__ import annotations

import pytest

from isthmus.network.services.definition import Definition
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.order import Change, compare, in_order


def service(name: str, *needs: str, command: str = "x") -> Definition:
    return Definition(name, "red", (command,), needs=needs)


def prints(*definitions: Definition) -> dict[str, str]:
    return {each.name: each.fingerprint for each in definitions}


def test_what_is_needed_comes_first():
    found = in_order([service("web", "app"), service("app", "db", "cache"), service("db"), service("cache")])
    names = [each.name for each in found]
    assert names.index("web") == 3
    assert names.index("app") == 2


def test_a_need_that_is_no_service_is_named():
    with pytest.raises(ServiceError, match="service web needs db, which is no service"):
        in_order([service("web", "db")])


def test_services_that_wait_for_each_other_are_named():
    with pytest.raises(ServiceError, match=r"wait for each other: \w needs \w needs \w"):
        in_order([service("a", "b"), service("b", "a")])


DB, WEB, OTHER = service("db"), service("web", "db"), service("other")


@pytest.mark.parametrize(
    ("running", "wanted", "idle", "change"),
    [
        ([], [DB, WEB], [], Change((), ("db", "web"))),
        ([DB, WEB], [DB, WEB], [], Change((), ())),
        ([DB, WEB], [], [], Change(("web", "db"), ())),
        ([DB, WEB], [service("db", command="y"), WEB], [], Change(("db",), ("db",))),
        ([DB, WEB], [DB, OTHER], [], Change(("web",), ("other",))),
        ([DB, WEB], [DB, WEB], ["db"], Change(("db",), ("db",))),
    ],
)
def test_only_what_differs_changes(running, wanted, idle, change):
    assert compare(prints(*running), wanted, frozenset(idle)) == change
