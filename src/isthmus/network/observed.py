"""What is there now of a network: read from the kernel by the marks that everything of ours carries.

Reads only. What stands in the way of the network (an interface of the same name that is not ours) is
told too, since it has to be known before anything is touched.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

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
from isthmus.network.spaces import NAMED_FOLDER, OWN_FOLDER, Space, why_absent
from isthmus.records import dataclass, field, replace


@dataclass(slots=True)
class Observation:
    """What was found: the network's objects and what is in their way.

    `former` has, for each namespace, what the settings that the network sets were before it set them.
    """

    state: State
    former: dict[str, dict[str, str]] = field(default_factory=dict)
    foreign: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Keys that others have, with a sentence that says what is there."""
    absent: dict[str, str] = field(default_factory=dict)
    """Namespaces that the file attaches to and that cannot be had, each with the reason."""
    bundled: frozenset[str] = frozenset()
    """Namespaces in which the network's group is exactly what was made for it."""


def observe(
    network: Network, machine: Machine, *, within_owned: bool = True, known: State | None = None
) -> Observation:
    """Read everything of a network. OSError where a namespace may not be entered.

    What is in the network's own namespaces can be left out, devices that were moved in apart: for `down`
    it all ends with them. What is `known`, made a moment ago, is taken as it is, whole namespaces of it.
    """
    return _Observer(network, machine, known).read(within_owned=within_owned)


class _Observer:
    def __init__(self, network: Network, machine: Machine, known: State | None) -> None:
        self._network = network
        self._known = known.objects if known is not None else {}
        self._machine = machine
        self._protocol = protocol_of(network.name)
        self._readings: dict[str, Reading] = {}
        self._marks: dict[str, dict[str, Mark]] = {}
        self._owned: set[str] = set()
        self._folders: dict[Path, frozenset[str]] = {}
        self._sharing = Sharing(network)
        self._found = Observation(State(network.name, {}))

    def read(self, *, within_owned: bool) -> Observation:
        self._found.state.objects.update(self._known)
        if not self._known:
            names = (each.name for each in self._network.namespaces if is_owned(each))
            self._machine.open_all(names, filtering=within_owned)
        for namespace in all_namespaces(self._network):
            if namespace.name == OUTSIDE:
                continue
            if ("namespace", namespace.name) in self._known:
                continue
            space = self._machine.spaces[namespace.name]
            owned = is_owned(namespace)
            refused: PermissionError | None = None
            try:
                if self._look_at(space, owned=owned):
                    continue
            except PermissionError as error:
                if owned or not within_owned:
                    raise
                refused = error
            if owned:
                self._look_elsewhere(space)
            else:
                self._found.absent[namespace.name] = why_absent(space.net, refused)
        self._found.absent.update(_twins(self._network, self._machine))
        # Not what the machine knows: that is also what was a stray when it was looked at before.
        for space in self._strays():
            self._machine.place(space)
            if not self._look_at(space, owned=True, stray=True):
                del self._machine.spaces[space.name]
        network = self._network.name
        self._found.bundled = frozenset(
            name
            for name, each in self._readings.items()
            if name not in self._owned and each.is_bundled(network)
        )
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

    def _strays(self) -> Iterator[Space]:
        """Yield namespaces that may be the network's and are not in its file (any more)."""
        names = {each.name for each in all_namespaces(self._network)}
        for folder in (OWN_FOLDER / "net" / self._network.name, NAMED_FOLDER):
            for name in sorted(self._listed(folder) - names):
                yield Space(name, folder / name)

    def _look_elsewhere(self, space: Space) -> None:
        """Find a namespace that the file used to name and does not any more, or the other way round."""
        for folder in (NAMED_FOLDER, OWN_FOLDER / "net" / self._network.name):
            if space.name not in self._listed(folder) or folder == space.net.parent:
                continue
            former = replace(space, net=folder / space.name)
            self._machine.place(former)
            if self._look_at(former, owned=True, stray=True):
                return
            self._machine.place(space)

    def _listed(self, folder: Path) -> frozenset[str]:
        """Return what is in a folder of namespaces, looked at once."""
        if folder not in self._folders:
            try:
                self._folders[folder] = frozenset(os.listdir(folder))
            except (FileNotFoundError, NotADirectoryError):
                self._folders[folder] = frozenset()
        return self._folders[folder]

    def _look_at(self, space: Space, *, owned: bool, stray: bool = False) -> bool:
        """Read a namespace's interfaces; False where it is none of the network's."""
        if owned and space.name not in self._listed(space.net.parent):
            return False
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
            self._machine.spaces[space.name] = found if hostname is not None else replace(found, uts=None)
            self._add(SpaceObject(found, hostname))
        self._readings[space.name] = reading
        self._marks[space.name] = marks
        return True

    def _add(self, each: Object) -> None:
        self._found.state.objects[each.key] = each

    def _read_interfaces(self, *, within_owned: bool) -> None:
        # What all goes needs not be told apart by what it is connected to.
        known = self._readings if within_owned else {}
        resolver = _Relations(known, Identifiers(self._machine), self._known)
        for name, reading in self._readings.items():
            marks = self._marks[name]
            passed_over = not within_owned and name in self._owned
            if passed_over and all(mark.origin is None for mark in marks.values()):
                continue
            ports = reading.ports() if reading.has_bridge() else {}
            for interface in reading.names.values():
                mark = marks.get(interface)
                if passed_over and (mark is None or mark.origin is None):
                    continue
                found = reading.interface(interface)
                if found is None or (found.kind == "loopback" and name not in self._owned):
                    continue
                if mark is None:
                    text = f"an interface {interface} in {name} that does not belong to {self._network.name}"
                    self._found.foreign[found.key] = text
                    continue
                found = resolver.resolved(found) if within_owned else found
                if mark.origin is not None or interface in ports or mark.given:
                    found = replace(
                        found,
                        port=ports.get(interface),
                        origin=mark.origin,
                        given=mark.given,
                        before=mark.before,
                    )
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


