"""What is there now of a network: read from the kernel by the marks that everything of ours carries.

Reads only. What stands in the way of the network (an interface of the same name that is not ours) is
told too, since it has to be known before anything is touched.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from isthmus.network import sysctls
from isthmus.network.desired import all_namespaces, is_owned
from isthmus.network.difference import default_of_setting
from isthmus.network.filtering import read_former, read_ruleset, table_name
from isthmus.network.machine import Machine
from isthmus.network.model import OUTSIDE, Network
from isthmus.network.netlink import addresses, neighbours, queues, routes, rules, wireguard
from isthmus.network.netlink.identifiers import Identifiers
from isthmus.network.netlink.mark import Mark, protocol_of
from isthmus.network.netlink.reading import Reading
from isthmus.network.objects import Interface, Object, Ruleset, SpaceObject, State, Sysctl
from isthmus.network.sharing import Numbered, Sharing
from isthmus.network.spaces import NAMED_FOLDER, OWN_FOLDER, Space


@dataclass(slots=True)
class Observation:
    """What was found: the network's objects and what is in their way.

    `former` has, for each namespace, what the settings that the network sets were before it set them.
    """

    state: State
    former: dict[str, dict[str, str]] = field(default_factory=dict)
    foreign: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Keys that others have, with a sentence that says what is there."""
    absent: tuple[str, ...] = ()
    """Namespaces that the file attaches to and that are not there."""


def observe(
    network: Network, machine: Machine, *, within_owned: bool = True, plain: AbstractSet[str] = frozenset()
) -> Observation:
    """Read everything of a network. OSError where a namespace may not be entered.

    What is in the network's own namespaces can be left out, devices that were moved in apart: for `down`
    it all ends with them. In `plain` namespaces, made a moment ago, neither neighbours nor rules nor filters
    are looked for: half of the requests.
    """
    return _Observer(network, machine, plain).read(within_owned=within_owned)


class _Observer:
    def __init__(self, network: Network, machine: Machine, plain: AbstractSet[str]) -> None:
        self._network = network
        self._plain = plain
        self._machine = machine
        self._protocol = protocol_of(network.name)
        self._readings: dict[str, Reading] = {}
        self._marks: dict[str, dict[str, Mark]] = {}
        self._owned: set[str] = set()
        self._sharing = Sharing(network)
        self._found = Observation(State(network.name, {}))

    def read(self, *, within_owned: bool) -> Observation:
        absent = []
        self._machine.open_all(each.name for each in self._network.namespaces if is_owned(each))
        for namespace in all_namespaces(self._network):
            if namespace.name == OUTSIDE:
                continue
            space = self._machine.spaces[namespace.name]
            owned = is_owned(namespace)
            if self._look_at(space, owned=owned):
                continue
            if owned:
                self._look_elsewhere(space)
            else:
                absent.append(namespace.name)
        # Not what the machine knows: that is also what was a stray when it was looked at before.
        known = (each.name for each in all_namespaces(self._network))
        for space in _strays(self._network.name, known):
            self._machine.place(space)
            if not self._look_at(space, owned=True, stray=True):
                del self._machine.spaces[space.name]
        self._found.absent = tuple(absent)
        if within_owned:
            self._foresee_settings()
        self._read_interfaces(within_owned=within_owned)
        for name in self._readings:
            if within_owned or name not in self._owned:
                self._read_rest(name)
        return self._found

    def _foresee_settings(self) -> None:
        """Find what settings are in a namespace that is yet to be made, before the network sets them."""
        missing = [
            each
            for each in self._network.namespaces
            if each.sysctls and is_owned(each) and each.name not in self._readings
        ]
        if not missing:
            return
        names = tuple({name for each in missing for name, _ in each.sysctls})
        try:
            every = sysctls.read_new(names)
        except OSError:
            # No namespace may be made: `apply` tells why, when it cannot make those of the network.
            return
        for each in missing:
            known = (name for name, _ in each.sysctls if name in every)
            self._found.former[each.name] = {name: every[name] for name in known}

    def _look_elsewhere(self, space: Space) -> None:
        """Find a namespace that the file used to name and does not any more, or the other way round."""
        folders = (NAMED_FOLDER, OWN_FOLDER / "net" / self._network.name)
        for net in (folder / space.name for folder in folders):
            former = replace(space, net=net)
            if net == space.net or not net.exists():
                continue
            self._machine.place(former)
            if self._look_at(former, owned=True, stray=True):
                return
            self._machine.place(space)

    def _look_at(self, space: Space, *, owned: bool, stray: bool = False) -> bool:
        """Read a namespace's interfaces; False where it is none of the network's."""
        try:
            reading = Reading(space.name, self._machine.channel(space.name))
        except OSError as error:
            # No file, or one that no namespace is mounted on: left of one that was made half.
            if error.errno in (errno.ENOENT, errno.EINVAL):
                return False
            raise
        marks = reading.marks(self._network.name)
        if stray or not owned:
            self._sharing.meet(mark.network for mark in reading.all_marks().values())
        if owned:
            if "lo" not in marks:
                if not stray:
                    text = f"a namespace {space.name} that does not belong to {self._network.name}"
                    self._found.foreign["namespace", space.name] = text
                return False
            self._owned.add(space.name)
            found, hostname = _with_hostname(space, self._network.name)
            # As it is, not as the file has it: without a host name so far, or with one no longer wanted.
            self._machine.spaces[space.name] = found
            self._add(SpaceObject(found, hostname))
        self._readings[space.name] = reading
        self._marks[space.name] = marks
        return True

    def _add(self, each: Object) -> None:
        self._found.state.objects[each.key] = each

    def _read_interfaces(self, *, within_owned: bool) -> None:
        resolver = _Relations(self._readings, Identifiers(self._machine))
        for name, reading in self._readings.items():
            marks = self._marks[name]
            ports = reading.ports() if reading.has_bridge() else {}
            for interface in reading.names.values():
                found = reading.interface(interface)
                if found is None or (found.kind == "loopback" and name not in self._owned):
                    continue
                mark = marks.get(interface)
                if not within_owned and name in self._owned and (mark is None or mark.origin is None):
                    continue
                if mark is None:
                    text = f"an interface {interface} in {name} that does not belong to {self._network.name}"
                    self._found.foreign[found.key] = text
                    continue
                found = replace(resolver.resolved(found), port=ports.get(interface), origin=mark.origin)
                if mark.origin is not None:
                    # Whatever it is by itself, a pair's end for instance: it was there before.
                    found = replace(found, kind="device", settings=(), peer=None, parent=None)
                elif found.kind == "wireguard":
                    found = replace(found, settings=(("endpoints", mark.endpoints),))
                    found = wireguard.read(found, self._machine)
                self._add(found)

    def _read_rest(self, name: str) -> None:
        reading, channel = self._readings[name], self._machine.channel(name)
        ours = {index: each for index, each in reading.names.items() if each in self._marks[name]}
        names = {index: each for index, each in ours.items() if each != "lo"}
        if names:
            read: tuple[Object, ...] = (
                *addresses.reading(name, names, channel),
                *(queues.reading(name, names, channel) if reading.is_shaped() else ()),
            )
            for found in read:
                self._add(found)
        self._add_ours(name, routes.reading(name, reading.names, self._protocol, channel))
        if name in self._plain:
            return
        if names:
            self._add_ours(name, neighbours.reading(name, reading.names, self._protocol, channel))
        self._add_ours(name, rules.reading(name, self._protocol, channel))
        self._read_filtering(name)

    def _add_ours(self, namespace: str, found: Iterable[Numbered]) -> None:
        """Add what carries our number, but what is another network's of the same number."""
        marks = {} if namespace in self._owned else self._readings[namespace].all_marks()
        for each in found:
            if namespace in self._owned or self._sharing.is_ours(each, marks):
                self._add(each)

    def _read_filtering(self, name: str) -> None:
        space = self._machine.spaces[name]
        former: dict[str, str] = {}
        if self._machine.has_table(name, table_name(self._network.name)):
            text = space.call(read_ruleset, self._network.name)
            if text is not None:
                self._add(Ruleset(name, text))
                former = space.call(read_former, self._network.name)
        wanted = tuple(
            setting for each in self._network.namespaces if each.name == name for setting, _ in each.sysctls
        )
        if not former and not wanted:
            return
        defaults = {setting: default_of_setting(setting) or setting for setting in wanted}
        current = sysctls.read(space, (*former, *wanted, *defaults.values()))
        for setting in former:
            if setting in current:
                self._add(Sysctl(name, setting, current[setting]))
        # An interface that is not there yet has the defaults before it is given anything else.
        new = {setting: current.get(setting, current.get(default)) for setting, default in defaults.items()}
        known = {setting: value for setting, value in new.items() if value is not None}
        self._found.former[name] = {**known, **former}


