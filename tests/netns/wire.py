"""Clients, origins, log sinks and PROXY headers."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
import time

from .ground import DEADLINE, Namespace

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
NETNS = 0x30


def family_of(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def dial(
    namespace: Namespace, host: str, port: int, source: str | None = None, patient: bool = True
) -> socket.socket:
    """A client's connection out of a namespace; a patient client waits for the listener to open."""
    deadline = time.monotonic() + DEADLINE
    while True:
        client = namespace.socket(family_of(host))
        if source:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((source, 0))
        try:
            client.connect((host, port))
        except OSError as error:
            client.close()
            refused = error.errno in (errno.ECONNREFUSED, errno.ENETUNREACH)
            if not (patient and refused and time.monotonic() < deadline):
                raise
            time.sleep(0.01)
            continue
        return client


def is_refused(namespace: Namespace, host: str, port: int) -> bool:
    """Whether nobody listens there."""
    try:
        dial(namespace, host, port, patient=False).close()
    except OSError:
        return True
    return False


def dial_abstract(namespace: Namespace, name: str) -> socket.socket:
    client = namespace.socket(socket.AF_UNIX)
    # HAProxy fills an abns@ name with zeroes to the whole length of an address.
    client.connect(("\0" + name).ljust(108, "\0"))
    return client


def line(client: socket.socket) -> str:
    """The next line that comes; what came before the end where there is none."""
    got = b""
    while not got.endswith(b"\n"):
        try:
            byte = client.recv(1)
        except ConnectionResetError:
            break
        if not byte:
            break
        got += byte
    return got.decode("latin-1").rstrip("\n")


def ask(client: socket.socket, question: str) -> str:
    """What an echoing origin sends back."""
    client.sendall(question.encode() + b"\n")
    return line(client)


def greeting(namespace: Namespace, host: str, port: int, head: bytes = b"") -> str:
    """What a fresh connection hears first; empty where it is closed instead."""
    with dial(namespace, host, port) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(head)
        return line(client)


def is_closed(client: socket.socket) -> bool:
    """Whether the other end closes or resets within the deadline, without a word."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


class Origin:
    """A server inside a namespace.  It says `NAME peer-address peer-port own-address own-port` and echoes.

    With `silent` it does not greet, so that what it got can be read from what it echoes.
    """

    def __init__(
        self, namespace: Namespace, host: str, port: int, name: str | None = None, silent: bool = False
    ) -> None:
        self.name = namespace.name if name is None else name
        self.silent = silent
        self.listener = namespace.socket(family_of(host))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, port))
        self.listener.listen(1024)
        self.listener.settimeout(None)
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        self._ends: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        namespace.ground.closing(self)

    def _serve(self) -> None:
        while True:
            try:
                end, peer = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._ends.append(end)
            threading.Thread(target=self._talk, args=(end, peer), daemon=True).start()

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        own = end.getsockname()
        with contextlib.suppress(OSError), end:
            if not self.silent:
                end.sendall(f"{self.name} {peer[0]} {peer[1]} {own[0]} {own[1]}\n".encode())
            while got := end.recv(65536):
                end.sendall(got)

    def close(self) -> None:
        """Stops listening and breaks every connection."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join(DEADLINE)
        for end in self._ends:
            end.close()


class Sink:
    """Receives a proxy's log over UDP; a drained one has a thread, for more lines than the kernel keeps."""

    def __init__(self, namespace: Namespace, drained: bool = False) -> None:
        self.socket = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.lines: list[str] = []
        self.drained = drained
        if drained:
            self.socket.settimeout(None)
            threading.Thread(target=self._drain, daemon=True).start()
            namespace.ground.closing(self)

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.lines.append(self.socket.recv(65536).decode("latin-1").rstrip("\n"))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def __str__(self) -> str:
        return f"127.0.0.1:{self.port}"

    def take_all(self) -> list[str]:
        """Everything so far."""
        if self.drained:
            return self.lines
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.lines.append(self.socket.recv(65536).decode("latin-1").rstrip("\n"))
        return self.lines

    def wait(self, part: str, count: int = 1) -> str:
        """The last of `count` lines that hold `part`, waited for."""
        deadline = time.monotonic() + DEADLINE
        while True:
            found = [text for text in self.take_all() if part in text]
            if len(found) >= count:
                return found[-1]
            if time.monotonic() > deadline:
                raise AssertionError(f"{count} log lines with {part!r} expected, got {self.lines[-20:]}")
            time.sleep(0.01)


def eventually(condition, what: str = "", seconds: float = DEADLINE):
    """Waits until the condition holds, and gives what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what or condition}")
        time.sleep(0.01)


def crc32c(data: bytes) -> int:
    """RFC 4960, appendix B: Castagnoli, reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def netns(name: str) -> bytes:
    return tlv(NETNS, name.encode())


def proxy_v2(
    tlvs: bytes = b"",
    source: str = "198.51.100.7",
    destination: str = "203.0.113.9",
    ports: tuple[int, int] = (4711, 80),
    local: bool = False,
    crc: int | None = None,
) -> bytes:
    """A version 2 header; `crc` adds the checksum, changed by that much."""
    addresses = b""
    transport = 0
    if not local:
        family = family_of(source)
        transport = 0x21 if family == socket.AF_INET6 else 0x11
        addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
        addresses += struct.pack("!HH", *ports)
    if crc is not None:
        tlvs += tlv(3, bytes(4))
    head = SIGNATURE + struct.pack("!BBH", 0x20 if local else 0x21, transport, len(addresses + tlvs))
    header = head + addresses + tlvs
    if crc is not None:
        header = header[:-4] + struct.pack("!I", (crc32c(header) + crc) & 0xFFFFFFFF)
    return header


def parse_v2(data: bytes) -> tuple[int, dict[int, bytes], bytes]:
    """(version and command, TLVs by type, what follows the header)."""
    assert data.startswith(SIGNATURE), data
    command, transport, length = struct.unpack_from("!BBH", data, 12)
    body, rest = data[16 : 16 + length], data[16 + length :]
    body = body[{0x11: 12, 0x21: 36, 0x31: 216}.get(transport, 0) :]
    found = {}
    while body:
        kind, size = struct.unpack_from("!BH", body)
        found[kind] = body[3 : 3 + size]
        body = body[3 + size :]
    return command, found, rest