def _twins(network: Network, machine: Machine) -> dict[str, str]:
    """Return attached namespaces that the file has under another name too, with a sentence that says so."""
    attached = [each.name for each in network.namespaces if each.attach is not None]
    if not attached:
        return {}
    met: dict[tuple[int, int], str] = {}
    told: dict[str, str] = {}
    others = [each.name for each in all_namespaces(network) if each.name not in (OUTSIDE, *attached)]
    for name in (*others, *attached):
        with suppress(OSError):
            found = machine.spaces[name].net.stat()
            first = met.setdefault((found.st_dev, found.st_ino), name)
            if first != name:
                told[name] = f"is the same namespace as {first}: use that name alone"
    return told


class _Relations:
    """Finds peers and parents that stand in other namespaces."""

    def __init__(
        self, readings: dict[str, Reading], identifiers: Identifiers, known: dict[tuple[str, ...], Object]
    ) -> None:
        self._readings = readings
        self._far = {
            each.peer: (each.namespace, each.name)
            for each in known.values()
            if isinstance(each, Interface) and each.peer is not None
        }
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
        if found.kind == "veth" and (found.namespace, found.name) in self._far:
            # Made by one request with an end that is known.
            return replace(found, peer=self._far[found.namespace, found.name])
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
    """Describe a namespace with the host name that it has, where it has one of its own.

    With the file alone it has none: a crash left it of a UTS namespace that was about to be made.
    """
    uts = OWN_FOLDER / "uts" / network / space.name
    if not uts.exists():
        return replace(space, uts=None), None
    found = replace(space, uts=uts)
    if uts.stat().st_dev == uts.parent.stat().st_dev:
        return found, None
    return found, found.call(socket.gethostname)
