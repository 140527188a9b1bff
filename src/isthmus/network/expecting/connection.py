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
from isthmus.records import dataclass, replace

_GREETING = 1.0
"""Seconds in which a listener of our own greets, however busy the machine is."""

_WITNESSES = 16
"""Namespaces in which one attempt watches for its datagrams to arrive: each takes a socket."""

_RESET = struct.pack("ii", 1, 0)
_ARRIVAL = 0.3
"""Seconds until an established connection must show in the far end's table."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What waits at the places where a connection should end; our listeners by what they call themselves."""

    ours: dict[str, tuple[Listener, Place]]
    real: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """What came of an attempt. `seconds` is None where nobody answered; then `error` says what happened.

    `seen` is the address that the far end saw. `arrived`: it ended where it should; None: not known.
    `place` is where it ended. `listener` of our own answered. `unproved`: datagrams went out, and nothing
    is known of them.
    """

    seconds: float | None
    error: str = ""
    seen: IpAddress | None = None
    arrived: bool | None = None
    place: Place | None = None
    listener: Listener | None = None
    unproved: bool = False


def prepare(survey: Survey, aim: Aim, protocol: str, port: int) -> Stand:
    """See to it, once in a check, that something listens wherever a connection to an aim should end."""
    return survey.once(("stand", aim, protocol, port), lambda: _prepared(survey, aim, protocol, port))


def _prepared(survey: Survey, aim: Aim, protocol: str, port: int) -> Stand:
    ours: dict[str, tuple[Listener, Place]] = {}
    real: list[Place] = []
    for place in survey.places(aim, protocol, port):
        found = survey.listeners.at(survey.space(place.namespace), protocol, place.address, place.port)
        match found:
            case Listener():
                ours[found.identity] = (found, place)
            case Occupied(taken=True):
                real.append(place)
    return Stand(ours, tuple(real))


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


def tcp(survey: Survey, source: str, aim: Aim, port: int, patience: float, *, find: bool) -> Contact:
    """Connect, and find out who answered and what address it saw.

    A service says neither: if `find` says so, it is looked for in every namespace where it may be.
    """
    stand = prepare(survey, aim, "tcp", port)
    before = {place: _connections(survey, place) for place in stand.real} if find else {}
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
            # A service may have answered instead, and wait for its client's first word.
            greeted = _greeted(made, stand, taken, min(patience, _GREETING) if stand.real else patience)
            if greeted.listener is not None or not stand.real:
                return greeted
        if not before:
            return Contact(taken)
        found = _found(survey, before, made.getsockname())
    if found is None:
        return Contact(taken, arrived=False)
    return Contact(taken, seen=found[1], arrived=True, place=found[0])


def _greeted(made: socket.socket, stand: Stand, taken: float, patience: float) -> Contact:
    made.settimeout(patience)
    text = b""
    with contextlib.suppress(OSError):
        text = made.recv(256)
    return _answered(stand, text, taken)


def _answered(stand: Stand, text: bytes, taken: float) -> Contact:
    """Tell a greeting of one of our listeners from whatever else was received."""
    greeting = read_greeting(text)
    known = stand.ours.get(greeting[0]) if greeting is not None else None
    if greeting is None or known is None:
        return Contact(taken, seen=greeting[1] if greeting else None, arrived=False)
    listener, place = known
    return Contact(taken, seen=greeting[1], arrived=True, place=place, listener=listener)


_Far = tuple[IpAddress, int]


def _connections(survey: Survey, place: Place, since: float = float("-inf")) -> frozenset[_Far]:
    table = survey.tables.since(survey.space(place.namespace), "tcp", since)
    return frozenset((each.remote, each.remote_port) for each in table if _is_to(place, each))


def _is_to(place: Place, fact: sockets.SocketFact) -> bool:
    return fact.port == place.port and not fact.listens


def _found(
    survey: Survey, before: dict[Place, frozenset[_Far]], own: tuple[str, int]
) -> tuple[Place, IpAddress] | None:
    """Return where a new connection shows, and its remote address there, once there is one."""
    deadline = time.monotonic() + _ARRIVAL
    while True:
        asked = time.monotonic()
        new = [
            (place, far) for place, old in before.items() for far in _connections(survey, place, asked) - old
        ]
        # Several attempts are made at once. Translation keeps the port where it can, so that of several new
        # ones this one is told apart.
        new.sort(key=lambda each: (each[1][1] != own[1], str(each[1][0]) != own[0]))
        if new:
            return new[0][0], new[0][1][0]
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)


def udp(survey: Survey, source: str, aim: Aim, port: int, patience: float) -> Contact:
    """Send datagrams until one is answered, or seen to arrive, or refused."""
    stand = prepare(survey, aim, "udp", port)
    watched = [survey.space(place.namespace) for place in stand.real[:_WITNESSES]]
    observers = [witness(space, aim.address.version, socket.IPPROTO_UDP) for space in watched]
    try:
        made = survey.space(source).call(socket.socket, FAMILY[aim.address.version], socket.SOCK_DGRAM)
        with made:
            made.connect((str(aim.address), port))
            contact = _exchange(made, stand, [each for each in observers if each], patience)
            # What nobody watched for may have arrived all the same.
            unwatched = contact.seconds is None and len(watched) < len(stand.real)
            return replace(contact, unproved=True) if unwatched else contact
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
            return _answered(stand, made.recv(256), taken)
        made.setblocking(True)
        gap = min(gap * 2, 0.3)
    # With nothing of ours at the far end: a service need not answer what it does not understand.
    return Contact(None, SILENCE, unproved=not stand.ours and not observers)
