"""Exchanges of HTTP through both proxies: what the client, the origin and the log saw.

An `Exchange` is a table's row: configuration, what the client sends, what the origin replies.  `compare`
plays it through both proxies; what is not compared is named in `Normal`.
"""

from __future__ import annotations

import contextlib
import csv
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from .http_message import Message, Parsed, split_requests, split_responses
from .lab import Both, Lab, Seen
from .proxy import is_haproxy
from .sink import Line, coarse, masked_clocks
from .wire import DEADLINE, End, Origin

LOG_FORMAT = (
    "ci=%ci ST=%ST ts=%tsc TR=%TR Tw=%Tw Tc=%Tc Tr=%Tr Ta=%Ta f=%f b=%b s=%s rc=%rc"
    " sq=%sq bq=%bq CC=%CC CS=%CS hr=%hr hs=%hs r=%{+Q}r"
)
PREAMBLE = f"""
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  log-format "{LOG_FORMAT}"
"""
TIMERS = frozenset({"TR", "Tw", "Tc", "Tr", "Ta"})

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Reply:
    """What the origin does for one request."""

    data: bytes = OK
    # Says nothing more, once all is sent: a FIN, or a reset.
    close: bool = False
    reset: bool = False
    # Said first, once the head is there.
    interim: bytes = b""
    # Replies once the head is there, and does not wait for the body.
    early: bool = False
    # Stops reading: what the proxy sends fills the kernel's buffers.
    deaf: bool = False
    # Bytes sent apart, each once the one before is on its way.
    pieces: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Await:
    """The client reads until it has so many whole messages, interim ones counted."""

    messages: int


@dataclass(frozen=True)
class Slow:
    """Sent one byte at a time."""

    data: bytes


@dataclass(frozen=True)
class Arrived:
    """The client waits until the origin has received these bytes."""

    data: bytes


@dataclass(frozen=True)
class Heard:
    """The client reads until these bytes are among what it has received."""

    data: bytes


@dataclass(frozen=True)
class Finish:
    """The client sends a FIN; reading goes on."""


@dataclass(frozen=True)
class Reset:
    """The client sends a RST, and is gone."""


@dataclass(frozen=True)
class Shown:
    """The client waits until `show stat` has this in a column, for `listen l`."""

    column: str
    value: str
    name: str = "BACKEND"


Step = bytes | Await | Slow | Arrived | Heard | Finish | Reset | Shown


@dataclass(frozen=True)
class Exchange:
    """One row: a configuration, what the client does, what the origin replies."""

    name: str
    sends: tuple[Step, ...] = (GET,)
    replies: tuple[Reply, ...] = (Reply(),)
    front: str = ""
    back: str = ""
    server: str = ""
    settings: str = ""
    # Frontends and backends in place of the usual ones.
    site: str = ""
    # Whole messages that the client waits for; behind them it finishes.
    messages: int = 1
    # Sends one more request instead: only an open connection answers it.
    again: bool = False
    # What HAProxy is known to do: the statuses that the client sees, and the termination states.
    statuses: tuple[int, ...] | None = None
    states: tuple[str, ...] | None = None
    # Sees what the whole process counts or keeps: other rows must not share it.
    alone: bool = False
    # Why we mean to differ, and the statuses that our client sees then.
    beyond: str = ""
    ours: tuple[int, ...] = ()

    def config(self) -> str:
        if self.site:
            return f"{self.settings}\n{self.site}\n"
        return f"""
{self.settings}
frontend f
  bind 127.0.0.1:<front>
  default_backend b
{_indented(self.front)}
backend b
{_indented(self.back)}
  server s <a> {self.server}
"""


def _indented(text: str) -> str:
    return "\n".join("  " + line.strip() for line in text.splitlines())


