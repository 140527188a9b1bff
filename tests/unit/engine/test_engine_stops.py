"""The end of an engine: listeners close, sessions end by themselves or at once, one event tells."""

from __future__ import annotations

import pytest
from live_engine import LiveEngine, Origin, eventually, refuses

from isthmus.engine.report import Stopped

WEB = "listen web\n bind 127.0.0.1:1\n server s {}\n"


def test_a_graceful_stop_refuses_new_connections_and_waits_for_sessions(
    engine: LiveEngine, origins: list[Origin]
):
    engine.run(WEB.format(origins[0].address))
    port = engine.port("web")
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.native.stop(graceful=True)
        eventually(lambda: refuses(port))
        assert client.echoes()
        assert engine.native.snapshot().process.stopping
        assert Stopped() not in engine.native.events(0)
    engine.wait_stopped()
    assert engine.sessions() == []


def test_a_hard_stop_ends_sessions_at_once(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address))
    port = engine.port("web")
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.native.stop(graceful=False)
        assert client.ended()
        engine.wait_stopped()
        assert refuses(port)


def test_a_hard_stop_ends_what_a_graceful_one_waits_for(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.native.stop(graceful=True)
        engine.native.stop(graceful=False)
        engine.wait_stopped()
        assert client.ended()


def test_hard_stop_after_ends_a_graceful_stop(engine: LiveEngine, origins: list[Origin]):
    engine.run("global\n hard-stop-after 50ms\n" + WEB.format(origins[0].address))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.native.stop(graceful=True)
        assert client.ended()
        engine.wait_stopped()


def test_stopped_is_told_once(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address))
    engine.native.stop(graceful=False)
    engine.wait_stopped()
    engine.native.stop(graceful=False)
    assert engine.native.events(20) == []


def test_sessions_of_an_earlier_plan_hold_a_graceful_stop_up_too(engine: LiveEngine, origins: list[Origin]):
    engine.run(WEB.format(origins[0].address))
    with engine.connect("web") as client:
        assert client.greeting() == "a"
        engine.run(f"listen other\n bind 127.0.0.1:1\n server s {origins[1].address}\n")
        engine.native.stop(graceful=True)
        assert client.echoes()
        assert Stopped() not in engine.native.events(0)
    engine.wait_stopped()


@pytest.mark.parametrize("graceful", [True, False])
def test_an_engine_that_stops_takes_no_plan(engine: LiveEngine, origins: list[Origin], graceful: bool):
    engine.run(WEB.format(origins[0].address))
    engine.native.stop(graceful=graceful)
    report = engine.apply(WEB.format(origins[1].address))
    assert report.generation == 1
    assert [message for _, message in report.errors] == ["the engine is stopping"]


def test_a_stop_before_any_plan_is_a_stop(engine: LiveEngine):
    engine.native.stop(graceful=True)
    engine.wait_stopped()