class _Relations:
    """Finds peers and parents that stand in other namespaces."""

    def __init__(self, readings: dict[str, Reading], identifiers: Identifiers) -> None:
        self._readings = readings
        self._identifiers = identifiers
        self._pairs: dict[tuple[int, int], list[tuple[str, str]]] = {}
        for namespace, reading in readings.items():
            for index, name in reading.names.items():
                beneath = reading.beneath(index)
                if beneath is not None:
                    self._pairs.setdefault((index, beneath[0]), []).append((namespace, name))

    def resolved(self, found: Interface) -> Interface:
        """Return an interface with its peer or parent filled in, where that can be found."""
        reading = self._readings[found.namespace]
        index = reading.index(found.name)
        beneath = reading.beneath(index) if index is not None else None
        if index is None or beneath is None or beneath[1] is None:
            return found
        below, identifier = beneath[0], beneath[1]
        if found.kind == "veth":
            candidates = [each for each in self._pairs.get((below, index), []) if each[0] != found.namespace]
            if len(candidates) > 1:
                name = self._identifiers.named(found.namespace, identifier, [each[0] for each in candidates])
                candidates = [each for each in candidates if each[0] == name]
            return replace(found, peer=candidates[0] if candidates else None)
        having = [name for name, other in self._readings.items() if below in other.names]
        name = self._identifiers.named(found.namespace, identifier, having)
        return replace(found, parent=(name, self._readings[name].names[below]) if name else None)


def _with_hostname(space: Space, network: str) -> tuple[Space, str | None]:
    """Describe a namespace with the host name that it has, where it has one of its own."""
    uts = OWN_FOLDER / "uts" / network / space.name
    if not uts.exists():
        return replace(space, uts=None), None
    found = replace(space, uts=uts)
    return found, found.call(socket.gethostname)


def _strays(network: str, known: Iterable[str]) -> Iterator[Space]:
    """Yield namespaces that may be the network's and are not in its file (any more)."""
    names = set(known)
    for folder in (OWN_FOLDER / "net" / network, NAMED_FOLDER):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in names:
                yield Space(path.name, path)