class Script:
    """An origin's behaviour: the next request, over whichever connection, gets the next reply; the last one
    serves all that follow."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies = tuple(replies)
        self._next: weakref.WeakKeyDictionary[Origin, int] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def __call__(self, origin: Origin, end: End) -> None:
        answered = 0
        told = 0
        while True:
            heads = 0
            for request in split_requests(end.received):
                heads += 1
                if heads <= answered or not request.has_head:
                    continue
                reply = self._peek(origin)
                if reply.interim and told <= answered:
                    told = answered + 1
                    end.try_send(reply.interim)
                if request.whole or reply.early:
                    self._take(origin)
                    answered += 1
                    _answer(end, reply)
                    if reply.reset or reply.deaf:
                        return
            try:
                chunk = end.sock.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                end.left = "RST"
                return
            if not chunk:
                end.left = "FIN"
                end.close()
                return
            end.received += chunk

    def _peek(self, origin: Origin) -> Reply:
        with self._lock:
            return self._replies[min(self._next.get(origin, 0), len(self._replies) - 1)]

    def _take(self, origin: Origin) -> None:
        with self._lock:
            self._next[origin] = self._next.get(origin, 0) + 1


def _answer(end: End, reply: Reply) -> None:
    for piece in reply.pieces or (reply.data,):
        end.try_send(piece)
    if reply.reset:
        end.reset()
        end.left = "reset"
    elif reply.close:
        end.finish()


class Client:
    """A client that sends bytes and reads messages."""

    def __init__(self, lab: Lab, name: str = "front", origin: str = "a") -> None:
        self.lab = lab
        self.name = name
        self.origin = origin
        self.end = lab.connect(name)
        self.sent = b""
        self._served_no_more = False

    def play(self, steps: Iterable[Step]) -> None:
        """Does the steps one after the other."""
        for step in steps:
            match step:
                case bytes():
                    self.send(step)
                case Slow(data):
                    for at in range(len(data)):
                        self.send(data[at : at + 1])
                case Await(messages):
                    self.read(messages)
                case Arrived(data):
                    until(partial(has_received, self.lab.origin(self.origin), data))
                case Heard(data):
                    while data not in self.end.received and self.end.left is None:
                        self.end._receive(65536)
                case Finish():
                    self.end.finish()
                case Reset():
                    self.end.reset()
                case Shown():
                    # In a batch, each row's listener and proxy have the row's number.
                    until(partial(is_shown, self.lab, f"l-{self.name[5:]}".rstrip("-"), step))

    def send(self, data: bytes) -> None:
        self.sent += data
        self.end.try_send(data)

    def messages(self) -> list[Parsed]:
        return split_responses(self.end.received, self.sent, self.end.left is not None)

    def read(self, count: int) -> None:
        """Reads until `count` messages are whole, or the connection is over."""
        while sum(message.whole for message in self.messages()) < count and self.end.left is None:
            self.end._receive(65536)

    def is_alive(self) -> bool:
        """Whether the connection serves one more request, which is its last."""
        self.messages()
        before = sum(message.whole for message in self.messages())
        self.send(b"GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.read(before + 1)
        alive = sum(message.whole for message in self.messages()) > before
        self._served_no_more = not alive
        return alive

    def last(self) -> str:
        """Finishes, and tells how the proxy's end came.

        A request that the proxy had no use for met a closing socket or a closed one, as it happened: the
        kernel makes a FIN or a RST of that.
        """
        self.end.finish()
        with contextlib.suppress(OSError):
            self.end.read_end()
        ended = self.end.left or "?"
        return "closed" if self._served_no_more and ended in ("FIN", "RST") else ended


def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + DEADLINE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "a condition never came true"
        pause.wait(0.002)


def is_shown(lab: Lab, proxy: str, what: Shown) -> bool:
    """Whether `show stat` tells it now."""
    return statistic(lab, proxy, what.name, what.column) == what.value


def statistic(lab: Lab, proxy: str, name: str, column: str) -> str:
    """A column of `show stat`."""
    rows = list(csv.DictReader(lab.command("show stat").lstrip("# ").splitlines()))
    return next(row[column] for row in rows if (row["pxname"], row["svname"]) == (proxy, name))


def has_received(origin: Origin, data: bytes) -> bool:
    """Whether these bytes came over one of the origin's connections."""
    return any(data in end.received for end in origin.ends)


def settled(origin: Origin) -> bool:
    """Whether every connection of the origin's is over, or between two requests."""
    return all(
        end.left is not None or all(request.whole for request in split_requests(end.received))
        for end in origin.ends
    )


