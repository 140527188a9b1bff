"""A network compared with what is there, and made so: what `plan`, `apply` and `down` do.

Prints nothing and knows no argv; `command` does.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from isthmus.network import services
from isthmus.network.applying import ApplyError, Change, apply, apply_all
from isthmus.network.describing import describe, sign
from isthmus.network.desired import Former, all_namespaces, desired, ends_of, is_owned
from isthmus.network.difference import Step, difference, satisfies
from isthmus.network.filtering import interception_objects, wanted_ruleset
from isthmus.network.machine import Machine
from isthmus.network.model import OUTSIDE, Namespace, Network
from isthmus.network.netlink import interfaces
from isthmus.network.netlink.reading import Reading
from isthmus.network.objects import (
    Address,
    Interface,
    Object,
    RouteObject,
    ServiceObject,
    SpaceObject,
    State,
)
from isthmus.network.observed import Observation, observe
from isthmus.network.spacemaking import sweep
from isthmus.network.spaces import locate
from isthmus.records import dataclass, replace

if TYPE_CHECKING:
    from isthmus.network.services import Definition

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


def compare(
    network: Network, machine: Machine, *, known: State | None = None, before: Comparison | None = None
) -> Comparison:
    """Compare a network with what is there. Changes nothing.

    `known`: see `observe`. `before` is an earlier comparison of the same network, whose wanted state
    holds still unless other former settings were found.
    """
    found = observe(network, machine, known=known)
    for each in services.read_services(network.name):
        found.state.objects[each.key] = each
    if before is not None and before.found.former == found.former:
        wanted = before.wanted
    else:
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
        else:
            for step, reason in left:
                error.add_note(f"could not do `{sign(step)} {describe(step)}` as it was undone: {reason}")
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
        step.old.space.name
        for step in comparison.steps
        if isinstance(step.old, SpaceObject) and step.new is None
    }
    return [each for each in before if each.name not in ending and each.namespace not in spaces]


def _build_kernel(
    network: Network, comparison: Comparison, machine: Machine, progress: Callable[[Step | str], None]
) -> None:
    original = comparison.found.state
    known = _known(comparison)
    tell = progress
    for _ in range(_ROUNDS):
        steps = comparison.kernel_steps
        if not steps:
            return
        apply(steps, Change(original, comparison.wanted, comparison.found.former), machine, tell)
        if all(_comes_up(step) for step in steps):
            return
        comparison = compare(network, machine, known=known, before=comparison)
        if all(_comes_up(step) for step in comparison.kernel_steps):
            # Told already, as the bridge was made.
            tell = _silent
    if comparison.kernel_steps:
        raise ApplyError(comparison.kernel_steps[0], "the kernel does not keep it")


def _silent(_: Step | str) -> None:
    return None


def _comes_up(step: Step) -> bool:
    """Say whether a step brings a bridge up and does nothing else: there is nothing to look at again then.

    What all its ports say to each other from then on (MLD, duplicate address detection) keeps the kernel
    busy, which is why `apply` leaves it to the last.
    """
    match step:
        case Step(Interface(kind="bridge") as old, Interface() as new):
            return not old.up and satisfies(replace(old, up=True), new)
        case _:
            return False


def _known(comparison: Comparison) -> State:
    """Return what is not looked at again: namespaces made now that get ends, addresses and routes alone.

    The kernel has said yes to each request, nobody else knows these namespaces yet, and no request in them
    can have taken along what another one made: there was nothing to change or to remove.
    """
    made = {step.new.space.name for step in comparison.steps if isinstance(step.new, SpaceObject)}
    kept = {step.old.space.name for step in comparison.steps if isinstance(step.old, SpaceObject)}
    wanted = comparison.wanted.objects
    busy = {_namespace_of(each) for each in wanted.values() if not _is_plain(each)}
    below = {each.parent[0] for each in wanted.values() if isinstance(each, Interface) and each.parent}
    quiet = made - kept - busy - below
    return State(
        comparison.wanted.network,
        {key: each for key, each in wanted.items() if _namespace_of(each) in quiet},
    )


def _is_plain(each: Object) -> bool:
    match each:
        case Interface(kind=kind, origin=origin, port=port):
            return kind in ("loopback", "veth") and origin is None and port is None
        case SpaceObject() | ServiceObject() | Address() | RouteObject():
            return True
        case _:
            return False


def _namespace_of(each: Object) -> str | None:
    match each:
        case SpaceObject(space):
            return space.name
        case ServiceObject():
            return None
        case _:
            return each.namespace


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
        _quieten(network, machine)
        found = observe(network, machine, within_owned=False)
        empty = State(network.name, {})
        change = Change(found.state, empty, found.former, found.bundled)
        left = apply_all(difference(empty, found.state), change, machine, progress)
        sweep(locate(each, network.name) for each in network.namespaces if is_owned(each))
    return left


def _quieten(network: Network, machine: Machine) -> None:
    """Bring a network's bridges down before anything is read or removed.

    What ports say to each other, above all in the first seconds, is handed to all of them: the kernel's
    locks and processors are then busy with that while many namespaces are looked at. What fails here is
    told as the bridge is removed.
    """
    for namespace in all_namespaces(network):
        if is_owned(namespace) or namespace.name == OUTSIDE:
            continue
        with suppress(OSError):
            channel = machine.channel(namespace.name)
            bridges = Reading(namespace.name, channel, bridges_alone=True).bridges_up(network.name)
            channel.change([interfaces.lowering(index) for index in bridges])
