"""A namespace's own table of sockets: who listens, who is connected to whom. Reads /proc; judges nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.spaces import Space
from isthmus.records import dataclass

LISTENING = 0x0A
_UNCONNECTED_UDP = 0x07


@dataclass(frozen=True, slots=True)
class SocketFact:
    """One socket; `state` is the kernel's number, `inode` tells the process that holds it."""

    local: IpAddress
    port: int
    remote: IpAddress
    remote_port: int
    state: int
    inode: int

    @property
    def listens(self) -> bool:
        """Whether it waits for whoever comes."""
        return self.state == LISTENING or (self.state == _UNCONNECTED_UDP and self.remote_port == 0)


def table(space: Space, protocol: str) -> tuple[SocketFact, ...]:
    """Read the sockets of a protocol (tcp or udp), both families."""
    return space.call(_table_here, protocol)


class Tables:
    """The tables of one check: what several attempts want to see of a namespace is read once for all of them.

    One reading costs milliseconds where the kernel goes through a large table, and hundreds of namespaces
    may be looked at for each of hundreds of attempts.
    """

    def __init__(self, read: Callable[[Space, str], tuple[SocketFact, ...]] = table) -> None:
        self._read = read
        self._locks: dict[tuple[Path, str], threading.Lock] = {}
        self._last: dict[tuple[Path, str], tuple[float, tuple[SocketFact, ...]]] = {}

    def known(self, space: Space, protocol: str) -> tuple[SocketFact, ...]:
        """Return the last reading, whenever in this check it was made; OSError where none can be had."""
        return self.since(space, protocol, float("-inf"))

    def since(self, space: Space, protocol: str, moment: float) -> tuple[SocketFact, ...]:
        """Return a reading that began at the moment (of time.monotonic) or later; OSError as above."""
        place = (space.net, protocol)
        # Who waits here for another's reading takes that one, if it began late enough.
        with self._locks.setdefault(place, threading.Lock()):
            last = self._last.get(place)
            if last is None or last[0] < moment:
                began = time.monotonic()
                last = self._last[place] = (began, self._read(space, protocol))
            return last[1]


def _table_here(protocol: str) -> tuple[SocketFact, ...]:
    # "thread-self": the thread is inside the namespace, the process is not.
    files = (Path("/proc/thread-self/net", name) for name in (protocol, f"{protocol}6"))
    return tuple(fact for file in files if file.exists() for fact in parse(file.read_text()))


def parse(text: str) -> list[SocketFact]:
    """Parse the form of /proc/net/tcp and its sisters (proc(5))."""
    return [_socket(line.split()) for line in text.splitlines()[1:] if line.strip()]


def _socket(fields: list[str]) -> SocketFact:
    local, port = _place(fields[1])
    remote, remote_port = _place(fields[2])
    return SocketFact(local, port, remote, remote_port, int(fields[3], 16), int(fields[9]))


def _place(text: str) -> tuple[IpAddress, int]:
    address, _, port = text.partition(":")
    words = bytes.fromhex(address)
    # Each group of four bytes is written as a number of the machine's own byte order.
    octets = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    if len(octets) == 4:
        return IPv4Address(octets), int(port, 16)
    found = IPv6Address(octets)
    return found.ipv4_mapped or found, int(port, 16)


def holder(inode: int) -> str:
    """Name the process that holds a socket, as `nginx[123]`; empty where it cannot be seen."""
    wanted = f"socket:[{inode}]"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(entry) == wanted for entry in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}[{process.name}]"
        except OSError:
            continue
    return ""
