"""What becomes of clients whose server refuses, never answers, or has no slot: retries, redispatch, queue."""

from __future__ import annotations

import socket

import pytest

from .ending_lab import DRIVEN, config
from .lab import Both, Lab


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_refused_connection_is_retried_after_a_pause(both: Both, retries: int) -> None:
    def traffic(lab: Lab) -> object:
        return lab.connect().read_end()

    backend = f"retries {retries}\n  timeout connect 300"
    seen = both(config(backend=backend, server="<closed>"), traffic)
    assert (seen.log.ts, seen.log.rc, seen.log.Tc) == ("SC", str(retries), "-1")


@pytest.mark.parametrize("option", ["no option redispatch", "option redispatch"])
def test_what_a_client_said_first_survives_a_server_that_refuses(both: Both, option: str) -> None:
    """The bytes are there when the connection is made (`defer-accept`), and the refusal as soon."""
    text = f"""
listen f
  bind 127.0.0.1:<front> defer-accept
  balance roundrobin
  {option}
  retries 1
  timeout connect 300
  server dead <closed>
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        return [lab.ask(b"said first") for _ in range(2)]

    seen = both(text, traffic)
    refused, served = (line.ts for line in seen.logs)
    assert served == "--"
    assert refused == ("SC" if option.startswith("no") else "--")


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
