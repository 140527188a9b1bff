"""Namespaces, commands in them, and echo requests: what tests use that do not trust `isthmus net`."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

R = TypeVar("R")


class Ground:
    """Makes namespaces and takes them away again."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, *names: str) -> None:
        for name in names:
            run("ip", "netns", "add", name)
            self._names.append(name)
            run("ip", "-n", name, "link", "set", "lo", "up")

    def close(self) -> None:
        for name in self._names:
            run("ip", "netns", "delete", name, check=False)


def run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}{done.stdout}")
    return done.stdout


def ip(line: str) -> str:
    """`ip` with the words of a line."""
    return run("ip", *line.split())


def address(namespace: str, interface: str, with_prefix: str) -> None:
    """An interface with an address, up. An IPv6 one is usable at once."""
    ip(f"-n {namespace} address add {with_prefix} dev {interface} {'nodad' if ':' in with_prefix else ''}")
    ip(f"-n {namespace} link set {interface} up")


def inside(namespace: str, function: Callable[[], R]) -> R:
    """What a function returns in a thread that is in a namespace."""
    outcome: list[R] = []
    descriptor = os.open(Path("/run/netns", namespace), os.O_RDONLY)

    def work() -> None:
        setns(descriptor)
        outcome.append(function())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    os.close(descriptor)
    assert outcome, "the function raised, see above"
    return outcome[0]


def setns(descriptor: int) -> None:
    from isthmus import kernel

    kernel.setns(descriptor, kernel.CLONE_NEWNET)


def ping(namespace: str, target: str, device: str = "", wait: float = 5.0) -> float | None:
    """Seconds that the first echo took to come back, None where none did."""
    return inside(namespace, lambda: _ping(target, device, wait))


def _ping(target: str, device: str, wait: float) -> float | None:
    """Asks anew every half second: at first, a neighbour may still have to be found."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        if device:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        deadline = time.monotonic() + wait
        for number in range(1, 1000):
            asked = time.monotonic()
            if asked > deadline:
                return None
            try:
                raw.sendto(_echo_request(number), (target, 0))
            except OSError:
                return None
            while (left := asked + 0.5 - time.monotonic()) > 0:
                raw.settimeout(left)
                try:
                    packet, (sender, _) = raw.recvfrom(2048)
                except TimeoutError:
                    break
                answer = packet[(packet[0] & 15) * 4 :]
                if sender == target and answer[0] == 0 and answer[4:8] == _echo_request(number)[4:8]:
                    return time.monotonic() - asked
    return None


def _echo_request(number: int) -> bytes:
    words = (0x0800, 0, os.getpid() & 0xFFFF, number)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!4H", words[0], ~total & 0xFFFF, *words[2:])
