"""A native engine that takes configuration text, origins that echo, and clients, all over loopback."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec.structs import replace

from isthmus.config import Features, read_text
from isthmus.engine import Engine, vocabulary
from isthmus.engine.report import ApplyReport, Event, FrontendFacts, SessionFacts, Stopped
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.keywords import SECTIONS, System, load
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.plan import build
from isthmus.plan.document import Bind, Inet, Plan

PATIENCE = 10.0
TIMEOUTS = """
defaults
 mode tcp
 timeout connect 5s
 timeout client 30s
 timeout server 30s
"""
_VOCABULARY = Vocabulary.read(vocabulary())


def plan(text: str) -> Plan:
    """The plan of a text, with timeouts before it; its lines count from those.

    The language has no port 0: port 1 stands for one that the kernel chooses.
    """
    features = Features("3.5")
    tree = read_text(TIMEOUTS + text, environment={}, features=features, sections=SECTIONS, file="t.cfg")
    found, diagnostics = load(tree, _VOCABULARY, System())
    assert not diagnostics.failed, diagnostics.render()
    built = build(found, System(), diagnostics)
    assert not diagnostics.failed, diagnostics.render()
    frontends = tuple(
        replace(each, binds=tuple(_anywhere(bind) for bind in each.binds)) for each in built.engine.frontends
    )
    return replace(built.engine, frontends=frontends)


def _anywhere(bind: Bind) -> Bind:
    if isinstance(bind.address, Inet) and bind.address.port == 1:
        return replace(bind, address=replace(bind.address, port=0))
    return bind


def line_of(text: str, part: str) -> str:
    """`file:line` of the first line of a text that holds a part of it."""
    lines = (TIMEOUTS + text).splitlines()
    return f"t.cfg:{next(n for n, line in enumerate(lines, 1) if part in line)}"


def eventually(holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something holds."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


def refuses(port: int) -> bool:
    """Whether a port refuses connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # It was closed between SYN and ACK: the next one is refused.
        return False
    return False


def own_files() -> int:
    """Descriptors that this process has open."""
    return len(os.listdir("/proc/self/fd"))


def own_threads() -> int:
    """Threads of this process, Rust's included."""
    return len(os.listdir("/proc/self/task"))


def resident_kilobytes() -> int:
    """Memory of this process that is in RAM."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


class LiveEngine:
    """A native engine with the ports that its last good plan opened."""

    def __init__(self, threads: int) -> None:
        self.native = Engine.start(threads)
        self.report = ApplyReport()
        self.stopped = False

    def apply(self, text: str) -> ApplyReport:
        """Apply a text without expecting anything."""
        report = self.native.apply(plan(text))
        if not report.errors:
            self.report = report
        return report

    def run(self, text: str) -> None:
        """Apply a text that has to work."""
        report = self.apply(text)
        assert report.errors == ()

    def port(self, frontend: str) -> int:
        """The port of a frontend's first bind."""
        found = next(address for name, _, address in self.report.listeners if name == frontend)
        return int(found.rpartition(":")[2])

    def connect(self, frontend: str) -> Client:
        """Connect to a frontend's first bind."""
        return Client(self.port(frontend))

    def frontend(self, name: str) -> FrontendFacts:
        return next(each for each in self.native.snapshot().frontends if each.name == name)

    def backend(self, name: str) -> BackendFacts:
        return next(each for each in self.native.snapshot().backends if each.name == name)

    def server(self, backend: str, name: str) -> ServerFacts:
        return next(each for each in self.backend(backend).servers if each.name == name)

    def sessions(self) -> list[SessionFacts]:
        return self.native.sessions()

    def wait_stopped(self) -> None:
        """Wait for the event that all is over; other events are passed by."""
        seen: list[Event] = []
        eventually(lambda: seen.extend(self.native.events(20)) or Stopped() in seen)
        self.stopped = True


def hard_stop(live: LiveEngine) -> None:
    """End an engine whatever state it is in."""
    live.native.stop(graceful=False)
    if not live.stopped:
        live.wait_stopped()


class Client:
    """A connection that speaks at once and in lines."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def greeting(self) -> str:
        """The letter of the origin that answers."""
        return self.socket.recv(1).decode()

    def echoes(self, text: bytes = b"hello") -> bool:
        """Whether what is sent comes back."""
        self.socket.sendall(text)
        return self.receive(len(text)) == text

    def receive(self, count: int) -> bytes:
        """Exactly so many bytes, or less at the end."""
        data = b""
        while len(data) < count and (part := self.socket.recv(count - len(data))):
            data += part
        return data

    def is_waiting(self) -> bool:
        """Whether it is open and nothing has come."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) is None
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(PATIENCE)

    def ended(self) -> bool:
        """Whether the other side ended it, orderly or not."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def close_all(clients: Iterable[Client]) -> None:
    for client in clients:
        client.close()


class Origin:
    """A server that says its letter to whoever connects and echoes what it is sent."""

    def __init__(self, letter: bytes) -> None:
        self._letter = letter
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._listener.getsockname()[1])
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Origin:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)
        self._listener.close()
        for each in self._connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._start(self._echo, connection)

    def _echo(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(self._letter)
            while data := connection.recv(65536):
                connection.sendall(data)
