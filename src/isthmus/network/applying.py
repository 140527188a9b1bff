"""Steps carried out, in order; when one fails, those that were done are undone.

Requests to the kernel are queued for each namespace and sent together; what a request needs to know of
the others (an interface's index) is asked for when it is encoded, and whatever is queued goes out first
if the answer is not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from isthmus.network.desired import Former
from isthmus.network.difference import Step, rank
from isthmus.network.machine import Machine
from isthmus.network.netlink.channel import Refusal
from isthmus.network.netlink.interfaces import MissingError
from isthmus.network.objects import Interface, SpaceObject, State
from isthmus.network.operating import FORGIVEN, LAST, Operator, RefusedError, Request, Work
from isthmus.network.spacemaking import Removal, make
from isthmus.records import dataclass

Progress = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Change:
    """From which state to which; `former` is what sysctls were before the network set them."""

    found: State
    wanted: State
    former: Former
    bundled: frozenset[str] = frozenset()
    """Namespaces whose interfaces of the network all go, and are all that is in the network's group."""


class ApplyError(Exception):
    """A step that could not be done: which one, why, and whether everything before it was undone."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(reason)
        self.step = step
        self.reason = reason
        self.left: list[tuple[Step, str]] = []
        """What could not be undone, and why."""


def _silent(_: Step) -> None:
    return None


def apply(steps: Sequence[Step], change: Change, machine: Machine, progress: Progress = _silent) -> None:
    """Carry out all steps, or none: ApplyError says which one failed, after the others were undone.

    An interruption (Ctrl-C) is handled like a failure, and raised again.
    """
    run = _Run(Operator(change.wanted, machine, change.former), machine, progress)
    try:
        run.carry_out(steps)
    except BaseException as error:
        left = _undo(run, change, machine)
        if isinstance(error, ApplyError):
            error.left = left
        raise


def _undo(run: _Run, change: Change, machine: Machine) -> list[tuple[Step, str]]:
    operator = Operator(change.found, machine, change.former, undoing=True)
    undoing = _Run(operator, machine, _silent, forgiving=True)
    undoing.carry_out([step.reversed() for step in reversed(run.done)])
    return undoing.failed


def apply_all(
    steps: Sequence[Step], change: Change, machine: Machine, progress: Progress = _silent
) -> list[tuple[Step, str]]:
    """Carry out what can be carried out, and return what could not, with the reason: the way of `down`."""
    operator = Operator(change.wanted, machine, change.former, bundled=change.bundled)
    run = _Run(operator, machine, progress, forgiving=True)
    run.carry_out(steps)
    return run.failed


class _Run:
    """One run over a list of steps. `forgiving`: go on after a failure, and keep a list of them."""

    def __init__(
        self, operator: Operator, machine: Machine, progress: Progress, *, forgiving: bool = False
    ) -> None:
        self._operator = operator
        self._machine = machine
        self._progress = progress
        self._forgiving = forgiving
        self._queued: dict[str, list[tuple[Step, bytes]]] = {}
        self._noted: set[int] = set()
        self._ending: list[Step] = []
        self._kept: list[Step] = []
        self._removal: Removal | None = None
        self.done: list[Step] = []
        """Steps of which something was done, in order."""
        self.failed: list[tuple[Step, str]] = []

    def carry_out(self, steps: Sequence[Step]) -> None:
        self._operator.foresee(steps)
        self._ending = [step for step in steps if step.new is None and isinstance(step.old, SpaceObject)]
        try:
            for _, same in groupby(steps, key=lambda step: (step.new is None, rank(step.subject))):
                self._wave(list(same))
        finally:
            if self._removal is not None:
                self._removal.outcomes()
        for step in steps:
            if self._operator.comes_to_life(step):
                self._prepare(step, LAST)

    def _wave(self, steps: list[Step]) -> None:
        """Carry out steps of one rank, as many at once as namespaces may be open."""
        if steps[0].new is None and isinstance(steps[0].old, SpaceObject):
            self._remove_spaces()
            return
        portions = list(_portions(steps, self._machine.room // 2))
        if isinstance(steps[0].subject, SpaceObject):
            for some in portions:
                self._spaces(some)
            return
        # A phase of all before the next one of any: the ends of a pair may be in two portions.
        for phase in range(self._operator.phases(steps[0])):
            if phase > 0 and self._may_end_early(steps):
                self._removal = self._begin_removal()
            for some in portions:
                self._phase(some, phase)

    def _phase(self, steps: list[Step], phase: int) -> None:
        for step in steps:
            if phase == 0:
                self._progress(step)
            elif self._stays_away(step):
                continue
            self._prepare(step, phase)
        self._flush()

    def _stays_away(self, step: Step) -> bool:
        """Say whether a device could not be moved back: what has its name there is another one."""
        moved = isinstance(step.old, Interface) and step.old.origin is not None and step.new is None
        return moved and any(failed is step for failed, _ in self.failed)

    def _prepare(self, step: Step, phase: int) -> None:
        """Queue a step's requests, or do at once what no request can do."""
        parent = step.new.parent if isinstance(step.new, Interface) and phase > 0 else None
        if parent is not None and parent[0] in self._queued:
            # A VLAN comes up only when its parent is up (ENETDOWN), and queues are sent one by one.
            self._flush()
        elif (
            isinstance(step.old, Interface)
            and isinstance(step.new, Interface)
            and step.old.given - step.new.given
        ):
            # What the file gives no more may follow what is beneath, as it is by now.
            self._flush()
        try:
            try:
                work = list(self._operator.work(step, phase))
            except MissingError:
                self._flush()
                work = list(self._operator.work(step, phase))
            self._start(step, work)
        except (MissingError, OSError, RefusedError) as error:
            self._fail(step, str(error))

    def _start(self, step: Step, work: list[Work]) -> None:
        if not work and step.new is None:
            self._note(step)
        for each in work:
            if isinstance(each, Request):
                self._queued.setdefault(each.namespace, []).append((step, each.payload))
            else:
                self._flush()
                self._note(step)
                each()

    def _flush(self) -> None:
        queued, self._queued = self._queued, {}
        for namespace, requests in queued.items():
            outcomes = self._machine.channel(namespace).change([payload for _, payload in requests])
            refusals: list[tuple[Step, Refusal]] = []
            for (step, _), refusal in zip(requests, outcomes, strict=True):
                if refusal is None or self._forgives(step, refusal):
                    # What was gone already went with something of ours, and comes back with it.
                    self._note(step)
                else:
                    refusals.append((step, refusal))
            for step, refusal in refusals:
                self._fail(step, str(refusal))

    def _forgives(self, step: Step, refusal: Refusal) -> bool:
        # What is to be removed may be gone: with its interface, its peer, its namespace.
        return (step.new is None or self._forgiving) and refusal.number in FORGIVEN

    def _spaces(self, steps: list[Step]) -> None:
        for step in steps:
            self._progress(step)
        for kind, same in groupby(steps, key=lambda step: (step.old is None, step.new is None)):
            some = list(same)
            if kind == (True, False):
                self._make_spaces(some)
            else:
                for step in some:
                    self._prepare(step, 0)

    def _make_spaces(self, steps: list[Step]) -> None:
        wanted = [step.new for step in steps if isinstance(step.new, SpaceObject)]
        made = make(wanted, self._operator.alias)
        failures: list[tuple[Step, OSError]] = []
        for step, each, outcome in zip(steps, wanted, made, strict=True):
            if isinstance(outcome, OSError):
                failures.append((step, outcome))
            else:
                self._machine.adopt(each.space, outcome)
                self._note(step)
        for step, error in failures:
            self._fail(step, str(error))

    def _may_end_early(self, steps: list[Step]) -> bool:
        """Say whether names may go while the kernel removes interfaces outside of them.

        What was moved in is out again by then. Where a failure would be undone, one comes after the other.
        """
        if not (self._forgiving and self._ending and steps[0].new is None):
            return False
        names = {step.subject.key[1] for step in self._ending}
        return not any(
            isinstance(step.old, Interface)
            and step.old.namespace in names
            and step.old.origin is None
            and step.old.kind != "loopback"
            for step in steps
        )

    def _begin_removal(self) -> Removal:
        kept = self._spaces_of_devices()
        self._kept = [step for step in self._ending if step.subject.key[1] in kept]
        self._ending = [step for step in self._ending if step not in self._kept]
        spaces = [step.old.space for step in self._ending if isinstance(step.old, SpaceObject)]
        self._machine.forget(space.name for space in spaces)
        return Removal(spaces)

    def _spaces_of_devices(self) -> set[str]:
        """Return the namespaces with a device that could not be moved back: it would end with them."""
        failed = (step.old for step, _ in self.failed if step.new is None)
        moved = [each for each in failed if isinstance(each, Interface) and each.origin is not None]
        return {each.namespace for each in moved if self._is_there(each)}

    def _is_there(self, device: Interface) -> bool:
        """Say whether a device is where it was moved to, and did not merely come back other than it was."""
        try:
            return self._machine.channel(device.namespace).index_of(device.name) is not None
        except OSError:
            return True

    def _remove_spaces(self) -> None:
        removal = self._removal or self._begin_removal()
        for step in self._ending:
            self._progress(step)
        for step in self._kept:
            self._fail(step, "there is a device in it that could not be moved back")
        for step, error in zip(self._ending, removal.outcomes(), strict=True):
            if error is None:
                self._note(step)
            else:
                self._fail(step, str(error))

    def _note(self, step: Step) -> None:
        # Once, though it may take two phases: undoing it twice would fail the second time.
        if id(step) not in self._noted:
            self._noted.add(id(step))
            self.done.append(step)

    def _fail(self, step: Step, reason: str) -> None:
        if not self._forgiving:
            raise ApplyError(step, reason)
        self.failed.append((step, reason))


def _portions(steps: list[Step], size: int) -> Iterator[list[Step]]:
    for start in range(0, len(steps), max(1, size)):
        yield steps[start : start + max(1, size)]
