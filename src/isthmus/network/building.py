"""A network compared with what is there, and made so: what `plan`, `apply` and `down` do.

Prints nothing and knows no argv; `command` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from isthmus.network.applying import ApplyError, Change, apply, apply_all
from isthmus.network.desired import Former, all_namespaces, desired
from isthmus.network.difference import Step, difference
from isthmus.network.filtering import interception_objects, wanted_ruleset
from isthmus.network.machine import Machine
from isthmus.network.model import OUTSIDE, Network
from isthmus.network.objects import Object, State
from isthmus.network.observed import Observation, observe

_ROUNDS = 3
"""How often the kernel is looked at again: what one change takes along is put back by the next round."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a network wants, what there is of it, and the steps from the one to the other."""

    wanted: State
    found: Observation
    steps: tuple[Step, ...]

    @property
    def conflicts(self) -> dict[tuple[str, ...], str]:
        """What others have that the network wants to make, by key, as a sentence."""
        return {key: text for key, text in self.found.foreign.items() if key in self.wanted.objects}


def compare(network: Network, machine: Machine) -> Comparison:
    """Compare a network with what is there. Changes nothing."""
    found = observe(network, machine)
    wanted = wanted_state(network, found.former)
    return Comparison(wanted, found, tuple(difference(wanted, found.state)))


def wanted_state(network: Network, former: Former) -> State:
    """Return all kernel objects of a network; `former` has what its sysctls were before it set them."""
    objects: dict[tuple[str, ...], Object] = dict(desired(network).objects)
    for namespace in all_namespaces(network):
        if namespace.name == OUTSIDE:
            continue
        for each in interception_objects(namespace):
            objects[each.key] = each
        set_now = dict(namespace.sysctls)
        known = {name: old for name, old in former.get(namespace.name, {}).items() if name in set_now}
        ruleset = wanted_ruleset(namespace, network.name, known)
        if ruleset is not None:
            objects[ruleset.key] = ruleset
    return State(network.name, objects)


def build(
    network: Network, comparison: Comparison, machine: Machine, progress: Callable[[Step], None]
) -> None:
    """Make the network so, or leave everything as it was: ApplyError says what failed."""
    original = comparison.found.state
    steps = comparison.steps
    try:
        for _ in range(_ROUNDS):
            if not steps:
                return
            apply(steps, Change(original, comparison.wanted, comparison.found.former), machine, progress)
            comparison = compare(network, machine)
            steps = comparison.steps
        if steps:
            raise ApplyError(steps[0], "the kernel does not keep it")
    except BaseException as error:
        left = restore(network, comparison.found, original, machine)
        if isinstance(error, ApplyError):
            error.left += left
        raise


def restore(
    network: Network, known: Observation, original: State, machine: Machine
) -> list[tuple[Step, str]]:
    """Bring everything of a network back to a former state; return what could not be, with the reason."""
    found = observe(network, machine).state
    change = Change(found, original, known.former)
    return apply_all(difference(original, found), change, machine)


def dismantle(network: Network, machine: Machine, progress: Callable[[Step], None]) -> list[tuple[Step, str]]:
    """Remove everything that belongs to a network; return what could not be, with the reason."""
    found = observe(network, machine, within_owned=False)
    empty = State(network.name, {})
    change = Change(found.state, empty, found.former)
    return apply_all(difference(empty, found.state), change, machine, progress)
