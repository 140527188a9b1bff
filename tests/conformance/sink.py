"""Receives what a proxy logs, over UDP or a unix datagram socket, and takes a line apart."""

from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import dataclass

from .wire import DEADLINE

TIMERS = frozenset({"Th", "Tw", "Tc", "Td", "Tt", "Tu"})
# Under this many milliseconds a timer counts as "at once"; the waits in the cases are twice this and more.
AT_ONCE = 150
_CLOCKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)"), "ISODATE"),
    (re.compile(r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+\d{4}"), "CLFDATE"),
    (re.compile(r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d\.\d{3}"), "DATE"),
    (re.compile(r"[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d"), "STAMP"),
    (re.compile(r"\[\d{2,}\]"), "[PID]"),
)


@dataclass(frozen=True)
class Line:
    """One log message as it came."""

    raw: str

    @property
    def priority(self) -> str:
        return self.raw.split(">", 1)[0].lstrip("<")

    @property
    def message(self) -> str:
        """What follows the rfc3164 header's `tag[pid]: `."""
        return self.raw.split("]: ", 1)[-1].rstrip("\n")

    @property
    def fields(self) -> dict[str, str]:
        """The `key=value` words of a message that Lab.LOG_FORMAT made."""
        return dict(word.split("=", 1) for word in self.message.split(" ") if "=" in word)

    def __getattr__(self, key: str) -> str:
        return self.fields[key]

    def timer(self, key: str) -> int:
        return int(self.fields[key].lstrip("+"))


def coarse(value: str) -> str:
    """A timer reduced to what two proxies must agree on: never (-1), at once (0), or a wait."""
    sign = "+" if value.startswith("+") else ""
    number = int(value.lstrip("+"))
    return sign + ("-1" if number < 0 else "0" if number < AT_ONCE else "wait")


def coarse_message(line: Line) -> str:
    """The message, with every `key=value` timer reduced by coarse()."""
    words = []
    for word in line.message.split(" "):
        key, equals, value = word.partition("=")
        words.append(f"{key}={coarse(value)}" if equals and key in TIMERS else word)
    return masked_clocks(" ".join(words))


def whole_line(line: Line) -> str:
    """The line with its header: the clock, the program's name and its pid masked."""
    return masked_clocks(line.raw.replace("isthmus", "haproxy"))


def masked_clocks(text: str) -> str:
    for pattern, name in _CLOCKS:
        text = pattern.sub(name, text)
    return text


class Sink:
    """A datagram socket with a thread that keeps what arrives."""

    def __init__(self, path: str | None = None) -> None:
        family = socket.AF_UNIX if path else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._sock.bind(path or ("127.0.0.1", 0))
        self.port = 0 if path else self._sock.getsockname()[1]
        self._lines: list[Line] = []
        self._changed = threading.Condition()
        self._sock.settimeout(0.02)
        self._patience = 10
        self._stop = False
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while True:
            try:
                data = self._sock.recv(65536)
            except TimeoutError:
                # The proxy is dead when close() asks for the end, yet on a busy machine the kernel may still
                # hold what it sent last.
                if self._stop and (self.lines() or not self._patience):
                    return
                self._patience -= self._stop
                continue
            except OSError:
                return
            with self._changed:
                self._lines.append(Line(data.decode("latin-1")))
                self._changed.notify_all()

    def lines(self) -> list[Line]:
        """What came so far, without the notices about proxies that start and stop."""
        with self._changed:
            return [line for line in self._lines if not is_notice(line)]

    def everything(self) -> list[Line]:
        with self._changed:
            return list(self._lines)

    def wait(self, count: int = 1) -> list[Line]:
        """Waits until `count` lines came in all."""
        deadline = time.monotonic() + DEADLINE
        with self._changed:
            while len([line for line in self._lines if not is_notice(line)]) < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{count} log lines expected, got {[x.raw for x in self._lines]}")
                self._changed.wait(left)
        return self.lines()

    def close(self) -> None:
        """Takes in what was sent until now, and ends."""
        self._stop = True
        self._thread.join(DEADLINE)
        self._sock.close()


def is_notice(line: Line) -> bool:
    return re.search(r"Proxy \S+ (started|stopped)|: (Pausing|Stopping|Enabling) ", line.raw) is not None
