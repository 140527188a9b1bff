"""Limits and queues: server, proxy and process maxconn, minconn, maxqueue."""

from __future__ import annotations

import pytest

from .lab import PREAMBLE, Both, Lab, Origins
from .wire import End, greets

DRIVEN: Origins = {"a": None}
TWO_DRIVEN: Origins = {"a": None, "b": None}


def config(frontend: str = "", backend: str = "", server: str = "", more: str = "") -> str:
    return f"""
frontend f
  bind 127.0.0.1:<front>
  default_backend b
  {frontend}
backend b
  {backend}
  server a <a> {server}
  {more}
"""


def serve(lab: Lab, client: End, name: str = "a") -> tuple[str, str]:
    """The origin takes the next connection, says which client it is, and both finish."""
    origin = lab.origin(name).accept()
    origin.send(b"!")
    client.read(1)
    client.close()
    ended = origin.ending()
    origin.close()
    return name, ended


def test_a_full_server_serves_the_queue_in_order(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        clients = []
        for number in range(4):
            clients.append(lab.connect().send(b"%d" % number))
            assert number == 0 or clients[-1].hears_nothing(0.2)
        order = []
        for number in range(4):
            origin = lab.origin().accept()
            order.append(origin.read(1))
            clients[number].close()
            origin.ending()
            origin.close()
            lab.log.wait(number + 1)
        return order

    seen = both(config(server="maxconn 1"), traffic, origins=DRIVEN)
    assert seen.value == [b"0", b"1", b"2", b"3"]
    assert [line.bq for line in seen.logs] == ["0", "1", "2", "3"]


def test_the_queue_moves_when_the_session_ahead_ends(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect()
        waiting = second.hears_nothing(), lab.command("show stat").count("b,a,1,1,1,")
        first.close()
        held.read_end()
        held.close()
        return waiting, serve(lab, second)

    both(config(server="maxconn 1"), traffic, origins=DRIVEN)


@pytest.mark.parametrize("limit", ["maxqueue 1", "maxqueue 2"])
def test_beyond_maxqueue_sends_the_overflow_to_an_idle_server(beyond: Both, limit: str) -> None:
    """As the manual says of `maxqueue`; with HAProxy it waits although a server of its backend is idle."""
    text = config(
        backend="balance source\n  hash-type map-based\n  option redispatch",
        server=f"maxconn 1 {limit}",
        more=f"server b <b> maxconn 1 {limit}",
    )

    def traffic(lab: Lab) -> object:
        ends = []
        for _ in range(4):
            ends.append(lab.connect(source="127.1.1.1"))
            ends[-1].hears_nothing(0.15)
        return len(lab.origin("a").ends), len(lab.origin("b").ends)

    expected, got = beyond.apart(text, traffic, origins=TWO_DRIVEN, logged=False)
    assert (expected.value, got.value) == ((0, 1), (1, 1))


def test_frontend_maxconn_leaves_clients_in_the_backlog(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect()
        waiting = second.hears_nothing(), len(lab.origin().ends)
        first.close()
        held.ending()
        held.close()
        return waiting, serve(lab, second)

    seen = both(config("maxconn 1"), traffic, origins=DRIVEN)
    assert seen.value[0] == (True, 1)
    assert seen.logs[1].fc == "1"


def test_process_maxconn_leaves_clients_in_the_backlog(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        held = lab.origin().accept()
        second = lab.connect()
        waiting = second.hears_nothing(), len(lab.origin().ends)
        first.close()
        held.ending()
        held.close()
        return waiting, serve(lab, second)

    preamble = PREAMBLE.replace("nbthread 1", "nbthread 1\n  maxconn 1")
    seen = both(config(), traffic, origins=DRIVEN, preamble=preamble)
    assert seen.value[0] == (True, 1)


def test_a_bind_lines_maxconn_is_its_own(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front> maxconn 1
  bind 127.0.0.1:<other>
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        first = lab.connect()
        lab.origin().accept()
        second = lab.connect()
        waiting = second.hears_nothing()
        third = lab.connect("other")
        lab.origin().accept().send(b"!")
        return waiting, third.read(1), first.hears_nothing(0.1)

    seen = both(text, traffic, origins=DRIVEN, logged=False)
    assert seen.value == (True, b"!", True)


def test_rate_limit_sessions_spreads_the_accepts(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        ends = [lab.connect() for _ in range(3)]
        names = [end.read(2) for end in ends]
        return names, ends[-1].age() > 0.2

    seen = both(config("rate-limit sessions 2"), traffic, origins={"a": greets}, logged=False)
    assert seen.value[1] is True


@pytest.mark.parametrize("limit", ["maxconnrate", "maxsessrate"])
def test_a_rate_of_the_process_spreads_the_accepts_of_all_frontends(both: Both, limit: str) -> None:
    def traffic(lab: Lab) -> object:
        ends = [lab.connect(name) for name in ("front", "other", "front")]
        names = [end.read(2) for end in ends]
        return names, ends[-1].age() > 0.2, lab.command("show info").count("RateLimit: 2")

    text = f"""
global
  {limit} 2
frontend f
  bind 127.0.0.1:<front>
  default_backend b
frontend g
  bind 127.0.0.1:<other>
  default_backend b
backend b
  server a <a>
"""
    seen = both(text, traffic, origins={"a": greets}, logged=False)
    assert seen.value[1:] == (True, 1)


@pytest.mark.parametrize(("held", "expected"), [(1, 1), (4, 1), (6, 1)])
def test_minconn_and_fullconn(both: Both, held: int, expected: int) -> None:
    """With fullconn 4, minconn 1, maxconn 2: a newcomer waits behind the queue, whatever the share is now."""

    def traffic(lab: Lab) -> object:
        for _ in range(held):
            lab.connect().hears_nothing(0.15)
        return len(lab.origin().ends)

    text = config(backend="fullconn 4", server="minconn 1 maxconn 2")
    seen = both(text, traffic, origins=DRIVEN, logged=False)
    assert seen.value == expected


def test_leastconn_sends_to_the_server_with_a_free_slot(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        lab.origin("a").accept()
        second = lab.connect()
        lab.origin("b").accept()
        third = lab.connect()
        waits = third.hears_nothing()
        second.close()
        lab.origin("b").ends[0].ending()
        lab.origin("b").ends[0].close()
        lab.origin("b").accept().send(b"!")
        return waits, third.read(1), first.hears_nothing(0.1)

    text = config(backend="balance leastconn", server="maxconn 1", more="server b <b> maxconn 1")
    seen = both(text, traffic, origins=TWO_DRIVEN, logged=False)
    assert seen.value == (True, b"!", True)


def test_a_raised_maxconn_lets_the_queue_through(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.connect()
        lab.origin().accept()
        second = lab.connect()
        waits = second.hears_nothing()
        lab.command("set maxconn server b/a 3")
        third = lab.connect()
        lab.origin().accept().send(b"!")
        lab.origin().accept().send(b"!")
        return waits, second.read(1), third.read(1)

    both(config(server="maxconn 1"), traffic, origins=DRIVEN, logged=False)


def test_a_server_that_goes_away_gives_its_queue_to_others(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.connect()
        lab.origin("a").accept()
        second = lab.connect()
        waits = second.hears_nothing()
        lab.command("disable server b/a")
        lab.command("enable server b/b")
        lab.origin("b").accept().send(b"!")
        return waits, second.read(1)

    text = config(
        backend="balance roundrobin\n  option redispatch",
        server="maxconn 1",
        more="server b <b> maxconn 1 disabled",
    )
    both(text, traffic, origins=TWO_DRIVEN, logged=False)
