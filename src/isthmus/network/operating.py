"""How a step on each kind of object is done: the requests to the kernel, or what else must be called.

Knows the order within one step, nothing of the order of steps and nothing of what happens when one
fails (`applying`).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from isthmus.network import spacemaking, sysctls, tunnels
from isthmus.network.desired import Former
from isthmus.network.difference import Step
from isthmus.network.filtering import FilteringError, apply_ruleset
from isthmus.network.machine import Machine
from isthmus.network.netlink import (
    addresses,
    choosing,
    devices,
    interfaces,
    neighbours,
    queues,
    routes,
    rules,
    wireguard,
)
from isthmus.network.netlink.mark import Mark, condemned_group_of, group_of, protocol_of
from isthmus.network.objects import (
    Address,
    Interface,
    NeighbourObject,
    Queue,
    RouteObject,
    RuleObject,
    Ruleset,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.records import dataclass, replace

FORGIVEN = frozenset({errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL})
"""What the kernel says of something to be removed that is not there."""


LAST = 2
"""The phase of a step that comes after all other steps."""


@dataclass(frozen=True, slots=True)
class Request:
    """An encoded netlink request and the namespace that it is sent in."""

    namespace: str
    payload: bytes


class RefusedError(Exception):
    """What another program had against a step."""


Work = Request | Callable[[], None]


class Operator:
    """Knows how each step is done for one network, going from one state to another.

    `undoing`: an interface that is to be made may be there still, condemned and not yet removed.
    `bundled`: namespaces in which the network's group is removed as it is.
    """

    def __init__(
        self,
        wanted: State,
        machine: Machine,
        former: Former,
        *,
        undoing: bool = False,
        bundled: frozenset[str] = frozenset(),
    ) -> None:
        self._wanted = wanted
        self._former = former
        self._machine = machine
        self._network = wanted.network
        self._protocol = protocol_of(wanted.network)
        self.alias = str(Mark(wanted.network))
        self._undoing = undoing
        self._bundled = bundled
        self._emptied: set[str] = set()
        self._late: set[tuple[str, str]] = set()

    def foresee(self, steps: Sequence[Step]) -> None:
        """Choose the new bridges that stay down for now, to be brought up by a round of its own.

        A bridge that is up hands what each new end says as it comes up (MLD, duplicate address detection,
        router solicitations) to all ports that are there: the kernel's work grows with the square of their
        number. One that something stands on, or in whose namespace routes or neighbours are set, is
        needed earlier.
        """
        made = [step.new for step in steps if step.new is not None]
        beneath = {each.parent for each in made if isinstance(each, Interface)}
        needing = {each.namespace for each in made if isinstance(each, RouteObject | NeighbourObject)}
        self._late = {
            (step.new.namespace, step.new.name)
            for step in steps
            if step.old is None and isinstance(step.new, Interface) and step.new.kind == "bridge"
            if step.new.up and step.new.namespace not in needing
        } - beneath

    def phases(self, step: Step) -> int:
        """Return how many rounds a wave of such steps takes: interfaces are made first, then settled."""
        return 2 if isinstance(step.subject, Interface) else 1

    def comes_to_life(self, step: Step) -> bool:
        """Say whether a step has a last phase, `LAST`, for when the steps on everything else are done."""
        return isinstance(step.new, Interface) and step.new.kind == "wireguard"

    def _is_late(self, interface: Interface) -> bool:
        return (interface.namespace, interface.name) in self._late

    def work(self, step: Step, phase: int) -> Iterator[Work]:
        """Yield what is to be done for a step in one phase; MissingError where what it needs is not there."""
        match step:
            case Step(old, Interface() as new):
                yield from self._interface(old if isinstance(old, Interface) else None, new, phase)
            case Step(Interface() as old, None):
                yield from self._interface_removal(old, phase)
            case Step(SpaceObject() as old, SpaceObject() as new):
                yield partial(self._change_hostname, old, new)
            case Step(old, Ruleset() as new):
                yield partial(self._set_ruleset, new.namespace, new.text)
            case Step(Ruleset() as old, None):
                yield partial(self._set_ruleset, old.namespace, None)
            case _:
                yield from self._setting(step)

    def _interface(self, old: Interface | None, new: Interface, phase: int) -> Iterator[Work]:
        machine, namespace = self._machine, new.namespace
        if phase == LAST:
            yield partial(self._set_tunnel, tunnels.asleep(old, new), new)
        elif old is not None:
            if phase == 0:
                # How a device was is known of what is found: the old one, or the new one in an undoing.
                new = replace(new, before=old.before or new.before)
                new = choosing.chosen(old, new, self._wanted, machine)
                if new.kind == "wireguard" and old.settings != new.settings:
                    yield partial(self._set_tunnel, old, tunnels.asleep(old, new))
                    yield Request(namespace, interfaces.marking(new, self.alias_of(new), machine))
                for payload in interfaces.alteration(old, new, self.alias_of(new), machine):
                    yield Request(namespace, payload)
        elif phase == 0:
            yield from self._making(new)
        else:
            # Before it is brought up: nothing leaves by a tunnel that has no keys.
            if new.kind == "wireguard":
                yield partial(self._set_tunnel, None, tunnels.asleep(None, new))
            for payload in interfaces.settling(
                new, self.alias_of(new), machine, up=new.up and not self._is_late(new)
            ):
                yield Request(namespace, payload)

    def _making(self, new: Interface) -> Iterator[Work]:
        if new.kind == "loopback":
            return
        if new.origin is not None:
            namespace, name = new.origin
            devices.remember(new.origin, self._machine)
            alias = self.alias_of(new)
            payload = interfaces.moving(name, new.name, new.namespace, alias, namespace, self._machine)
            yield Request(namespace, payload)
            return
        if self._undoing:
            reprieve = interfaces.grouping(new, group_of(self._network), self._machine)
            if reprieve is not None:
                yield Request(new.namespace, reprieve)
                return
        peer = self._wanted.objects.get(("interface", *new.peer)) if new.peer else None
        if isinstance(peer, Interface) and self._comes_first(peer, new):
            return
        payload = interfaces.creation(
            new, peer if isinstance(peer, Interface) else None, group_of(self._network), self._machine
        )
        yield Request(interfaces.creation_namespace(new), payload)

    def _comes_first(self, peer: Interface, new: Interface) -> bool:
        """Say whether a pair is made by the request for its other end: the one that sorts first."""
        return peer.key < new.key

    def alias_of(self, interface: Interface) -> str:
        """Return the alias that says whose an interface is, and where it came from."""
        endpoints = dict(interface.settings).get("endpoints")
        told = endpoints if isinstance(endpoints, str) else None
        before = interface.before
        if interface.origin in self._machine.remembered:
            before = self._machine.remembered[interface.origin].before
        return str(Mark(self._network, interface.origin, told, interface.given, before))

    def _interface_removal(self, old: Interface, phase: int) -> Iterator[Work]:
        if old.kind == "loopback":
            return
        if phase == 1:
            if old.origin is not None:
                yield partial(devices.put_back, old, self._machine)
            elif old.namespace not in self._emptied:
                self._emptied.add(old.namespace)
                bundled = old.namespace in self._bundled
                group = group_of(self._network) if bundled else condemned_group_of(self._network)
                yield Request(old.namespace, interfaces.removal(group))
            return
        self._emptied.discard(old.namespace)
        if old.origin is not None:
            namespace, name = old.origin
            home = self._machine.channel(namespace)
            if (old.namespace, old.name) != old.origin and home.index_of(name) is not None:
                # The kernel would move it under the name that it has, and only then refuse the other one.
                raise RefusedError(f"there is another interface {name} in {namespace}")
            # Its mark stays until it is as it was: a crash in between must not lose how that is.
            alias = self.alias_of(old)
            yield Request(
                old.namespace,
                interfaces.moving(old.name, name, namespace, alias, old.namespace, self._machine),
            )
            return
        if old.kind == "bridge" and old.up:
            # One that is up looks at all its ports again for each that goes, and hands what the others
            # say of it to all of them: the kernel's work grows with the square of their number.
            index = self._machine.channel(old.namespace).index_of(old.name)
            if index is not None:
                yield Request(old.namespace, interfaces.lowering(index))
        if old.namespace in self._bundled:
            return
        payload = interfaces.grouping(old, condemned_group_of(self._network), self._machine)
        if payload is not None:
            yield Request(old.namespace, payload)

    def _setting(self, step: Step) -> Iterator[Work]:
        machine, protocol = self._machine, self._protocol
        match step:
            case Step(None, Address() as new):
                yield Request(new.namespace, addresses.adding(new, machine))
            case Step(Address() as old, None):
                yield Request(old.namespace, addresses.removing(old, machine))
            case Step(old, RouteObject() as new):
                payload = routes.adding(new, protocol, machine, replace=old is not None)
                yield Request(new.namespace, payload)
            case Step(RouteObject() as old, None):
                yield Request(old.namespace, routes.removing(old, protocol, machine))
            case Step(_, RuleObject() as new):
                yield Request(new.namespace, rules.adding(new, protocol))
            case Step(RuleObject() as old, None):
                yield Request(old.namespace, rules.removing(old, protocol))
            case Step(old, NeighbourObject() as new):
                payload = neighbours.adding(new, protocol, machine, replace=old is not None)
                yield Request(new.namespace, payload)
            case Step(NeighbourObject() as old, None):
                yield Request(old.namespace, neighbours.removing(old, machine))
            case Step(old, Queue() as new):
                yield Request(new.namespace, queues.setting(new, machine, replace=old is not None))
            case Step(Queue() as old, None):
                yield Request(old.namespace, queues.removing(old, machine))
            case Step(_, Sysctl() as new):
                yield partial(sysctls.write, machine.spaces[new.namespace], new.name, new.value)
            case Step(Sysctl(namespace, name), None) if name in self._former.get(namespace, {}):
                value = self._former[namespace][name]
                yield partial(sysctls.write, machine.spaces[namespace], name, value)
            case _:
                return

    def _change_hostname(self, old: SpaceObject, new: SpaceObject) -> None:
        spacemaking.change_hostname(old, new)
        # Its network namespace is the same one: what is open of it stays open. Without a name the file of
        # one has gone, also where that was there before without a name.
        space = new.space if new.hostname is not None else replace(new.space, uts=None)
        self._machine.spaces[space.name] = space

    def _set_tunnel(self, old: Interface | None, new: Interface) -> None:
        try:
            wireguard.configure(old, new, self._machine)
        except wireguard.WireguardError as error:
            raise RefusedError(str(error)) from error

    def _set_ruleset(self, namespace: str, text: str | None) -> None:
        try:
            self._machine.spaces[namespace].call(apply_ruleset, text, self._network)
        except FilteringError as error:
            raise RefusedError(str(error)) from error
