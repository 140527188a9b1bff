"""The life of one service, with a clock that stands still."""

from __future__ import annotations

import pytest

from isthmus.network.model import HookPlace, Phase, Restart
from isthmus.network.services import machine as m
from isthmus.network.services.definition import Definition, HookDefinition, ReadinessDefinition
from isthmus.network.services.machine import Machine, State


def hook(phase: Phase, word: str = "x") -> HookDefinition:
    return HookDefinition(phase, (word,), HookPlace.SERVICE, 30.0)


def service(*hooks: HookDefinition, **more) -> Definition:
    return Definition("web", "red", ("web",), hooks=hooks, **more)


EVERY_HOOK = tuple(hook(phase, phase) for phase in Phase)


class Life:
    """A machine whose world answers at once, and what it did."""

    def __init__(self, definition: Definition, failing: frozenset[str] = frozenset(), initialized=False):
        self.machine = Machine(definition, initialized=initialized)
        self.failing = failing
        self.now = 0.0
        self.did: list[str] = []

    def on(self, event: m.Event) -> None:
        for action in self.machine.on(event, self.now):
            self._answer(action)

    def _answer(self, action: m.Action) -> None:
        match action:
            case m.RunHook(each):
                self.did.append(each.command[0])
                self.on(m.HookEnded("no" if each.command[0] in self.failing else None))
            case m.Spawn():
                self.did.append("spawn")
                self.on(m.Spawned("cannot" if "spawn" in self.failing else None))
            case m.Probe():
                self.did.append("probe")
            case m.Terminate():
                self.did.append("terminate")
                if "terminate" not in self.failing:
                    self.on(m.Ended(-15))
            case m.Kill():
                self.did.append("kill")
                self.on(m.Ended(-9))
            case m.Initialized():
                self.did.append("initialized")

    def start(self) -> Life:
        self.on(m.Start())
        return self

    def after(self, seconds: float, event: m.Event | None = None) -> None:
        self.now += seconds
        self.on(event or m.Tick())

    @property
    def state(self) -> State:
        return self.machine.state


def test_hooks_run_in_the_order_of_life():
    life = Life(service(*EVERY_HOOK)).start()
    assert life.did == ["initialize", "initialized", "pre-start", "spawn", "post-start"]
    assert life.state is State.RUNNING
    life.on(m.Stop())
    assert life.did[5:] == ["pre-stop", "terminate", "post-stop"]
    assert life.state is State.STOPPED
    assert life.machine.trouble is None


def test_initialize_runs_once():
    life = Life(service(*EVERY_HOOK)).start()
    life.on(m.Stop())
    life.did.clear()
    life.start()
    assert life.did == ["pre-start", "spawn", "post-start"]
    assert "initialize" not in Life(service(*EVERY_HOOK), initialized=True).start().did


@pytest.mark.parametrize(
    ("failing", "did"),
    [
        ("initialize", ["initialize"]),
        ("pre-start", ["initialize", "initialized", "pre-start", "post-stop"]),
        ("spawn", ["initialize", "initialized", "pre-start", "spawn", "post-stop"]),
        (
            "post-start",
            ["initialize", "initialized", "pre-start", "spawn", "post-start", "terminate", "post-stop"],
        ),
    ],
)
def test_a_start_that_fails_cleans_up_behind_itself(failing, did):
    life = Life(service(*EVERY_HOOK, restart=Restart.ALWAYS), frozenset({failing})).start()
    assert life.did == did
    assert life.state is State.FAILED
    assert life.machine.failure in ("no", "cannot")


def test_a_failed_initialize_is_run_again():
    life = Life(service(*EVERY_HOOK), frozenset({"initialize"})).start()
    life.failing = frozenset()
    life.start()
    assert life.did[1:3] == ["initialize", "initialized"]


def test_a_stop_goes_on_where_its_hooks_fail_and_tells_it():
    life = Life(service(*EVERY_HOOK), frozenset({"pre-stop"})).start()
    life.on(m.Stop())
    assert life.did[-3:] == ["pre-stop", "terminate", "post-stop"]
    assert life.state is State.STOPPED
    assert life.machine.trouble == "no"


def test_readiness_is_waited_for():
    life = Life(service(*EVERY_HOOK, readiness=ReadinessDefinition(tcp=("127.0.0.1", 80)))).start()
    assert life.did[-1] == "probe"
    assert life.state is State.STARTING
    life.on(m.Probed())
    assert life.did[-1] == "post-start"
    assert life.state is State.RUNNING


def test_what_is_not_ready_in_time_is_stopped():
    life = Life(service(readiness=ReadinessDefinition(notify=True))).start()
    life.on(m.Probed("was not ready"))
    assert (life.state, life.machine.failure) == (State.FAILED, "was not ready")
    assert life.did == ["spawn", "probe", "terminate"]


