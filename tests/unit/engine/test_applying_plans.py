"""A second plan takes the place of the first while sessions live."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack

import pytest
from free_ports import free_port
from live_engine import LiveEngine, Origin, close_all, eventually, line_of, plan, refuses
from msgspec.structs import replace

from isthmus.engine.command import AdminState, SetServerAdmin, SetServerHealth, SetServerWeight
from isthmus.plan.document import FixedNamespace, Namespace, Plan


def one(origin: Origin, more: str = "", name: str = "s") -> str:
    return f"listen web\n bind 127.0.0.1:1\n server {name} {origin.address} {more}\n"


def test_a_listener_that_stays_keeps_its_port_and_its_sessions(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0]))
    port = engine.port("web")
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.run(one(origins[1], name="t"))
        assert engine.port("web") == port
        assert client.echoes()
        with engine.connect("web") as later:
            assert later.greeting() == "b"


def test_two_binds_that_say_the_same_keep_a_port_each(engine: LiveEngine, origins: list[Origin]):
    text = f"listen web\n bind 127.0.0.1:1\n bind 127.0.0.1:1\n server s {origins[0].address}\n"
    engine.run(text)
    before = [address for _, _, address in engine.report.listeners]
    engine.run(text)
    assert [address for _, _, address in engine.report.listeners] == before
    assert len(set(before)) == 2


def test_what_waits_in_the_backlog_of_a_listener_that_stays_is_served(
    engine: LiveEngine, origins: list[Origin]
):
    """The frontend's limit keeps the engine from accepting until the second plan raises it."""
    text = f"listen web\n bind 127.0.0.1:1 backlog 64\n maxconn %d\n server s {origins[0].address}\n"
    engine.run(text % 1)
    with ExitStack() as stack:
        first = stack.enter_context(engine.connect("web"))
        assert first.greeting() == "a"
        waiting = [stack.enter_context(engine.connect("web")) for _ in range(8)]
        for each in waiting:
            each.socket.sendall(b"early")
        assert all(each.is_waiting() for each in waiting)
        engine.run(text % 100)
        for each in waiting:
            assert each.receive(6) == b"aearly"
        assert first.echoes()


_MAX_BACKLOG = 28
"""Where in TCP_INFO of a listening socket its backlog stands (tcpi_sacked)."""


def listening(port: int) -> list[socket.socket]:
    """The sockets of this process that listen on a port, the engine's among them."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            known = socket.socket(fileno=os.dup(int(number)))
        except OSError:
            continue
        listens = known.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if listens and known.family == socket.AF_INET and known.getsockname()[1] == port:
            found.append(known)
        else:
            known.close()
    return found


def backlogs(port: int) -> set[int]:
    """How many may wait in each of a port's listening sockets."""
    lengths = set()
    for each in listening(port):
        with each:
            info = each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            lengths.add(int.from_bytes(info[_MAX_BACKLOG : _MAX_BACKLOG + 4], sys.byteorder))
    return lengths


def test_a_listener_that_stays_gets_the_backlog_of_the_new_plan(engine: LiveEngine, origins: list[Origin]):
    text = f"listen web\n bind 127.0.0.1:1 %s\n maxconn %d\n server s {origins[0].address}\n"
    engine.run(text % ("", 100))
    port = engine.port("web")
    assert backlogs(port) == {100}
    engine.run(text % ("", 200))
    assert (engine.port("web"), backlogs(port)) == (port, {200})
    engine.run(text % ("backlog 50", 200))
    assert (engine.port("web"), backlogs(port)) == (port, {50})


def keepalive(engine: LiveEngine) -> tuple[int, int]:
    """Whether probes are on at a new client's connection, and after how many seconds of silence."""
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        [told] = engine.sessions()
        with socket.socket(fileno=os.dup(told.fds[0])) as accepted:
            on = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    eventually(lambda: not engine.sessions())
    return on, idle


