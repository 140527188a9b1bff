"""A network compared with what is there, and made so: what `plan`, `apply` and `down` do.

Prints nothing and knows no argv; `command` does.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from isthmus.network import services
from isthmus.network.applying import ApplyError, Change, apply, apply_all
from isthmus.network.desired import Former, all_namespaces, desired, ends_of
from isthmus.network.difference import Step, difference
from isthmus.network.filtering import interception_objects, wanted_ruleset
from isthmus.network.machine import Machine
from isthmus.network.model import OUTSIDE, Namespace, Network
from isthmus.network.objects import Object, ServiceObject, State
from isthmus.network.observed import Observation, observe
from isthmus.network.services import Definition

_ROUNDS = 3
"""How often the kernel is looked at again: what one change takes along is put back by the next round."""


class BusyError(Exception):
    """Another process works on the same network now."""


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

    @property
    def kernel_steps(self) -> tuple[Step, ...]:
        """The steps that the kernel does; the services' supervisor does the others."""
        return tuple(step for step in self.steps if not isinstance(step.subject, ServiceObject))


@contextmanager
def exclusive(network: str) -> Iterator[None]:
    """Be the only one that changes a network; BusyError where somebody else does so now.

    Held by an abstract socket, which goes with the process however that ends.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as held:
        try:
            held.bind(f"\0isthmus-net-building/{network}")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BusyError(f"another `isthmus net` is changing {network} now") from error
            raise
        yield


def compare(network: Network, machine: Machine) -> Comparison:
    """Compare a network with what is there. Changes nothing."""
    found = observe(network, machine)
    for each in services.read_services(network.name):
        found.state.objects[each.key] = each
    wanted = wanted_state(network, found.former)
    return Comparison(wanted, found, tuple(difference(wanted, found.state)))


def wanted_state(network: Network, former: Former) -> State:
    """Return all objects of a network; `former` has what its sysctls were before it set them."""
    objects: dict[tuple[str, ...], Object] = dict(desired(network).objects)
    for namespace in all_namespaces(network):
        if namespace.name == OUTSIDE:
            continue
        for each in interception_objects(namespace):
            objects[each.key] = each
        ruleset = _ruleset(network, namespace, former)
        if ruleset is not None:
            objects[ruleset.key] = ruleset
    for service in services.wanted_services(network):
        objects[service.key] = service
    return State(network.name, objects)


def _ruleset(network: Network, namespace: Namespace, former: Former) -> Object | None:
    set_now = dict(namespace.sysctls)
    known = {name: old for name, old in former.get(namespace.name, {}).items() if name in set_now}
    ends = [end for link in network.links for end in ends_of(link)]
    connected = tuple(
        address.network for end in ends if end.namespace == namespace.name for address in end.addresses
    )
    return wanted_ruleset(namespace, network.name, known, connected)


def build(
    network: Network, comparison: Comparison, machine: Machine, progress: Callable[[Step | str], None]
) -> None:
    """Make the network so, or leave everything as it was: ApplyError or ServiceError says what failed.

    Services that are to end, end first, while their namespace is there; the others are started when
    everything else is.
    """
    if not comparison.steps:
        return
    before = services.read_definitions(network.name)
    original = comparison.found.state
    try:
        services.apply_definitions(network.name, _staying(before, comparison), progress)
        _build_kernel(network, comparison, machine, progress)
        services.apply_services(network, progress)
    except BaseException as error:
        left = restore(network, comparison.found, original, machine)
        services.apply_definitions(network.name, before, progress)
        if isinstance(error, ApplyError):
            # What the undoing could not do, and this could, is not left.
            error.left = left
        raise


def _staying(before: tuple[Definition, ...], comparison: Comparison) -> list[Definition]:
    """Return the services that go on while the network changes: neither they nor their namespaces end."""
    ending = {
        step.old.name for step in comparison.steps if isinstance(step.old, ServiceObject) and step.new is None
    }
    spaces = {
        step.subject.key[1] for step in comparison.steps if step.subject.key[0] == "namespace" and step.old
    }
    return [each for each in before if each.name not in ending and each.namespace not in spaces]


def _build_kernel(
    network: Network, comparison: Comparison, machine: Machine, progress: Callable[[Step | str], None]
) -> None:
    original = comparison.found.state
    for _ in range(_ROUNDS):
        steps = comparison.kernel_steps
        if not steps:
            return
        apply(steps, Change(original, comparison.wanted, comparison.found.former), machine, progress)
        comparison = compare(network, machine)
    if comparison.kernel_steps:
        raise ApplyError(comparison.kernel_steps[0], "the kernel does not keep it")


def restore(
    network: Network, known: Observation, original: State, machine: Machine
) -> list[tuple[Step, str]]:
    """Bring a network's kernel objects back to a former state; return what could not be, with the reason."""
    kept: dict[tuple[str, ...], Object] = {
        key: each for key, each in original.objects.items() if not isinstance(each, ServiceObject)
    }
    left: list[tuple[Step, str]] = []
    for _ in range(_ROUNDS):
        found = observe(network, machine).state
        steps = difference(State(network.name, kept), found)
        if not steps:
            return []
        left = apply_all(steps, Change(found, original, known.former), machine)
    return left


def dismantle(
    network: Network, machine: Machine, progress: Callable[[Step | str], None]
) -> list[tuple[Step, str]]:
    """Remove everything that belongs to a network; return what could not be, with the reason.

    ServiceError where a service's hook failed as it was stopped; everything else is removed then too.
    """
    try:
        services.stop_services(network.name, progress)
    finally:
        found = observe(network, machine, within_owned=False)
        empty = State(network.name, {})
        change = Change(found.state, empty, found.former)
        left = apply_all(difference(empty, found.state), change, machine, progress)
    return left