@dataclass(frozen=True)
class Normal:
    """What of the observations does not count, and why."""

    # Error pages are texts of our own: their body, and its length.
    pages: bool = True
    # A body's chunks end where reads ended.
    chunks: bool = True
    # Names of fields whose values depend on the moment.
    volatile: frozenset[str] = field(default_factory=lambda: frozenset({"date", "age"}))
    # Over which of the origin's connections a request came.
    connections: bool = False
    # Names of fields that may be there or not.
    optional: frozenset[str] = frozenset()

    def message(self, message: Parsed) -> Message:
        normal = message.normal(self.pages, self.chunks, self.volatile)
        told = (line for line in normal.fields if line.partition(":")[0] not in self.optional)
        return normal if not self.optional else replace(normal, fields=tuple(told))

    def requests(self, origin: Origin) -> list[list[Message]]:
        """What reached the origin, over each of its connections."""
        each = [[self.message(one) for one in split_requests(end.received)] for end in origin.ends]
        return [[one for requests in each for one in requests]] if self.connections else each


def http_line(line: Line) -> str:
    """A log line with its timers reduced to never, at once, or a wait."""
    head, mark, request = line.message.partition(" r=")
    words = []
    for word in head.split(" "):
        key, equals, value = word.partition("=")
        words.append(f"{key}={coarse(value)}" if equals and key in TIMERS else word)
    return masked_clocks(" ".join(words) + mark + request)


def traffic(
    case: Exchange, normal: Normal | None = None, front: str = "front", origin: str = "a"
) -> Callable[[Lab], Any]:
    """The function that plays a case, and returns what client and origin saw."""
    normal = normal or Normal()

    def run(lab: Lab) -> Any:
        client = Client(lab, front, origin)
        client.play(case.sends)
        client.read(case.messages)
        alive = client.is_alive() if case.again else None
        ending = client.last()
        until(lambda: settled(lab.origin(origin)))
        return {
            "client": [normal.message(each) for each in client.messages()],
            "alive": alive,
            "ending": ending,
            "origin": normal.requests(lab.origin(origin)),
        }

    return run


def compare(both: Both, case: Exchange, normal: Normal | None = None) -> Seen:
    """Plays a case through both proxies, holds them to be equal, and HAProxy to what the row says of it."""
    play = both.apart if case.beyond else both
    seen: Any = play(
        case.config(),
        traffic(case, normal),
        origins={"a": Script(case.replies)},
        preamble=PREAMBLE,
        normal=http_line,
    )
    if not case.beyond:
        check(case, seen)
        return cast(Seen, seen)
    expected, got = seen
    check(case, expected)
    if not is_haproxy(both.candidate):
        assert tuple(message.status for message in got.value["client"]) == case.ours
        assert got.compared != expected.compared, f"we differ no more: {case.beyond}"
    return cast(Seen, expected)


def meant(
    groups: dict[str, list[Exchange]], beyond: dict[str, tuple[str, tuple[int, ...]]]
) -> dict[str, list[Exchange]]:
    """The groups, and in the rows that `beyond` names why we differ and what our client sees."""
    strangers = set(beyond) - {row.name for rows in groups.values() for row in rows}
    assert not strangers, f"no such rows: {strangers}"
    return {
        group: [
            replace(row, beyond=beyond[row.name][0], ours=beyond[row.name][1]) if row.name in beyond else row
            for row in rows
        ]
        for group, rows in groups.items()
    }


def check(case: Exchange, seen: Seen) -> None:
    """Holds an observation to what the row says."""
    if case.statuses is not None:
        got = tuple(message.status for message in seen.value["client"])
        assert got == case.statuses, f"haproxy's client saw {got}, and was to see {case.statuses}"
    if case.states is not None:
        states = tuple(state_of(line) for line in seen.logs)
        assert states == case.states, f"haproxy logged {states}, and was to log {case.states}"


def state_of(line: Line) -> str:
    """The termination state's first two letters: the others tell of cookies."""
    found = re.search(r" ts=(\S\S)", line.message)
    return found[1] if found else "?"
