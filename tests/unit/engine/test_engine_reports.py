"""What a running engine tells: counters, sessions, errors of names."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from free_ports import free_port
from live_engine import LiveEngine, Origin, eventually

from isthmus.engine.command import AdminState, Command, SetServerAdmin, SetServerHealth, SetServerWeight
from isthmus.engine.report import Snapshot

WEB = "listen web\n bind 127.0.0.1:1 name main\n server s {} {}\n"


def test_before_the_first_plan_there_is_nothing_to_tell_of(engine: LiveEngine):
    assert engine.native.snapshot() == Snapshot()
    assert engine.sessions() == []


def test_counters_after_known_traffic(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address, ""))
    for count in (10, 200, 3000):
        with engine.connect("web") as client:
            assert client.greeting() == "a"
            assert client.echoes(b"x" * count)
    with engine.connect("web") as living:
        assert living.greeting() == "a"
        eventually(lambda: engine.server("web", "s").counters.bin == 3210)
        eventually(lambda: engine.frontend("web").counters.scur == 1)
        snapshot = engine.native.snapshot()
        [front], [back] = snapshot.frontends, snapshot.backends
        [listener], [server] = front.listeners, back.servers
        for client_side in (front.counters, listener.counters):
            assert (client_side.bin, client_side.bout) == (3210, 3213)
            assert (client_side.scur, client_side.stot, client_side.conn_tot) == (1, 4, 4)
            assert 1 <= client_side.smax <= 4
        for server_side in (back.counters, server.counters):
            assert (server_side.bin, server_side.bout) == (3210, 3213)
            assert (server_side.scur, server_side.stot, server_side.lbtot) == (1, 4, 4)
            assert (server_side.econ, server_side.qcur, server_side.qmax) == (0, 0, 0)
        assert server.counters.connect == 4
        process = snapshot.process
        assert (process.curr_conns, process.cum_conns, process.generation, process.nbthread) == (1, 4, 1, 2)
        assert (listener.name, listener.status, front.status, back.status) == ("main", "OPEN", "OPEN", "UP")
        assert listener.address == f"127.0.0.1:{engine.port('web')}"


def test_a_server_that_refuses_is_counted(engine: LiveEngine):
    engine.run(WEB.format(f"127.0.0.1:{free_port()}", "\n retries 0"))
    with engine.connect("web") as client:
        assert client.ended()
    eventually(lambda: engine.server("web", "s").counters.econ == 1)
    assert engine.backend("web").counters.econ == 1
    assert engine.server("web", "s").counters.wretr == 0


def test_what_rules_refuse_is_counted(engine: LiveEngine, origins: list[Origin]):
    rules = "\n tcp-request connection reject if { src 127.0.0.1 }"
    engine.run(WEB.format(origins[0].address, rules))
    # The reset may overtake the end of connect(2).
    with suppress(ConnectionResetError), engine.connect("web") as client:
        assert client.ended()
    eventually(lambda: engine.frontend("web").counters.dcon == 1)
    counters = engine.frontend("web").counters
    assert (counters.conn_tot, counters.stot) == (1, 0)


def test_a_session_is_told_of_while_it_lives(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address, ""))
    assert engine.sessions() == []
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        assert client.echoes(b"12345")
        [told] = engine.sessions()
        host, port = client.socket.getsockname()
        assert told.src == f"{host}:{port}"
        assert (told.frontend, told.backend, told.server, told.state) == ("web", "web", "s", "forward")
        assert (told.bytes_in, told.bytes_out) == (5, 6)
        assert 0 < told.expires_ms <= 30_000
        assert min(told.fds) > 2
        assert told.thread in (0, 1)
    eventually(lambda: engine.sessions() == [])


def test_every_session_has_a_number_of_its_own(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address, ""))
    clients = [engine.connect("web") for _ in range(20)]
    assert [each.greeting() for each in clients] == ["a"] * 20
    assert len({told.id for told in engine.sessions()}) == 20
    for each in clients:
        each.close()


UNKNOWN: list[tuple[Command, str]] = [
    (SetServerAdmin("no", "s", AdminState.MAINT), "No such backend 'no'."),
    (SetServerHealth("web", "no", True, ""), "No such server 'no'."),
    (SetServerWeight("web", "no", 1), "No such server 'no'."),
]


@pytest.mark.parametrize(("command", "message"), UNKNOWN)
def test_a_command_names_what_it_does_not_know(
    engine: LiveEngine, origins: list[Origin], command: Command, message: str
):
    engine.run(WEB.format(origins[0].address, ""))
    with pytest.raises(LookupError, match=message):
        engine.native.command(command)


def test_a_weight_above_256_is_refused(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address, ""))
    with pytest.raises(Exception, match="256"):
        engine.native.command(SetServerWeight("web", "s", 257))


def test_a_command_before_any_plan_is_refused(engine: LiveEngine):
    with pytest.raises(Exception, match="no plan"):
        engine.native.command(SetServerWeight("web", "s", 1))


def test_a_socket_in_a_namespace_that_no_plan_names_is_refused(engine: LiveEngine, origins: list[Origin]):
    with pytest.raises(OSError, match="no namespace 'red' in the plan"):
        engine.native.socket("red", socket.AF_INET, socket.SOCK_STREAM)
    engine.run(WEB.format(origins[0].address, ""))
    with pytest.raises(OSError, match="no namespace 'red' in the plan"):
        engine.native.socket("red", socket.AF_INET, socket.SOCK_STREAM)


def test_events_wait_no_longer_than_asked(engine: LiveEngine):
    began = time.monotonic()
    assert engine.native.events(30) == []
    assert 0.02 < time.monotonic() - began < 5
