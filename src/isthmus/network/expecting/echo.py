"""ICMP echo: packets, and an exchange over a socket that was made inside a namespace.

Needs no ping program: a raw socket where the process may open one (root, or a user namespace that
owns the network namespace), else one of the kernel's ping sockets (net.ipv4.ping_group_range).
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import struct
import time

from isthmus.network.expecting.verdict import SILENCE, IpAddress, error_words
from isthmus.network.spaces import Space
from isthmus.records import dataclass

_HEADER = struct.Struct("!BBHHH")
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_PROTOCOL = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
# Not in Python's socket module: errors that come back as ICMP are reported on the socket (ip(7), ipv6(7)).
_REPORT_ERRORS = {4: (socket.SOL_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}

_GAPS = (0.05, 0.1, 0.2)
"""Seconds between probes: the first ones may be lost while neighbours are being resolved."""


@dataclass(frozen=True, slots=True)
class Echo:
    """The best round trip in seconds, None where no answer came; then `error` says what did."""

    round_trip: float | None
    error: str = ""


def packet(version: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Make an echo request. The checksum of ICMPv6 is left to the kernel, which knows the addresses."""
    head = _HEADER.pack(_REQUEST[version], 0, 0, identifier, sequence)
    total = checksum(head + payload) if version == 4 else 0
    return _HEADER.pack(_REQUEST[version], 0, total, identifier, sequence) + payload


def checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071) of some bytes."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def is_reply(version: int, data: bytes, payload: bytes) -> bool:
    """Say whether received bytes, with an IPv4 header or without, are the answer to `payload`."""
    start = (data[0] & 0x0F) * 4 if version == 4 and data and data[0] >> 4 == 4 else 0
    return data[start : start + 1] == bytes([_REPLY[version]]) and data[start + 8 :] == payload


def sender(space: Space, version: int) -> socket.socket:
    """Open a socket for echo requests in a namespace; OSError where that is not permitted."""
    try:
        made = space.call(socket.socket, FAMILY[version], socket.SOCK_RAW, _PROTOCOL[version])
    except PermissionError:
        made = space.call(socket.socket, FAMILY[version], socket.SOCK_DGRAM, _PROTOCOL[version])
    made.setsockopt(*_REPORT_ERRORS[version], 1)
    made.setblocking(False)
    return made


def witness(space: Space, version: int, protocol: int | None = None) -> socket.socket | None:
    """Open a socket that sees what arrives in a namespace past its firewall; None where not permitted.

    `protocol` is ICMP of the version unless told otherwise.
    """
    number = _PROTOCOL[version] if protocol is None else protocol
    try:
        made = space.call(socket.socket, FAMILY[version], socket.SOCK_RAW, number)
    except OSError:
        return None
    made.setblocking(False)
    return made


def saw(observer: socket.socket, token: bytes) -> bool:
    """Say whether a witness has received a packet that holds the token."""
    while True:
        try:
            if token in observer.recv(2048):
                return True
        except OSError:
            return False


class Exchange:
    """Echo requests to one address until there is an answer or patience (seconds) ends."""

    def __init__(self, sending: socket.socket, address: IpAddress, patience: float) -> None:
        self._socket = sending
        self._version = address.version
        self._address = str(address)
        self._deadline = time.monotonic() + patience
        self._sent: list[tuple[bytes, float]] = []
        self._error = SILENCE
        self.token = secrets.token_bytes(12)
        # Connection tracking knows an exchange by its identifier, and would go on translating an old one.
        self._identifier = secrets.randbelow(1 << 16)

    def run(self, round_trips: int) -> Echo:
        """Exchange until `round_trips` answers came; the best of them counts."""
        try:
            self._socket.connect((self._address, 0))
        except OSError as error:
            return Echo(None, error_words(error))
        taken: list[float] = []
        while len(taken) < round_trips and time.monotonic() < self._deadline:
            self._send()
            answer = self._wait(min(self._deadline, time.monotonic() + self._gap()))
            if answer is not None:
                taken.append(answer)
        return Echo(min(taken)) if taken else Echo(None, self._error)

    def _gap(self) -> float:
        return _GAPS[min(len(self._sent), len(_GAPS)) - 1]

    def _send(self) -> None:
        payload = self.token + struct.pack("!I", len(self._sent))
        self._sent.append((payload, time.monotonic()))
        try:
            self._socket.send(packet(self._version, self._identifier, len(self._sent) & 0xFFFF, payload))
        except OSError as error:
            self._error = error_words(error)

    def _wait(self, until: float) -> float | None:
        """Return the seconds that an answer to any of the probes took, None where none came by then."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while (left := until - time.monotonic()) > 0:
            if not poll.poll(left * 1000 + 1):
                return None
            try:
                data = self._socket.recv(2048)
            except OSError as error:
                self._heard(error)
                continue
            now = time.monotonic()
            for payload, sent in self._sent:
                if is_reply(self._version, data, payload):
                    return now - sent
        return None

    def _heard(self, error: OSError) -> None:
        """Keep an error, and empty the queue of errors: the socket stays ready while one is in it."""
        if not isinstance(error, BlockingIOError):
            self._error = error_words(error)
        with contextlib.suppress(OSError):
            while True:
                self._socket.recvmsg(2048, 2048, socket.MSG_ERRQUEUE)
