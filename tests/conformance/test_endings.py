"""Connections that end badly: refused, reset, aborted while connecting or queued; and the options on it."""

from __future__ import annotations

import pytest

from .ending_lab import DRIVEN, config
from .lab import Both, Lab
from .wire import greets


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
