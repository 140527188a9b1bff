"""Namespaces, commands and echo requests: what tests use that do not trust `isthmus net`."""

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

    def close(self) -> None:
        for name in self._names:
            run("ip", "netns", "delete", name, check=False)


def run(*words: str, check: bool = True, told: str = "") -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, input=told)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}{done.stdout}")
    return done.stdout


def ip(line: str) -> str:
    """`ip` with the words of a line."""
    return run("ip", *line.split())


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


def echoes(namespace: str, target: str, count: int, wait: float = 2.0) -> list[tuple[int, float]]:
    """Send echo requests all at once; return which came back, as they came, and after how many seconds."""
    return inside(namespace, lambda: _echoes(target, count, wait))


def _echoes(target: str, count: int, wait: float) -> list[tuple[int, float]]:
    back: list[tuple[int, float]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        sent = [_sent(raw, target, number) for number in range(count)]
        deadline = time.monotonic() + wait
        while len(back) < count and (left := deadline - time.monotonic()) > 0:
            raw.settimeout(left)
            try:
                packet, (sender, _) = raw.recvfrom(2048)
            except TimeoutError:
                break
            kind, _, _, owner, number = struct.unpack_from("!BBHHH", packet, (packet[0] & 15) * 4)
            if sender == target and kind == 0 and owner == os.getpid() & 0xFFFF:
                back.append((number, time.monotonic() - sent[number]))
    return back


def _sent(raw: socket.socket, target: str, number: int) -> float:
    words = (0x0800, 0, os.getpid() & 0xFFFF, number)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    asked = time.monotonic()
    raw.sendto(struct.pack("!4H", words[0], ~total & 0xFFFF, *words[2:]), (target, 0))
    return asked