def test_a_listener_that_stays_gets_the_keepalive_of_the_new_plan(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0]))
    (off, kernels), port = keepalive(engine), engine.port("web")
    assert not off
    engine.run(one(origins[0], "\n option clitcpka\n clitcpka-idle 77s"))
    assert keepalive(engine) == (1, 77)
    engine.run(one(origins[0], "\n option clitcpka"))
    assert keepalive(engine) == (1, kernels)
    engine.run(one(origins[0]))
    assert keepalive(engine) == (0, kernels)
    assert engine.port("web") == port


def test_a_listener_that_goes_refuses_while_its_sessions_go_on(engine: LiveEngine, origins: list[Origin]):
    port = free_port()
    gone = f"listen gone\n bind 127.0.0.1:{port}\n server s {origins[1].address}\n"
    engine.run(one(origins[0]) + gone)
    with engine.connect("gone") as client:
        assert client.greeting() == "b"
        engine.run(one(origins[0]))
        eventually(lambda: refuses(port))
        assert client.echoes()
        assert [each.frontend for each in engine.sessions()] == ["gone"]
    eventually(lambda: not engine.sessions())


def test_a_session_goes_on_under_the_timeouts_it_began_with(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0]))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.run(one(origins[0], "\n timeout client 50ms\n timeout server 50ms"))
        with engine.connect("web") as later:
            assert later.greeting() == "a"
            assert later.ended()
        assert client.echoes()


def test_frontends_backends_and_servers_are_added_and_removed(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0]))
    assert [each.name for each in engine.native.snapshot().backends] == ["web"]
    engine.run(
        "frontend in\n bind 127.0.0.1:1\n default_backend out\n"
        f"backend out\n server b {origins[1].address}\n server c {origins[2].address}\n"
    )
    snapshot = engine.native.snapshot()
    assert [each.name for each in snapshot.frontends] == ["in"]
    assert [(each.name, [s.name for s in each.servers]) for each in snapshot.backends] == [
        ("out", ["b", "c"])
    ]
    answers = set()
    for _ in range(4):
        with engine.connect("in") as client:
            answers.add(client.greeting())
    assert answers == {"b", "c"}
    assert snapshot.process.generation == 2


def test_servers_that_stay_keep_counters_and_what_was_decided_about_them(
    engine: LiveEngine, origins: list[Origin]
):
    def text(*names: str) -> str:
        lines = "".join(f" server {name} {origins[0].address} weight 10 check\n" for name in names)
        return "listen web\n bind 127.0.0.1:1\n" + lines

    engine.run(text("x", "drained", "resting", "sick", "light"))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        assert client.echoes(b"12345")
    eventually(lambda: engine.server("web", "x").counters.bin == 5)
    before = engine.server("web", "x").counters
    engine.native.command(SetServerAdmin("web", "drained", AdminState.DRAIN))
    engine.native.command(SetServerAdmin("web", "resting", AdminState.MAINT))
    engine.native.command(SetServerHealth("web", "sick", False, "refused"))
    engine.native.command(SetServerWeight("web", "light", 3))
    engine.run(text("new", "light", "sick", "resting", "drained", "x"))
    told = {each.name: each for each in engine.backend("web").servers}
    assert {name: each.status for name, each in told.items()} == {
        "new": "UP",
        "light": "UP",
        "sick": "DOWN",
        "resting": "MAINT",
        "drained": "DRAIN",
        "x": "UP",
    }
    assert told["sick"].reason == "refused"
    assert (told["light"].user_weight, told["light"].initial_weight) == (3, 10)
    assert (told["x"].counters.bin, told["x"].counters.stot) == (before.bin, before.stot)


# What a changed line says wins over what was said at run time; an unchanged one does not.
CHANGED_LINES = [
    ("weight 10", "weight 20", "UP", 20),
    ("weight 10", "weight 10 disabled", "MAINT", 10),
    ("weight 10 disabled", "weight 10", "UP", 10),
    ("weight 10 maxconn 1", "weight 10 maxconn 9", "UP", 10),
]


