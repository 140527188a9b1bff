"""A network compared with what is there, and made so: what `plan`, `apply` and `down` do.

Prints nothing and knows no argv; `command` does.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from isthmus.network import services
from isthmus.network.applying import ApplyError, Change, apply, apply_all
from isthmus.network.desired import Former, all_namespaces, desired, ends_of, is_owned
from isthmus.network.difference import Step, difference
from isthmus.network.filtering import interception_objects, wanted_ruleset
from isthmus.network.machine import Machine
from isthmus.network.model import OUTSIDE, Namespace, Network
from isthmus.network.objects import (
    NeighbourObject,
    Object,
    RuleObject,
    Ruleset,
    ServiceObject,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.network.observed import Observation, observe
from isthmus.network.services import Definition
from isthmus.network.spacemaking import sweep
from isthmus.network.spaces import locate

IpNetwork = IPv4Network | IPv6Network

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


def compare(network: Network, machine: Machine, *, plain: AbstractSet[str] = frozenset()) -> Comparison:
    """Compare a network with what is there. Changes nothing. `plain`: see `observe`."""
    found = observe(network, machine, plain=plain)
    for each in services.read_services(network.name):
        found.state.objects[each.key] = each
    wanted = wanted_state(network, found.former)
    return Comparison(wanted, found, tuple(difference(wanted, found.state)))


def wanted_state(network: Network, former: Former) -> State:
    """Return all objects of a network; `former` has what its sysctls were before it set them."""
    objects: dict[tuple[str, ...], Object] = dict(desired(network).objects)
    connected = _connected(network)
    for namespace in all_namespaces(network):
        if namespace.name == OUTSIDE:
            continue
        for each in interception_objects(namespace):
            objects[each.key] = each
        ruleset = _ruleset(network, namespace, former, connected.get(namespace.name, ()))
        if ruleset is not None:
            objects[ruleset.key] = ruleset
    for service in services.wanted_services(network):
        objects[service.key] = service
    return State(network.name, objects)


def _ruleset(
    network: Network, namespace: Namespace, former: Former, connected: Sequence[IpNetwork]
) -> Object | None:
    set_now = dict(namespace.sysctls)
    known = {name: old for name, old in former.get(namespace.name, {}).items() if name in set_now}
    return wanted_ruleset(namespace, network.name, known, tuple(connected))


def _connected(network: Network) -> dict[str, list[IpNetwork]]:
    """Return, for each namespace, the networks that its own addresses are in."""
    found: dict[str, list[IpNetwork]] = {}
    for link in network.links:
        for end in ends_of(link):
            found.setdefault(end.namespace, []).extend(address.network for address in end.addresses)
    return found


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
        if isinstance(error, ApplyError):
            # What the undoing could not do, and this could, is not left.
            error.left = left
        try:
            services.apply_definitions(network.name, before, progress)
        except services.ServiceError as trouble:
            # What failed first is what is told first.
            error.add_note(f"the services could not be put back: {trouble}")
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
    plain = _plain(comparison)
    for _ in range(_ROUNDS):
        steps = comparison.kernel_steps
        if not steps:
            return
        apply(steps, Change(original, comparison.wanted, comparison.found.former), machine, progress)
        comparison = compare(network, machine, plain=plain)
    if comparison.kernel_steps:
        raise ApplyError(comparison.kernel_steps[0], "the kernel does not keep it")


def _plain(comparison: Comparison) -> set[str]:
    """Return the namespaces that are made now and that get links, addresses and routes alone."""
    made = {step.new.space.name for step in comparison.steps if isinstance(step.new, SpaceObject)}
    kept = {step.old.space.name for step in comparison.steps if isinstance(step.old, SpaceObject)}
    others = (NeighbourObject, RuleObject, Ruleset, Sysctl)
    busy = {each.namespace for each in comparison.wanted.objects.values() if isinstance(each, others)}
    return made - kept - busy


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
        sweep(locate(each, network.name) for each in network.namespaces if is_owned(each))
    return left