def test_an_end_before_readiness_is_a_failed_start_whatever_the_policy():
    life = Life(service(readiness=ReadinessDefinition(notify=True), restart=Restart.ALWAYS)).start()
    life.on(m.Ended(0))
    assert life.state is State.FAILED
    assert life.machine.failure == "ended with status 0 before it was ready"
    life.on(m.Probed())
    assert life.state is State.FAILED


def test_what_does_not_end_in_time_is_killed():
    life = Life(service(stop_timeout=3.0), frozenset({"terminate"})).start()
    life.on(m.Stop())
    assert life.machine.deadline == 3.0
    life.after(2.9)
    assert life.state is State.STOPPING
    life.after(0.1)
    assert life.did == ["spawn", "terminate", "kill"]
    assert life.state is State.STOPPED


@pytest.mark.parametrize(
    ("policy", "status", "state"),
    [
        (Restart.NO, 0, State.ENDED),
        (Restart.NO, 1, State.FAILED),
        (Restart.ON_FAILURE, 0, State.ENDED),
        (Restart.ON_FAILURE, 1, State.WAITING),
        (Restart.ON_FAILURE, -11, State.WAITING),
        (Restart.ALWAYS, 0, State.WAITING),
        (Restart.ALWAYS, 1, State.WAITING),
    ],
)
def test_the_policy_says_what_follows_an_end(policy, status, state):
    life = Life(service(hook(Phase.POST_STOP, "post-stop"), restart=policy)).start()
    life.on(m.Ended(status))
    assert life.did == ["spawn", "post-stop"]
    assert life.state is state


def test_restarts_are_delayed_more_and_more_up_to_a_bound():
    assert [m.restart_delay(1.0, attempt) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert m.restart_delay(0.0, 1) == 0
    assert m.restart_delay(0.0, 2) == 0.2
    assert m.restart_delay(300.0, 9) == 300
    assert m.restart_delay(1.0, 100000) == 60


def test_a_service_that_ran_for_long_starts_again_without_a_longer_delay():
    life = Life(service(restart=Restart.ALWAYS)).start()
    for delay in (1.0, 2.0, 4.0):
        life.on(m.Ended(1))
        assert life.machine.deadline == life.now + delay
        life.after(delay)
        assert life.state is State.RUNNING
    life.after(m.STEADY, m.Ended(1))
    assert life.machine.deadline == life.now + 1.0


def test_a_restart_that_fails_is_tried_again():
    life = Life(service(restart=Restart.ON_FAILURE)).start()
    life.on(m.Ended(1))
    life.failing = frozenset({"spawn"})
    life.after(1.0)
    assert life.state is State.WAITING
    assert life.machine.deadline == life.now + 2.0


def test_a_stop_ends_the_wait_for_a_restart():
    life = Life(service(restart=Restart.ALWAYS)).start()
    life.on(m.Ended(1))
    life.on(m.Stop())
    assert (life.state, life.machine.deadline) == (State.STOPPED, None)
    life.after(100)
    assert life.did == ["spawn"]


@pytest.mark.parametrize("phase", [Phase.INITIALIZE, Phase.PRE_START, Phase.POST_START])
def test_a_stop_in_the_middle_of_a_start_aborts_its_hook(phase):
    machine = Machine(service(hook(phase)))
    actions = machine.on(m.Start(), 0)
    if phase is Phase.POST_START:
        actions = machine.on(m.Spawned(), 0)
    assert actions == [m.RunHook(hook(phase))]
    assert machine.on(m.Stop(), 0) == [m.AbortHook()]
    machine.on(m.HookEnded("was stopped"), 0)
    if phase is Phase.POST_START:
        assert machine.state is State.STOPPING
        machine.on(m.Ended(-15), 0)
    assert machine.state is State.STOPPED


def test_a_stop_before_the_command_runs_waits_for_it():
    machine = Machine(service())
    assert machine.on(m.Start(), 0) == [m.Spawn()]
    assert machine.on(m.Stop(), 0) == []
    assert machine.on(m.Spawned(), 0) == [m.Terminate()]
    machine.on(m.Ended(-15), 0)
    assert machine.state is State.STOPPED


def test_an_end_during_a_hook_is_seen_behind_it():
    machine = Machine(service(hook(Phase.POST_START), hook(Phase.PRE_STOP)))
    machine.on(m.Start(), 0)
    machine.on(m.Spawned(), 0)
    machine.on(m.Ended(4), 0)
    assert machine.state is State.POST_START
    machine.on(m.HookEnded(), 0)
    assert machine.state is State.FAILED
    assert machine.failure == "ended with status 4 while its post-start hook ran"


def test_nothing_happens_to_what_is_stopped():
    machine = Machine(service())
    for event in (m.Stop(), m.Tick(), m.Probed(), m.HookEnded()):
        assert machine.on(event, 0) == []
        assert machine.state is State.STOPPED