@pytest.mark.parametrize(("before", "after", "status", "weight"), CHANGED_LINES)
def test_a_changed_line_counts_and_its_sessions_go_on_counting(
    engine: LiveEngine, origins: list[Origin], before: str, after: str, status: str, weight: int
):
    engine.run(one(origins[0], before + "\n server spare " + origins[0].address))
    engine.run(one(origins[0], after + "\n server spare " + origins[0].address))
    told = engine.server("web", "s")
    assert (told.status.replace("no check", "UP"), told.weight) == (status, weight)


def test_a_server_whose_checks_went_away_is_not_down_for_ever(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0], "check"))
    engine.native.command(SetServerHealth("web", "s", False, "refused"))
    assert engine.server("web", "s").status == "DOWN"
    engine.run(one(origins[0]))
    with engine.connect("web") as client:
        assert client.greeting() == "a"


def test_leastconn_counts_the_sessions_of_the_plan_before(engine: LiveEngine, origins: list[Origin]):
    def text(*letters: str) -> str:
        ports = dict(zip("abc", origins, strict=True))
        lines = "".join(f" server {each} {ports[each].address}\n" for each in letters)
        return "listen web\n bind 127.0.0.1:1\n balance leastconn\n" + lines

    engine.run(text("a"))
    old = [engine.connect("web") for _ in range(3)]
    assert [each.greeting() for each in old] == ["a"] * 3
    engine.run(text("b", "a"))
    assert engine.server("web", "a").counters.scur == 3
    new = [engine.connect("web") for _ in range(2)]
    assert [each.greeting() for each in new] == ["b"] * 2
    # The end of the earlier sessions makes `a` the least loaded in the plan of now.
    close_all(old)
    eventually(lambda: engine.server("web", "a").counters.scur == 0)
    new.append(engine.connect("web"))
    assert new[-1].greeting() == "a"
    close_all(new)


def test_maxconn_counts_the_sessions_of_the_plan_before(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0], "maxconn 1"))
    with engine.connect("web") as first:
        assert first.greeting() == "a"
        engine.run(one(origins[0], "maxconn 1 weight 7"))
        with engine.connect("web") as second:
            eventually(
                lambda: engine.server("web", "s").counters.qcur == 1 or engine.backend("web").counters.qcur
            )
            assert second.is_waiting()
            first.close()
            assert second.greeting() == "a"


def test_queued_sessions_are_served_after_the_new_plan(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0], "maxconn 1"))
    with ExitStack() as stack:
        first = stack.enter_context(engine.connect("web"))
        assert first.greeting() == "a"
        waiting = [stack.enter_context(engine.connect("web")) for _ in range(2)]
        eventually(lambda: [each.state for each in engine.sessions()].count("queue") == 2)
        engine.run(one(origins[0], "maxconn 1"))
        assert all(each.is_waiting() for each in waiting)
        first.close()
        eventually(lambda: not all(each.is_waiting() for each in waiting))
        served = next(each for each in waiting if not each.is_waiting())
        other = next(each for each in waiting if each is not served)
        assert served.greeting() == "a"
        assert other.is_waiting()
        engine.run(one(origins[0], "maxconn 2"))
        assert other.greeting() == "a"


def test_sessions_queued_for_a_server_that_goes_find_another(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0], "maxconn 1"))
    with engine.connect("web") as first:
        assert first.greeting() == "a"
        with engine.connect("web") as second:
            eventually(lambda: [each.state for each in engine.sessions()].count("queue") == 1)
            engine.run(one(origins[1], name="t"))
            assert second.greeting() == "b"
            assert first.echoes()


def test_a_queued_session_whose_backend_goes_is_still_served(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0], "maxconn 1"))
    with engine.connect("web") as first:
        assert first.greeting() == "a"
        with engine.connect("web") as second:
            eventually(lambda: [each.state for each in engine.sessions()].count("queue") == 1)
            engine.run(f"listen other\n bind 127.0.0.1:1\n server s {origins[1].address}\n")
            first.close()
            assert second.greeting() == "a"


