"""One connection (or datagram) from a namespace to an address, and where it ended. Judges nothing."""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import struct
import time

from isthmus.network.expecting import sockets
from isthmus.network.expecting.echo import FAMILY, saw, witness
from isthmus.network.expecting.listener import Listener, Occupied, read_greeting
from isthmus.network.expecting.survey import Aim, Place, Survey
from isthmus.network.expecting.verdict import SILENCE, IpAddress, error_words
from isthmus.network.spaces import Space
from isthmus.records import dataclass

_RESET = struct.pack("ii", 1, 0)
_ARRIVAL = 0.3
"""Seconds until an established connection must show in the far end's table."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What waits at the places where a connection should end."""

    ours: tuple[Listener, ...] = ()
    real: tuple[Place, ...] = ()
    unusable: str = ""

    def has(self, identity: str) -> bool:
        """Say whether a greeting is that of one of our listeners."""
        return any(listener.identity == identity for listener in self.ours)


@dataclass(frozen=True, slots=True)
class Contact:
    """What came of an attempt. `seconds` is None where nobody answered; then `error` says what happened.

    `seen` is the address that the far end saw. `arrived`: it ended where it should; None: not known.
    `ours`: a listener of our own answered. `unproved`: datagrams went out, and nothing is known of them.
    """

    seconds: float | None
    error: str = ""
    seen: IpAddress | None = None
    arrived: bool | None = None
    ours: bool = False
    unproved: bool = False


def prepare(survey: Survey, aim: Aim, protocol: str, port: int) -> Stand:
    """See to it that something listens wherever a connection to an aim should end."""
    ours: list[Listener] = []
    real: list[Place] = []
    unusable = ""
    for place in survey.places(aim, protocol, port):
        found = survey.listeners.at(survey.space(place.namespace), protocol, place.address, place.port)
        match found:
            case Listener():
                ours.append(found)
            case Occupied(taken=True):
                real.append(place)
            case Occupied(reason=reason):
                unusable = reason
    return Stand(tuple(ours), tuple(real), unusable)


def connect(space: Space, address: IpAddress, port: int, patience: float) -> socket.socket:
    """Open a TCP connection from a namespace; OSError where it fails within `patience` seconds."""
    made = space.call(socket.socket, FAMILY[address.version], socket.SOCK_STREAM)
    try:
        made.settimeout(patience)
        made.connect((str(address), port))
    except OSError:
        made.close()
        raise
    return made


def tcp(survey: Survey, source: str, aim: Aim, port: int, patience: float) -> Contact:
    """Connect, and find out who answered and what address it saw."""
    stand = prepare(survey, aim, "tcp", port)
    before = {place: _connections(survey, place) for place in stand.real}
    started = time.monotonic()
    try:
        made = connect(survey.space(source), aim.address, port, patience)
    except OSError as error:
        return Contact(None, error_words(error))
    taken = time.monotonic() - started
    # Ended by a reset: a check leaves no connections behind in TIME_WAIT.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with made:
        if stand.ours:
            return _greeted(made, stand, taken, patience)
        if stand.real:
            seen = _found(survey, before, made.getsockname()[1])
            return Contact(taken, seen=seen, arrived=seen is not None)
    return Contact(taken)


def _greeted(made: socket.socket, stand: Stand, taken: float, patience: float) -> Contact:
    made.settimeout(patience)
    text = b""
    with contextlib.suppress(OSError):
        text = made.recv(256)
    greeting = read_greeting(text)
    if greeting is None or not stand.has(greeting[0]):
        return Contact(taken, arrived=False)
    return Contact(taken, seen=greeting[1], arrived=True, ours=True)


_Connections = frozenset[tuple[IpAddress, int]]


def _connections(survey: Survey, place: Place) -> _Connections:
    table = sockets.table(survey.space(place.namespace), "tcp")
    return frozenset((each.remote, each.remote_port) for each in table if _is_to(place, each))


def _is_to(place: Place, fact: sockets.SocketFact) -> bool:
    return fact.port == place.port and not fact.listens


def _found(survey: Survey, before: dict[Place, _Connections], own_port: int) -> IpAddress | None:
    """Return the remote address of the connection that is new at one of the places, once it shows."""
    deadline = time.monotonic() + _ARRIVAL
    while True:
        new = [each for place, old in before.items() for each in _connections(survey, place) - old]
        # Translation keeps the port where it can, so that of several new ones this one is told apart.
        new.sort(key=lambda each: each[1] != own_port)
        if new:
            return new[0][0]
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)


def udp(survey: Survey, source: str, aim: Aim, port: int, patience: float) -> Contact:
    """Send datagrams until one is answered, or seen to arrive, or refused."""
    stand = prepare(survey, aim, "udp", port)
    watched = (survey.space(place.namespace) for place in stand.real)
    observers = [witness(space, aim.address.version, socket.IPPROTO_UDP) for space in watched]
    try:
        made = survey.space(source).call(socket.socket, FAMILY[aim.address.version], socket.SOCK_DGRAM)
        with made:
            made.connect((str(aim.address), port))
            return _exchange(made, stand, [each for each in observers if each], patience)
    except OSError as error:
        return Contact(None, error_words(error))
    finally:
        for each in observers:
            if each is not None:
                each.close()


def _exchange(made: socket.socket, stand: Stand, observers: list[socket.socket], patience: float) -> Contact:
    token = secrets.token_hex(8).encode()
    deadline = time.monotonic() + patience
    gap = 0.05
    while time.monotonic() < deadline:
        started = time.monotonic()
        made.send(token)
        select.select([made, *observers], [], [], min(gap, max(0.0, deadline - started)))
        taken = time.monotonic() - started
        if any(saw(observer, token) for observer in observers):
            return Contact(taken, arrived=True)
        made.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            greeting = read_greeting(made.recv(256))
            right = greeting is not None and stand.has(greeting[0])
            return Contact(taken, seen=greeting[1] if greeting else None, arrived=right, ours=right)
        made.setblocking(True)
        gap = min(gap * 2, 0.3)
    # With nothing of ours at the far end: a service need not answer what it does not understand.
    return Contact(None, SILENCE, unproved=not stand.ours and not observers)
