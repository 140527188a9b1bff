"""Real TCP ends under the test's control: the client's, and the origin's.

Every read has a deadline, and an end remembers what it received and how its peer left (FIN or RST),
because that is what the two proxies are compared by.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable

DEADLINE = 10.0
# Seconds of silence after which a test takes it that nothing comes.
QUIET = 0.4


class End:
    """One end of a TCP connection."""

    def __init__(self, sock: socket.socket, peer: tuple[str, int] | str = "") -> None:
        self.sock = sock
        self.sock.settimeout(DEADLINE)
        self.received = b""
        self.left: str | None = None
        self.opened = time.monotonic()
        self.local = sock.getsockname()
        self.peer = peer

    @property
    def port(self) -> int:
        return int(self.local[1])

    def send(self, data: bytes) -> End:
        self.sock.sendall(data)
        return self

    def try_send(self, data: bytes) -> bool:
        """Whether the kernel still took the data."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def read(self, count: int) -> bytes:
        """The next `count` bytes, or what came before the peer left."""
        got = b""
        while len(got) < count:
            chunk = self._receive(count - len(got))
            if not chunk:
                break
            got += chunk
        return got

    def read_end(self) -> tuple[bytes, str]:
        """All that is still to come, and how the peer left: "FIN" or "RST"."""
        got = b""
        while chunk := self._receive(65536):
            got += chunk
        return got, self.left or "?"

    def ending(self) -> str:
        return self.read_end()[1]

    def _receive(self, count: int) -> bytes:
        if self.left == "RST":
            return b""
        try:
            chunk = self.sock.recv(count)
        except TimeoutError:
            raise AssertionError(f"nothing came in {DEADLINE} s; so far {self.received[-200:]!r}") from None
        except OSError:
            # Also ENOTCONN, once the kernel has told of the reset elsewhere.
            self.left = "RST"
            return b""
        if not chunk:
            self.left = "FIN"
        self.received += chunk
        return chunk

    def hears_nothing(self, seconds: float = QUIET) -> bool:
        """Whether neither data nor an end comes within `seconds`."""
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        except ConnectionError:
            return False
        finally:
            self.sock.settimeout(DEADLINE)
        return False

    def finish(self) -> End:
        """Sends a FIN; reading goes on."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Sends a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()

    def age(self) -> float:
        """Seconds since the connection was made."""
        return time.monotonic() - self.opened


def dial(address: tuple[str, int], source: str | None = None) -> End:
    """Connects, from `source` if one is given."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(DEADLINE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if source:
        sock.bind((source, 0))
    # A reset may be here before connect() returns, and the kernel tells of it only once.
    try:
        sock.connect(address)
    except ConnectionResetError:
        end = End(sock, address)
        end.left = "RST"
        return end
    return End(sock, address)


def dial_unix(path: str) -> End:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(DEADLINE)
    sock.connect(path)
    return _UnixEnd(sock)


class _UnixEnd(End):
    @property
    def port(self) -> int:
        return 0


Behaviour = Callable[["Origin", End], None]


def greets(origin: Origin, end: End) -> None:
    """Says its name, reads until the client finished, closes."""
    end.try_send(origin.name.encode() + b"\n")
    end.read_end()
    end.close()


def echoes(_origin: Origin, end: End) -> None:
    """Sends back what it gets until the client finished, then closes."""
    with contextlib.suppress(OSError):
        while chunk := end.sock.recv(65536):
            end.received += chunk
            end.sock.sendall(chunk)
    end.close()


class Origin:
    """A listening server.  With a behaviour, a thread serves each connection; without, the test accepts."""

    def __init__(
        self, name: str, behaviour: Behaviour | None, path: str | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.name = name
        self.ends: list[End] = []
        self._behaviour = behaviour
        self._arrivals: queue.Queue[End] = queue.Queue()
        if path:
            self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.listener.bind(path)
            self.port = 0
        else:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self.listener = socket.socket(family, socket.SOCK_STREAM)
            self.listener.bind((host, 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(512)
        self._closed = False
        self._hung_up = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, peer = self.listener.accept()
                end = End(sock, peer) if self.port else _UnixEnd(sock)
            except OSError:
                if self._closed or self.listener.fileno() < 0:
                    return
                continue
            self.ends.append(end)
            self._arrivals.put(end)
            if self._hung_up:
                end.close()
                continue
            if self._behaviour:
                threading.Thread(target=self._behave, args=(end,), daemon=True).start()

    def _behave(self, end: End) -> None:
        assert self._behaviour
        with contextlib.suppress(OSError, AssertionError):
            self._behaviour(self, end)

    def accept(self) -> End:
        """The next connection that arrived."""
        try:
            return self._arrivals.get(timeout=DEADLINE)
        except queue.Empty:
            raise AssertionError(f"no connection reached origin {self.name}") from None

    def nobody_came(self, seconds: float = 0.1) -> bool:
        """Whether no connection that accept() has not given out arrives within `seconds`."""
        try:
            self._arrivals.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def hang_up(self) -> None:
        """Closes the connections that the test serves itself, and those that still come out of a queue."""
        if self._behaviour is None:
            self._hung_up = True
            for end in self.ends:
                end.close()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join(DEADLINE)
        for end in self.ends:
            end.close()


class Stuck:
    """A listener that answers no SYN, because its backlog is full: connecting to it takes forever."""

    def __init__(self) -> None:
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self._fillers: list[socket.socket] = []
        for _ in range(8):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def close(self) -> None:
        for filler in self._fillers:
            filler.close()
        self.listener.close()
