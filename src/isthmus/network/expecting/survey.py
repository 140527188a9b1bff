"""What one check knows: the network, its namespaces, facts read once, listeners shared by all.

Also turns the target of an expectation into addresses to try.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TypeVar

from isthmus.network.expecting import facts
from isthmus.network.expecting.facts import SpaceFacts
from isthmus.network.expecting.listener import Listeners
from isthmus.network.expecting.sockets import Tables
from isthmus.network.expecting.verdict import IpAddress, error_words
from isthmus.network.model import HOST, OUTSIDE, Namespace, Network, Target
from isthmus.network.spaces import OUTSIDE_PATH, Space, host_path
from isthmus.records import dataclass

_ADDRESSES = 8
"""Addresses of a namespace that are tried before it counts as cut off."""


Made = TypeVar("Made")


class AbsentError(Exception):
    """A namespace that an expectation speaks of is not there, or may not be entered."""


@dataclass(frozen=True, slots=True)
class Aim:
    """An address to try. `owners` are the namespaces that have it; `named` that one of them was asked for."""

    address: IpAddress
    owners: tuple[str, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection to an aim should end, after the forwarding that the network's file asks for."""

    namespace: str
    address: IpAddress
    port: int


class Survey:
    """Shared by the threads of one check."""

    def __init__(self, network: Network, spaces: Mapping[str, Space], listeners: Listeners) -> None:
        self.network = network
        self.listeners = listeners
        self.tables = Tables()
        self.namespaces: dict[str, Namespace] = {each.name: each for each in network.namespaces}
        reserved = {HOST: Space(HOST, host_path()), OUTSIDE: Space(OUTSIDE, OUTSIDE_PATH)}
        self._spaces = reserved | dict(spaces)
        self._facts: dict[str, SpaceFacts | OSError] = {}
        self._locks = {name: threading.Lock() for name in self._spaces}
        self._shared: dict[Hashable, object] = {}
        self._shared_locks: dict[Hashable, threading.Lock] = {}

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made under a key, making it the first time: attempts of one aim share it."""
        with self._shared_locks.setdefault(key, threading.Lock()):
            if key not in self._shared:
                self._shared[key] = make()
            found: Made = self._shared[key]  # type: ignore[assignment]
            return found

    def space(self, name: str) -> Space:
        """Return a namespace; AbsentError where the network has none of that name."""
        try:
            return self._spaces[name]
        except KeyError:
            raise AbsentError(f"the network has no namespace {name}") from None

    def facts(self, name: str) -> SpaceFacts:
        """Return what the kernel says of a namespace, as of the first time that it was asked."""
        space = self.space(name)
        with self._locks[name]:
            if name not in self._facts:
                try:
                    self._facts[name] = facts.read(space)
                except OSError as error:
                    self._facts[name] = error
            found = self._facts[name]
        if isinstance(found, OSError):
            raise AbsentError(
                f"namespace {name} is absent ({error_words(found)}): `isthmus net apply` makes it"
            )
        return found

    def owners(self, address: IpAddress) -> tuple[str, ...]:
        """Return the namespaces that have an address, in the file's order."""
        return self.once("owners", self._index).get(address, ())

    def _index(self) -> dict[IpAddress, tuple[str, ...]]:
        """Read every namespace there is, once: hundreds of expectations ask who has an address."""
        found: dict[IpAddress, dict[Path, str]] = {}
        for name, space in self._spaces.items():
            try:
                held = self.facts(name).addresses
            except AbsentError:
                continue
            for each in held:
                # With root, `host` and `outside` are one namespace.
                found.setdefault(each.address.ip, {}).setdefault(space.net, name)
        return {address: tuple(names.values()) for address, names in found.items()}

    def aims(self, source: str, target: Target) -> tuple[Aim, ...]:
        """Return the addresses to try for a target, best first: IPv4 before IPv6, near before far."""
        own = self.facts(source)
        if target.address is not None:
            mine = own.carrying(target.address) is not None or target.address.is_loopback
            return (Aim(target.address, (source,) if mine else self.owners(target.address)),)
        name = target.name or ""
        found = self.facts(name)
        usable = [each.address.ip for each in found.reachable]
        if name == source:
            usable = usable or [each.address.ip for each in found.addresses if each.address.ip.is_loopback]
        else:
            # An address that the source has too would be answered by the source itself.
            usable = [address for address in usable if own.carrying(address) is None]
        ordered = sorted(usable, key=lambda address: (address.version, self._distance(own, address)))
        return tuple(Aim(address, (name,), named=True) for address in ordered[:_ADDRESSES])

    def _distance(self, own: SpaceFacts, address: IpAddress) -> int:
        if any(address in each.address.network for each in own.addresses):
            return 0
        return 2 if facts.route(self.space(own.name), address).refusal else 1

    def places(self, aim: Aim, protocol: str, port: int) -> tuple[Place, ...]:
        """Return where connections to an aim should end."""
        return tuple(
            place for owner in aim.owners for place in self._ends(owner, aim.address, protocol, port)
        )

    def _ends(self, owner: str, address: IpAddress, protocol: str, port: int) -> tuple[Place, ...]:
        namespace = self.namespaces.get(owner)
        nat = namespace.nat if namespace else None
        for forward in nat.forwards if nat else ():
            listen = forward.listen
            if listen.protocol == protocol and listen.first <= port <= listen.last:
                if forward.address not in (None, address):
                    continue
                to_port = port if forward.to_port is None else forward.to_port
                return tuple(Place(name, forward.to, to_port) for name in self.owners(forward.to))
        return (Place(owner, address, port),)
