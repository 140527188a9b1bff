"""The lines about servers' states, compared with what HAProxy 2.6 logged for the same changes."""

from __future__ import annotations

import pytest

from isthmus.engine.report import Snapshot
from isthmus.engine.served import BackendFacts, ServerCounters, ServerFacts
from isthmus.health.messages import changes

COUNTS = "1 active and 0 backup servers"
LEFT = f"{COUNTS} left. 0 sessions active, 0 requeued, 0 remaining in queue."
ONLINE = f"{COUNTS} online. 0 sessions requeued, 0 total in queue."


def snapshot(op: int, admin: int, *, backup: bool = False, tracked: str = "", active: int = 1) -> Snapshot:
    server = ServerFacts(name="s1", op_state=op, admin_state=admin, backup=backup, tracked=tracked)
    return Snapshot(backends=(BackendFacts(name="b", active=active, servers=(server,)),))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((2, 0), (0, 0), [(1, f"Server b/s1 is DOWN, why. {LEFT}")]),
        ((0, 0), (2, 0), [(5, f"Server b/s1 is UP, why. {ONLINE}")]),
        ((2, 0), (0, 1), [(1, f"Server b/s1 is going DOWN for maintenance. {LEFT}")]),
        ((2, 8), (0, 9), [(5, f"Server b/s1 is going DOWN for maintenance. {LEFT}")]),
        ((0, 0), (0, 1), [(5, "Server b/s1 was DOWN and now enters maintenance.")]),
        ((0, 1), (2, 0), [(5, "Server b/s1 is UP/READY (leaving forced maintenance).")]),
        (
            (0, 1),
            (2, 8),
            [
                (5, "Server b/s1 is UP/DRAIN (leaving forced maintenance)."),
                (5, "Server b/s1 remains in forced drain mode."),
            ],
        ),
        ((2, 0), (2, 8), [(5, f"Server b/s1 enters drain state. {ONLINE}")]),
        ((0, 0), (0, 8), [(5, f"Server b/s1 enters drain state. {LEFT}")]),
        ((2, 8), (2, 0), [(5, "Server b/s1 is UP (leaving forced drain).")]),
        ((0, 8), (0, 0), [(5, "Server b/s1 is DOWN (leaving forced drain).")]),
        ((2, 8), (0, 8), [(5, f"Server b/s1 is DOWN, why. {LEFT}")]),
        ((2, 0), (2, 0), []),
        ((0, 1), (0, 1), []),
    ],
)
def test_a_change_of_state_is_told_as_haproxy_tells_it(
    before: tuple[int, int], after: tuple[int, int], expected: list[tuple[int, str]]
) -> None:
    found = list(changes(snapshot(*before), snapshot(*after), "why"))
    assert [(each.level, each.text) for each in found] == expected
    assert all(each.proxy == "b" for each in found)


def test_a_server_that_tracks_names_the_one_it_follows() -> None:
    (found,) = changes(snapshot(2, 0, tracked="x/y"), snapshot(0, 0, tracked="x/y"), "why")
    assert found.text == f"Server b/s1 is DOWN via x/y. {LEFT}"


def test_a_backup_server_is_called_one() -> None:
    (found,) = changes(snapshot(2, 0, backup=True), snapshot(0, 0, backup=True), "")
    assert found.text == f"Backup Server b/s1 is DOWN. {LEFT}"


def test_a_backend_without_servers_is_an_emergency() -> None:
    found = list(changes(snapshot(2, 0), snapshot(0, 0, active=0), ""))
    assert (found[-1].level, found[-1].text) == (0, "backend b has no server available!")


def test_a_backend_that_lives_on_its_backups_says_so() -> None:
    server = ServerFacts(name="s1", op_state=0, counters=ServerCounters(scur=3))
    backend = BackendFacts(name="b", backup=2, counters=ServerCounters(qcur=4), servers=(server,))
    (found,) = changes(snapshot(2, 0), Snapshot(backends=(backend,)), "")
    assert found.text == (
        "Server b/s1 is DOWN. 0 active and 2 backup servers left. Running on backup. "
        "3 sessions active, 0 requeued, 4 remaining in queue."
    )
