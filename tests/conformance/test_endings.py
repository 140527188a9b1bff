"""Connections that end badly: refused, reset, aborted while connecting or queued; and the options on it."""

from __future__ import annotations

import socket

import pytest

from .lab import Both, Lab
from .wire import greets

DRIVEN = {"a": None}


def config(frontend: str = "", backend: str = "", server: str = "<a>", more: str = "") -> str:
    return f"""
frontend f
  bind 127.0.0.1:<front>
  default_backend b
  {frontend}
backend b
  {backend}
  server a {server} {more}
"""


def test_a_client_reset_reaches_the_server(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        client.reset()
        ended = origin.ending()
        origin.close()
        return ended

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.log.ts == "CD"


def test_a_server_reset_reaches_the_client(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.reset()
        return client.read_end()

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.log.ts == "SD"


def test_a_server_reset_after_an_answer(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.send(b"answer")
        got = client.read(6)
        origin.reset()
        return got, client.ending()

    seen = both(config(), traffic, origins=DRIVEN)
    assert (seen.log.ts, seen.log.B) == ("SD", "6")


def test_a_client_reset_after_its_fin(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x").finish()
        origin = lab.origin().accept()
        origin.read_end()
        client.reset()
        origin.send(b"y")
        origin.close()
        lab.log.wait(1)

    both(config(), traffic, origins=DRIVEN)


def test_a_server_reset_after_the_clients_fin(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x").finish()
        origin = lab.origin().accept()
        origin.read_end()
        origin.reset()
        return client.read_end()

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.log.ts == "SD"


def test_a_client_reset_after_the_servers_fin(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        origin.send(b"x").finish()
        got = client.read_end()
        client.reset()
        return got, origin.ending()

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.log.ts == "CD"


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_refused_connection_is_retried_after_a_pause(both: Both, retries: int) -> None:
    def traffic(lab: Lab) -> object:
        return lab.connect().read_end()

    backend = f"retries {retries}\n  timeout connect 300"
    seen = both(config(backend=backend, server="<closed>"), traffic)
    assert (seen.log.ts, seen.log.rc, seen.log.Tc) == ("SC", str(retries), "-1")


def test_a_client_that_resets_while_connecting(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        assert client.hears_nothing()
        client.reset()
        lab.log.wait(1)

    seen = both(config(backend="timeout connect 3s\n  retries 1", server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts == "CD"


def test_a_client_that_finishes_while_connecting_is_still_connected(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.connect().send(b"x").finish()
        lab.log.wait(1)

    seen = both(config(backend="timeout connect 300\n  retries 1", server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts in ("sC", "CC")


def test_abortonclose_gives_up_connecting_when_the_client_finishes(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        assert client.hears_nothing()
        client.finish()
        lab.log.wait(1)
        return client.read_end()

    backend = "timeout connect 3s\n  option abortonclose"
    seen = both(config(backend=backend, server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts == "CC"


@pytest.mark.parametrize("abort", [True, False])
def test_a_client_that_finishes_in_the_queue(both: Both, abort: bool) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect().send(b"q")
        assert second.hears_nothing()
        second.finish()
        if abort:
            lab.log.wait(1)
        first.close()
        held.read_end()
        held.close()
        if abort:
            return second.read_end()
        served = lab.origin().accept()
        got = served.read_end()
        served.close()
        return got, second.ending()

    backend = "option abortonclose" if abort else ""
    seen = both(config(backend=backend, more="maxconn 1"), traffic, origins=DRIVEN)
    assert seen.states == (["CQ", "--"] if abort else ["--", "--"])


def test_a_client_that_resets_in_the_queue(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect()
        assert second.hears_nothing()
        second.reset()
        lab.log.wait(1)
        first.close()
        held.close()
        return lab.origin().nobody_came()

    seen = both(config(more="maxconn 1"), traffic, origins=DRIVEN)
    assert seen.states[0] == "CD"


def test_redispatch_goes_to_another_server_on_the_last_try(both: Both) -> None:
    backend = "balance roundrobin\n  option redispatch\n  retries 1\n  timeout connect 300"
    text = f"""
listen f
  bind 127.0.0.1:<front>
  {backend}
  server dead <closed>
  server a <a>
"""
    seen = both(text, lambda lab: lab.names(3))
    assert seen.value == ["a", "a", "a"]
    assert [(line.s, line.rc) for line in seen.logs].count(("a", "+1")) >= 1


@pytest.mark.parametrize("interval", ["1", "-1", "2", "-2"])
def test_redispatch_interval_says_on_which_retry(both: Both, interval: str) -> None:
    text = f"""
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  option redispatch {interval}
  retries 3
  timeout connect 200
  server dead <closed>
  server a <a>
"""
    both(text, lambda lab: lab.names(2))


@pytest.mark.parametrize("interval", ["2", "-1"])
def test_redispatch_interval_holds_for_an_algorithm_that_hashes(both: Both, interval: str) -> None:
    """The time until the last redispatch is counted in Tw, the rest in Tt."""
    text = f"""
listen f
  bind 127.0.0.1:<front>
  balance source
  option redispatch {interval}
  retries 3
  timeout connect 200
  server one <closed>
  server two <closed>
"""
    seen = both(text, lambda lab: lab.connect().read_end())
    assert (seen.log.rc, seen.log.timer("Tw") >= 200) == ("3", True)


def test_without_redispatch_a_dead_server_gets_all_tries(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  retries 1
  timeout connect 200
  server dead <closed>
  server a <a>
"""
    seen = both(text, lambda lab: lab.names(2))
    assert seen.value == ["", "a"]
    assert seen.states == ["SC", "--"]


def test_nolinger_on_the_frontend_resets_the_client(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.send(b"bye")
        got = client.read(3)
        client.finish()
        origin.ending()
        origin.close()
        return got, client.ending()

    both(config("option nolinger"), traffic, origins=DRIVEN)


def test_nolinger_on_the_backend_resets_the_server(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        client.finish()
        ended = origin.ending()
        origin.close()
        return ended, client.ending()

    both(config(backend="option nolinger"), traffic, origins=DRIVEN)


def test_a_frontend_without_a_backend_closes(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
"""
    seen = both(text, lambda lab: lab.connect().read_end())
    assert (seen.log.ts, seen.log.b) == ("SC", "f")


def test_a_backend_without_a_server_closes(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  balance roundrobin
"""
    seen = both(text, lambda lab: lab.connect().read_end())
    assert (seen.log.ts, seen.log.s) == ("SC", "<NOSRV>")


def test_all_servers_disabled_closes(both: Both) -> None:
    seen = both(config(more="disabled"), lambda lab: lab.connect().read_end())
    assert (seen.log.ts, seen.log.s) == ("SC", "<NOSRV>")


def test_a_session_killed_over_the_stats_socket(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        lab.command("shutdown sessions server b/a")
        return client.read_end(), origin.ending()

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.log.ts == "K-"


def test_on_marked_down_shutdown_sessions_kills_what_runs(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        # The kernel accepts before the proxy knows that it is connected: what passes tells that it does.
        origin.read(1)
        lab.command("disable server b/a")
        return client.read_end(), origin.ending()

    # Whether the server's state or the session is logged first is chance.
    both(config(more="on-marked-down shutdown-sessions"), traffic, origins=DRIVEN, ordered=False)


def test_on_marked_down_shutdown_sessions_by_health(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        lab.command("set server b/a health down")
        return client.read_end(), origin.ending()

    text = config(more="check inter 60s port <b_port> on-marked-down shutdown-sessions")
    both(text, traffic, origins={"a": None, "b": greets}, ordered=False)


def test_on_marked_up_shutdown_backup_sessions(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        spare = lab.origin("b").accept()
        spare.read(1)
        lab.command("enable server b/a")
        ended = client.read_end(), spare.ending()
        lab.log.wait(1)
        later = lab.connect()
        lab.origin("a").accept().send(b"!")
        return ended, later.read(1)

    text = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server a <a> disabled on-marked-up shutdown-backup-sessions
  server b <b> backup
"""
    both(text, traffic, origins={"a": None, "b": None}, ordered=False)


def test_one_session_killed_by_its_number(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        [number] = [line.split(":")[0] for line in lab.command("show sess").splitlines() if " fe=f " in line]
        answers = [lab.command(f"shutdown session {each}") for each in (number, "0x0f0f0f", "", "nonsense")]
        return answers, client.read_end(), origin.ending()

    both(config(), traffic, origins=DRIVEN)


def test_a_server_set_to_maintenance_keeps_its_sessions_and_gets_no_new_ones(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        lab.command("disable server b/a")
        refused = lab.connect().read_end()
        lab.log.wait(1)
        client.send(b"x")
        heard = origin.read(1)
        lab.command("enable server b/a")
        again = lab.connect()
        lab.origin().accept().close()
        answered = again.ending()
        again.close()
        lab.log.wait(2)
        client.close()
        return refused, heard, answered

    both(config(), traffic, origins=DRIVEN)


def test_a_drained_server_gets_no_new_sessions(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  server a <a>
  server b <b>
"""

    def traffic(lab: Lab) -> object:
        lab.command("set server f/a state drain")
        drained = lab.names(3)
        lab.command("set server f/a state ready")
        return drained, sorted(lab.names(4))

    seen = both(text, traffic, origins={"a": greets, "b": greets})
    assert seen.value == (["b", "b", "b"], ["a", "a", "b", "b"])


def test_a_path_without_a_listener_is_a_refusal(both: Both) -> None:
    text = config(backend="retries 0", server="unix@<dir>/nobody.sock")
    seen = both(text, lambda lab: lab.connect().read_end())
    assert seen.log.ts == "SC"


def test_an_address_that_cannot_be_reached(both: Both) -> None:
    seen = both(config(backend="retries 0", server="255.255.255.255:1"), lambda lab: lab.connect().read_end())
    assert seen.log.ts in ("SC", "RC", "PC")


def test_no_source_port_left(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        ended = lab.connect().read_end()
        lab.log.wait(1)
        first.close()
        held.ending()
        held.close()
        return ended, lab.mask(str(held.peer[1]))

    text = config(backend="retries 0", more="source 127.0.0.1:<spare>-<spare>")
    both(text, traffic, origins=DRIVEN)


def test_timeout_client_during_inspection(both: Both) -> None:
    rules = "timeout client 300\n  tcp-request inspect-delay 5s\n"
    rules += "  tcp-request content reject if { req.len gt 300 }"

    def traffic(lab: Lab) -> object:
        return lab.connect().read_end()

    both(config(rules), traffic, origins={"a": greets})


def test_a_rejection_by_the_backend_after_data(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        assert client.hears_nothing()
        client.send(b"bad")
        ended = client.ending()
        lab.log.wait(1)
        return ended, lab.origin().nobody_came()

    rules = "tcp-request inspect-delay 5s\n  tcp-request content reject if { req.len gt 0 }"
    both(config(backend=rules), traffic, origins=DRIVEN)


def test_a_rejection_with_the_payload_already_read(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        assert client.hears_nothing()
        client.send(b"bad")
        ended = client.ending()
        lab.log.wait(1)
        return ended

    rules = "tcp-request inspect-delay 5s\n  tcp-request content reject if { req.len gt 0 }"
    both(config(rules), traffic, origins=DRIVEN)


def test_redispatch_away_from_a_server_that_never_answers(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  option redispatch
  retries 1
  timeout connect 300
  server dead <stuck>
  server a <a>
"""
    seen = both(text, lambda lab: lab.names(2))
    assert seen.value == ["a", "a"]


def test_redispatch_when_all_refuse(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  option redispatch
  retries 2
  timeout connect 300
  server one <closed>
  server two <closed>
"""
    both(text, lambda lab: lab.connect().read_end())


def test_retries_on_a_server_that_comes_back(both: Both) -> None:
    """The log counts the retries, and Tc the time since the first attempt."""

    def traffic(lab: Lab) -> object:
        client = lab.connect()
        assert client.hears_nothing(0.5)
        late = socket.socket()
        late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        late.bind(("127.0.0.1", lab.ports["closed"]))
        late.listen()
        late.settimeout(5)
        served, _ = late.accept()
        served.sendall(b"!")
        heard = client.read(1)
        client.close()
        left = served.recv(1)
        served.close()
        late.close()
        return heard, left

    seen = both(config(backend="retries 3\n  timeout connect 800", server="<closed>"), traffic)
    assert (seen.value, seen.log.ts) == ((b"!", b""), "--")


def test_a_server_that_finishes_with_data_waiting_for_a_slow_client(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        origin.send(b"z" * 100_000)
        origin.close()
        assert lab.log.lines() == []
        got, ended = client.read_end()
        client.close()
        return len(got), ended

    seen = both(config(), traffic, origins=DRIVEN)
    assert seen.value == (100_000, "FIN")


@pytest.mark.parametrize(
    "option", ["option tcpka", "option clitcpka", "option splice-auto", "option tcp-smart-accept"]
)
def test_options_that_change_nothing_that_can_be_seen(both: Both, option: str) -> None:
    seen = both(config(option), lambda lab: lab.names(2))
    assert seen.value == ["a", "a"]


@pytest.mark.parametrize("option", ["option srvtcpka", "option splice-request", "option splice-response"])
def test_a_backends_options_that_change_nothing_that_can_be_seen(both: Both, option: str) -> None:
    seen = both(config(backend=option), lambda lab: lab.names(2))
    assert seen.value == ["a", "a"]
