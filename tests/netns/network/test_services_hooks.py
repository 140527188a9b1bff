"""The hooks of services that run: in their order, each where it belongs, undone where one fails."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.network.model import (
    Hook,
    HookPlace,
    Phase,
    Readiness,
    Service,
)
from isthmus.network.services import (
    ServiceError,
    leftovers,
    log_path,
    read_services,
    wanted_services,
)

from .services_ground import (
    Ground,
    eventually,
    grounded,
    shell,
    sleeper,
)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with grounded(tmp_path) as made:
        yield made


def test_the_hooks_of_a_life_run_in_order_each_where_it_belongs(ground: Ground):
    where = '$(hostname) $(test "$(readlink /proc/self/ns/net)" = "$OUT" && echo outside || echo inside)'
    environment = (("OUT", os.readlink("/proc/self/ns/net")),)
    hooks = tuple(
        Hook(phase, shell(ground.record(f"{phase} {where}")), place)
        for phase in Phase
        for place in (
            (HookPlace.SERVICE, HookPlace.HOST) if phase is Phase.PRE_START else (HookPlace.SERVICE,)
        )
    )
    web = Service(
        "web",
        "red",
        shell(f"{ground.record('runs')}; exec sleep 1000"),
        hooks=hooks,
        environment=environment,
        readiness=Readiness(command=shell(f"grep -q runs {ground.folder}/record"), interval=0.02),
    )
    ground.apply(web)
    outside = [socket.gethostname(), "outside"]
    assert ground.recorded == [
        *("initialize", "alpha", "inside", "pre-start", "alpha", "inside", "pre-start", *outside),
        *("runs", "post-start", "alpha", "inside"),
    ]
    assert read_services(ground.name) == wanted_services(ground.network(web))
    ground.stop()
    assert ground.recorded[-6:] == ["pre-stop", "alpha", "inside", "post-stop", "alpha", "inside"]
    assert read_services(ground.name) == []


def test_initialize_runs_once_in_a_networks_life_even_if_the_supervisor_is_killed(ground: Ground):
    first = sleeper("web", hooks=(Hook(Phase.INITIALIZE, shell(ground.record("init"))),))
    ground.apply(first)
    ground.apply(replace(first, stop_timeout=2.0))
    os.kill(ground.supervisor, signal.SIGKILL)
    eventually(lambda: leftovers(ground.name) == [], "the services end")
    ground.apply(first)
    assert ground.recorded == ["init"]
    ground.stop()
    ground.apply(first)
    assert ground.recorded == ["init", "init"]


@pytest.mark.parametrize("phase", [Phase.INITIALIZE, Phase.PRE_START, Phase.POST_START])
def test_a_hook_that_fails_puts_everything_back(ground: Ground, phase: Phase):
    stays, goes, old = sleeper("stays"), sleeper("goes"), sleeper("changes")
    ground.apply(stays, goes, old)
    before = read_services(ground.name)
    pid = ground.pid("stays")
    bad = sleeper("bad", needs=("changes",), hooks=(Hook(phase, shell("echo because; exit 3")),))
    with pytest.raises(ServiceError, match=f"service bad: {phase} hook .* ended with status 3") as error:
        ground.apply(stays, replace(old, stop_timeout=3.0), bad)
    assert error.value.log == ("because",)
    assert "\n  | because\n" in str(error.value)
    assert sorted(read_services(ground.name), key=str) == sorted(before, key=str)
    assert ground.pid("stays") == pid
    assert leftovers(ground.name, ["bad"]) == []


def test_a_stop_hook_that_fails_is_told_and_the_service_is_stopped_or_put_back(ground: Ground):
    web = sleeper("web", hooks=(Hook(Phase.PRE_STOP, shell("echo never; exit 4")),))
    ground.apply(web, sleeper("db"))
    with pytest.raises(ServiceError, match="pre-stop hook"):
        ground.apply(sleeper("db"))
    assert ground.states() == {"web": "running", "db": "running"}
    with pytest.raises(ServiceError, match="status 4") as error:
        ground.stop()
    assert error.value.log == ("never",)
    assert leftovers(ground.name) == []
    assert "never" in log_path(ground.name, "web").read_text()


def test_a_hook_that_takes_too_long_is_killed_with_all_it_started(ground: Ground):
    hook = Hook(Phase.PRE_START, shell("sleep 1000 & sleep 1000"), timeout=0.3)
    with pytest.raises(ServiceError, match=r"did not end within 0\.3 s"):
        ground.apply(sleeper("web", hooks=(hook,)))
    eventually(lambda: leftovers(ground.name) == [], "the hook's processes end")