def test_a_queued_session_is_judged_by_the_conditions_of_the_new_plan(
    engine: LiveEngine, origins: list[Origin]
):
    """The acl of the earlier plan has the number that another one has in the new plan."""
    before = "\n acl never src 192.0.2.1\n use-server s if never"
    after = (
        f"\n server t {origins[1].address}"
        "\n acl never src 192.0.2.1\n acl local src 127.0.0.0/8"
        "\n use-server s if never\n use-server t if local"
    )
    engine.run(one(origins[0], "maxconn 1" + before))
    with engine.connect("web") as first:
        assert first.greeting() == "a"
        with engine.connect("web") as second:
            eventually(lambda: [each.state for each in engine.sessions()].count("queue") == 1)
            engine.run(one(origins[0], "maxconn 1" + after))
            assert second.greeting() == "b"


class TestAPlanThatFails:
    def test_changes_nothing_and_says_which_line_has_a_port_of_somebody_else(
        self, engine: LiveEngine, origins: list[Origin]
    ):
        engine.run(one(origins[0], "maxconn 1 check"))
        engine.native.command(SetServerAdmin("web", "s", AdminState.DRAIN))
        before = engine.server("web", "s")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            bind = f"bind 127.0.0.1:{taken.getsockname()[1]}"
            fresh = free_port()
            text = (
                one(origins[1], "maxconn 5 backup id 77")
                + f"listen new\n bind 127.0.0.1:{fresh}\n {bind}\n server s {origins[1].address}\n"
            )
            report = engine.apply(text)
        assert report.generation == 1
        [(origin, message)] = report.errors
        assert origin == line_of(text, bind)
        assert "Address already in use" in message
        assert engine.server("web", "s") == before
        assert refuses(fresh)
        # Nor has the attempt cost the server its state.
        engine.run(one(origins[0], "maxconn 1 check"))
        assert engine.server("web", "s").status == "DRAIN"
        engine.native.command(SetServerAdmin("web", "s", AdminState.READY))
        with engine.connect("web") as client:
            assert client.greeting() == "a"

    def test_says_which_namespace_is_missing(self, engine: LiveEngine, origins: list[Origin]):
        engine.run(one(origins[0]))
        missing = plan_with_missing_namespace(origins[0])
        report = engine.native.apply(missing)
        assert [origin for origin, _ in report.errors] == ["t.cfg:9"]
        assert "No such file or directory" in report.errors[0][1]
        with engine.connect("web") as client:
            assert client.greeting() == "a"


def plan_with_missing_namespace(origin: Origin) -> Plan:
    """The front end refuses a namespace that is not there: this one went between then and now."""
    good = plan(one(origin))
    namespace = Namespace("isthmus-missing", "/run/netns/isthmus-missing", False)
    [backend] = good.backends
    [server] = backend.servers
    backend = replace(backend, servers=(replace(server, namespace=FixedNamespace(0)),))
    return replace(good, namespaces=(namespace,), backends=(backend,))


def test_a_client_outlives_many_plans(engine: LiveEngine, origins: list[Origin]):
    engine.run(one(origins[0]))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        for _ in range(20):
            engine.run(one(origins[0]))
            assert client.echoes()


@pytest.mark.parametrize("threads", ["1", "2", "1-2"])
def test_a_bind_of_some_threads_leaves_no_connection_to_nobody(
    engine: LiveEngine, origins: list[Origin], threads: str
):
    engine.run(f"listen web\n bind 127.0.0.1:1 thread {threads}\n server s {origins[0].address}\n")
    clients = [engine.connect("web") for _ in range(16)]
    assert [each.greeting() for each in clients] == ["a"] * 16
    if threads != "1-2":
        assert {told.thread for told in engine.sessions()} == {int(threads) - 1}
    close_all(clients)
