"""What operators set on a running engine, and what of it a new plan keeps."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator

import pytest
from live_engine import LiveEngine, eventually, plan, refuses
from msgspec.structs import replace

from isthmus.engine.command import (
    AdminState,
    FrontendState,
    RateLimit,
    SetFrontendMaxconn,
    SetFrontendState,
    SetMaxconn,
    SetRateLimit,
    SetServerAdmin,
    SetServerHealth,
    SetServerMaxconn,
)
from isthmus.engine.lists import AddEntries, Entries, GetEntries
from isthmus.engine.report import FrontendFacts, ListenerEvent, WarmedEvent

TEXT = """
global
 maxconn 1000
 maxconnrate 900
frontend f
 bind 127.0.0.1:1
 default_backend b
frontend g
 bind 127.0.0.1:1
 maxconn 50
 default_backend b
backend b
 server s 127.0.0.1:9 maxconn 40 check
 server t 127.0.0.1:9 track b/s
"""


@pytest.fixture
def greeter() -> Iterator[str]:
    """The address of an origin that greets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def limits(engine: LiveEngine) -> tuple[int, ...]:
    facts = engine.native.snapshot()
    process = facts.process
    server = facts.backends[0].servers[0]
    return (
        *(process.maxconn, process.conn_rate_limit, process.sess_rate_limit),
        *(each.maxconn for each in facts.frontends),
        server.maxconn,
    )


def set_all(engine: LiveEngine) -> None:
    for command in (
        SetMaxconn(600),
        SetRateLimit(RateLimit.CONNECTIONS, 5),
        SetRateLimit(RateLimit.SESSIONS, 6),
        SetFrontendMaxconn("f", 7),
        SetFrontendMaxconn("g", 8),
        SetServerMaxconn("b", "s", 9),
    ):
        engine.native.command(command)


def test_limits_stay_where_a_plan_says_the_same_of_them(engine: LiveEngine) -> None:
    engine.run(TEXT)
    assert limits(engine) == (1000, 900, 0, 1000, 50, 40)
    set_all(engine)
    engine.run(TEXT.replace("t 127", "u 127"))
    assert limits(engine) == (600, 5, 6, 7, 8, 9)


def test_limits_of_which_a_plan_says_something_else_are_the_plans(engine: LiveEngine) -> None:
    engine.run(TEXT)
    set_all(engine)
    changed = TEXT.replace("maxconn 1000", "maxconn 1001").replace("maxconnrate 900", "maxsessrate 800")
    engine.run(changed.replace("maxconn 50", "maxconn 51").replace("maxconn 40", "maxconn 41"))
    assert limits(engine) == (1001, 0, 800, 1001, 51, 41)


def frontend(engine: LiveEngine, name: str) -> FrontendFacts:
    return next(each for each in engine.native.snapshot().frontends if each.name == name)


def test_a_paused_frontend_releases_its_port_and_takes_it_again(engine: LiveEngine, greeter: str) -> None:
    engine.run(TEXT.replace("127.0.0.1:9", greeter))
    port = engine.port("f")
    living = engine.connect("f")
    eventually(lambda: frontend(engine, "f").counters.scur == 1)
    engine.native.command(SetFrontendState("f", FrontendState.PAUSED))
    eventually(lambda: refuses(port))
    assert frontend(engine, "f").status == "PAUSED"
    assert frontend(engine, "g").status == "OPEN"
    assert frontend(engine, "f").counters.scur >= 1
    living.close()
    # A new plan leaves it so.
    engine.run(TEXT.replace("127.0.0.1:9", greeter))
    assert frontend(engine, "f").status == "PAUSED"
    engine.native.command(SetFrontendState("f", FrontendState.OPEN))
    assert frontend(engine, "f").status == "OPEN"


def test_a_frontend_whose_port_is_taken_stays_paused(engine: LiveEngine) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        text = TEXT.replace("frontend f\n bind 127.0.0.1:1", f"frontend f\n bind 127.0.0.1:{port}")
        other.close()
        engine.run(text)
        engine.native.command(SetFrontendState("f", FrontendState.PAUSED))
        eventually(lambda: refuses(port))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(LookupError, match=r"\[t\.cfg:"):
            engine.native.command(SetFrontendState("f", FrontendState.OPEN))
        assert frontend(engine, "f").status == "PAUSED"


