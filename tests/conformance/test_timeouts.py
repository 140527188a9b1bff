"""Every timeout of TCP mode: who is told what, after how long, and what the log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .ending_lab import DRIVEN, config
from .lab import PREAMBLE, Both, Lab, Seen, observe
from .sink import coarse
from .wire import End, greets


def waited(seen: Seen, timer: str, milliseconds: int) -> bool:
    """Whether the log's timer shows the timeout: never early, and late only by what a busy machine adds."""
    return milliseconds - 5 <= seen.log.timer(timer) < milliseconds + 2500


def elapsed(end: End) -> str:
    """How long ago the connection was made, as coarsely as a log's timers."""
    return coarse(str(int(end.age() * 1000)))


def test_timeout_client_is_passed_on_as_a_fin_and_the_server_may_go_on(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        ended = origin.ending(), elapsed(origin)
        origin.send(b"still here")
        answer = client.read(10)
        origin.close()
        return ended, answer, client.ending()

    seen = both(config("timeout client 300"), traffic, origins=DRIVEN)
    assert seen.value == (("FIN", "wait"), b"still here", "FIN")
    assert seen.log.ts == "cD"
    assert waited(seen, "Tt", 300)


def test_a_client_silent_after_it_spoke_is_finished(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.send(b"y")
        client.read(1)
        ended = origin.ending()
        origin.close()
        return ended, client.ending()

    seen = both(config("timeout client 300"), traffic, origins=DRIVEN)
    assert seen.log.ts == "cD"


def test_timeout_server_is_passed_on_as_a_fin_and_the_client_may_go_on(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        ended = client.ending(), elapsed(client)
        client.send(b"more")
        heard = origin.read(4)
        client.close()
        return ended, heard, origin.ending()

    seen = both(config(backend="timeout server 300"), traffic, origins=DRIVEN)
    assert seen.value == (("FIN", "wait"), b"more", "FIN")
    assert seen.log.ts == "sD"
    assert waited(seen, "Tt", 300)


def test_equal_timeouts_of_both_sides(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        return origin.ending(), client.ending()

    seen = both(config("timeout client 300", "timeout server 300"), traffic, origins=DRIVEN)
    assert seen.log.ts in ("cD", "sD")


def test_a_client_that_talks_keeps_a_silent_server_alive(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        for _ in range(8):
            client.send(b"x")
            origin.read(1)
            assert client.hears_nothing(0.1)
        client.close()
        ended = origin.ending()
        origin.close()
        return ended

    seen = both(config(backend="timeout server 500"), traffic, origins=DRIVEN)
    assert seen.log.ts == "--"


def test_timeout_tunnel_replaces_both_sides_timeouts(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.send(b"y")
        client.read(1)
        return origin.ending(), client.ending()

    seen = both(config("timeout client 5s", "timeout tunnel 300"), traffic, origins=DRIVEN)
    assert seen.log.timer("Tt") < 3000


def test_timeout_tunnel_longer_than_the_others_lets_the_connection_live(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        origin.send(b"y")
        client.read(1)
        return origin.ending(), client.ending()

    seen = both(
        config("timeout client 250", "timeout server 250\n  timeout tunnel 800"), traffic, origins=DRIVEN
    )
    assert waited(seen, "Tt", 800)


def test_timeout_server_fin_counts_once_the_server_was_told_of_the_clients_end(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x").finish()
        origin = lab.origin().accept()
        return origin.read_end(), client.ending()

    seen = both(config(backend="timeout server-fin 300"), traffic, origins=DRIVEN)
    assert seen.log.ts == "sD"
    assert waited(seen, "Tt", 300)


def test_timeout_client_fin_does_not_count_from_the_clients_own_end(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x").finish()
        origin = lab.origin().accept()
        return origin.read_end(), client.ending()

    seen = both(config("timeout client-fin 200", "timeout server 700"), traffic, origins=DRIVEN)
    assert seen.log.ts == "sD"
    assert waited(seen, "Tt", 700)


def test_timeout_server_fin_does_not_count_from_the_servers_own_end(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        origin.send(b"bye").finish()
        return client.read_end(), origin.ending()

    seen = both(config("timeout client 700", "timeout server-fin 200"), traffic, origins=DRIVEN)
    assert seen.log.ts == "cD"
    assert waited(seen, "Tt", 700)


def test_timeout_client_fin_after_the_servers_fin(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        origin.send(b"bye").finish()
        return client.read_end(), origin.ending()

    seen = both(config("timeout client-fin 300"), traffic, origins=DRIVEN)
    assert seen.log.ts == "cD"
    assert waited(seen, "Tt", 300)


def test_a_client_fin_and_a_silent_server_without_fin_timeouts(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        client.finish()
        return origin.read_end(), client.ending()

    seen = both(config(backend="timeout server 300"), traffic, origins=DRIVEN)
    assert waited(seen, "Tt", 300)


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_server_that_never_answers_costs_timeout_connect_per_attempt(both: Both, retries: int) -> None:
    def traffic(lab: Lab) -> object:
        return lab.connect().read_end()

    backend = f"timeout connect 200\n  retries {retries}"
    seen = both(config(backend=backend, server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts == "sC"
    assert seen.log.Tc == "-1"
    assert waited(seen, "Tt", 200 * (retries + 1))


def test_timeout_client_while_connecting_is_logged_but_cuts_no_attempt(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return lab.connect().read_end()

    backend = "timeout connect 400\n  retries 1"
    seen = both(config("timeout client 200", backend, server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts == "cC"
    assert waited(seen, "Tt", 800)


def test_data_arriving_while_connecting_does_not_stop_timeout_connect(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return lab.connect().send(b"x" * 1000).read_end()

    seen = both(config(backend="timeout connect 300\n  retries 0", server="<stuck>"), traffic, origins=DRIVEN)
    assert seen.log.ts == "sC"


def test_timeout_queue_ends_a_wait_for_a_slot(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect()
        ended = second.read_end()
        lab.log.wait(1)
        first.close()
        return ended, held.ending()

    seen = both(config(backend="timeout queue 300", more="maxconn 1"), traffic, origins=DRIVEN)
    assert seen.logs[0].ts == "sQ"
    assert 295 <= seen.logs[0].timer("Tw") < 3000


def test_without_timeout_queue_timeout_connect_bounds_the_wait(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        ended = lab.connect().read_end()
        lab.log.wait(1)
        first.close()
        return ended, held.ending()

    seen = both(config(backend="timeout connect 300", more="maxconn 1"), traffic, origins=DRIVEN)
    assert seen.logs[0].ts == "sQ"


def test_inspect_delay_runs_out_and_the_connection_goes_on(both: Both) -> None:
    rules = "tcp-request inspect-delay 300\n  tcp-request content reject if { req.len gt 100 }\n"
    rules += "  tcp-request content accept if { req.len gt 3 }"

    def traffic(lab: Lab) -> object:
        client = lab.connect()
        greeting = client.read(2)
        client.finish()
        return greeting, client.ending()

    seen = both(config(rules), traffic, origins={"a": greets})
    assert seen.value == (b"a\n", "FIN")
    assert seen.log.timer("Tt") >= 295


def test_data_ends_the_inspection_early(both: Both) -> None:
    rules = "tcp-request inspect-delay 5s\n  tcp-request content accept if { req.len ge 3 }"

    def traffic(lab: Lab) -> object:
        client = lab.connect()
        quiet = client.hears_nothing()
        client.send(b"abc").finish()
        return quiet, client.read_end()

    seen = both(config(rules), traffic, origins={"a": greets})
    assert seen.value == (True, (b"a\n", "FIN"))


def test_the_client_leaving_during_inspection_is_logged(both: Both) -> None:
    rules = "tcp-request inspect-delay 5s\n  tcp-request content reject if { req.len ge 300 }"

    def traffic(lab: Lab) -> object:
        client = lab.connect()
        assert client.hears_nothing()
        client.reset()
        lab.log.wait(1)
        return lab.origin().nobody_came()

    seen = both(config(rules), traffic, origins=DRIVEN)
    assert seen.log.ts != "--"


def test_a_client_fin_during_inspection_ends_the_wait(both: Both) -> None:
    rules = "tcp-request inspect-delay 5s\n  tcp-request content reject if { req.len ge 300 }"

    def traffic(lab: Lab) -> object:
        return lab.connect().send(b"abc").finish().read_end()

    both(config(rules), traffic, origins={"a": greets})


def test_beyond_timeout_client_hs_bounds_the_wait_for_a_header_alone(both: Both) -> None:
    """HAProxy 2.6 has no such timeout: its `timeout client` is short instead."""
    text = """
frontend f
  bind 127.0.0.1:<front> accept-proxy
.if version_atleast(3.0)
  timeout client-hs 300
.else
  timeout client 300
.endif
  default_backend b
backend b
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        silent = lab.connect()
        told = silent.ending(), elapsed(silent)
        lab.log.wait(1)
        return told

    seen = both(text, traffic)
    assert seen.value[1] == "wait"


def test_timeout_client_hs_ends_with_the_header(beyond: Both, tmp_path: Path) -> None:
    text = config("timeout client-hs 100").replace("<front>", "<front> accept-proxy")

    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"PROXY UNKNOWN\r\n")
        origin = lab.origin().accept()
        quiet = client.hears_nothing(0.4)
        client.send(b"late")
        heard = origin.read(4)
        origin.close()
        client.ending()
        return quiet, heard

    assert observe(beyond.candidate, tmp_path / "own", text, traffic, DRIVEN).value == (True, b"late")


def test_beyond_a_header_is_waited_for_no_longer_than_ten_seconds(beyond: Both, tmp_path: Path) -> None:
    preamble = PREAMBLE.replace("  timeout client 6s\n", "")
    text = config().replace("<front>", "<front> accept-proxy")

    def traffic(lab: Lab) -> object:
        silent = lab.connect()
        early = silent.hears_nothing(9)
        return early, silent.ending() in ("FIN", "RST"), silent.age() < 20

    assert observe(beyond.candidate, tmp_path / "own", text, traffic, preamble=preamble).value == (
        True,
        True,
        True,
    )


def test_a_timeout_that_is_not_set_is_told_as_zero(both: Both) -> None:
    """A rule can compare it: a fetch without a value would match nothing."""
    told = "fe_client_timeout be_server_timeout be_tunnel_timeout cur_server_timeout cur_tunnel_timeout"
    text = f"""
defaults
  mode tcp
  log global
frontend f
  bind 127.0.0.1:<front>
  log-format "told {" ".join(f"%[{fetch}]" for fetch in told.split())}"
  default_backend b
backend b
  use-server a if {{ be_server_timeout 0 }} {{ be_tunnel_timeout 0 }}
  server z <closed>
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        name = lab.greeting()
        lab.log.wait(1)
        return name, [line.message for line in lab.log.lines() if line.message.startswith("told")]

    seen = both(text, traffic, logged=False)
    assert seen.value == ("a", ["told 0 0 0 0 0"])