def test_a_frontend_that_was_shut_down_is_not_opened_again(engine: LiveEngine) -> None:
    engine.run(TEXT)
    port = engine.port("f")
    engine.native.command(SetFrontendState("f", FrontendState.SHUT))
    eventually(lambda: refuses(port))
    for state in FrontendState:
        with pytest.raises(LookupError):
            engine.native.command(SetFrontendState("f", state))
    engine.run(TEXT)
    assert frontend(engine, "f").status == "STOP"
    with pytest.raises(LookupError, match="No such frontend"):
        engine.native.command(SetFrontendState("nosuch", FrontendState.PAUSED))


def test_a_frontend_is_not_opened_again_by_an_engine_that_stops(engine: LiveEngine, greeter: str) -> None:
    engine.run(TEXT.replace("127.0.0.1:9", greeter))
    port = engine.port("f")
    with engine.connect("g"):
        eventually(lambda: frontend(engine, "g").counters.scur == 1)
        engine.native.command(SetFrontendState("f", FrontendState.PAUSED))
        engine.native.stop(graceful=True)
        with pytest.raises(LookupError, match="stopping"):
            engine.native.command(SetFrontendState("f", FrontendState.OPEN))
        eventually(lambda: refuses(port))


def test_a_server_that_is_new_and_tracks_one_that_is_down_is_down(engine: LiveEngine) -> None:
    engine.run(TEXT)
    engine.native.command(SetServerHealth("b", "s", False, "Layer4 timeout"))
    engine.run(TEXT + " server new 127.0.0.1:9 track b/s\n")
    servers = {each.name: each for each in engine.native.snapshot().backends[0].servers}
    assert (servers["new"].op_state, servers["new"].reason) == (0, "via b/s")


def test_a_server_that_went_and_comes_back_is_another_one(engine: LiveEngine, greeter: str) -> None:
    text = TEXT.replace("127.0.0.1:9", greeter)
    engine.run(text)
    # A session keeps the first plan alive, and with it what the plan knows of the other server.
    living = engine.connect("g")
    eventually(lambda: frontend(engine, "g").counters.scur == 1)
    gone = "t" if engine.native.snapshot().backends[0].servers[0].counters.scur else "s"
    assert gone == "t"
    engine.native.command(SetServerAdmin("b", "t", AdminState.MAINT))
    without = text.replace(f" server t {greeter} track b/s\n", "")
    engine.run(without)
    engine.run(text)
    servers = {each.name: each for each in engine.native.snapshot().backends[0].servers}
    assert (servers["t"].admin_state, servers["t"].counters.stot) == (0, 0)
    living.close()


MAPPED = """
frontend f
 bind 127.0.0.1:1
 tcp-request content set-var(txn.a) src,map_ip(nets)
 default_backend b
backend b
 server s 127.0.0.1:9
"""


def test_a_plan_without_its_files_keeps_lists_as_operators_changed_them(engine: LiveEngine) -> None:
    made = plan(MAPPED)
    content = b"10.0.0.0/8 ten\n"
    digest = hashlib.sha256(content).hexdigest()
    made = replace(made, lists=tuple(replace(each, digest=digest) for each in made.lists))
    assert engine.native.apply(made, {digest: content}).errors == ()
    engine.native.lists(AddEntries(0, None, (("11.0.0.0/8", "eleven"),)))
    assert engine.native.apply(made).errors == ()
    answer = engine.native.lists(GetEntries(0))
    assert isinstance(answer, Entries)
    assert [value for _, _, value in answer.entries] == ["ten", "eleven"]


def test_the_end_of_a_slow_start_is_told_once(engine: LiveEngine) -> None:
    engine.run(TEXT.replace("s 127.0.0.1:9", "s 127.0.0.1:9 slowstart 1s"))
    for state in (AdminState.MAINT, AdminState.READY):
        engine.native.command(SetServerAdmin("b", "s", state))
    heard: list[object] = []

    def told() -> list[object]:
        heard.extend(e for e in engine.native.events(50) if not isinstance(e, ListenerEvent))
        return heard

    eventually(told)
    told()
    assert heard == [WarmedEvent("b", "s")]
