"""A server of HTTP/2 in clear that does odd things, on the kept library h2: what it does is a function."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RemoteSettingsChanged, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from .wire import DEADLINE

OK = ((":status", "200"), ("content-length", "2"))


class Peer:
    """One connection as the server sees it."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests: list[int] = []
        self.resets: dict[int, int] = {}
        self.data: dict[int, bytes] = {}
        self.left: dict[int, int] = {}
        self.ended = threading.Event()

    def begin(self, said: dict[SettingCodes | int, int]) -> None:
        """Begins with these settings."""
        self.h2.local_settings = Settings(client=False, initial_values=said)
        self.h2.initiate_connection()

    def flush(self) -> None:
        with suppress(OSError):
            self.sock.sendall(self.h2.data_to_send())

    def answer(self, stream: int, headers: Any = OK, body: bytes = b"ok", *, end: bool = True) -> None:
        """Answers whole, with a body that fits the windows."""
        self.h2.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()

    def go_on(self) -> None:
        """Sends as much of the bodies that are `left` as windows allow."""
        for stream, left in self.left.items():
            while left and (room := self.h2.local_flow_control_window(stream)) > 0:
                size = min(left, room, self.h2.max_outbound_frame_size)
                left -= size
                self.h2.send_data(stream, bytes(size), end_stream=not left)
            self.left[stream] = left

    def read(self, acts: Callable[[Peer, Event], None]) -> None:
        """Reads until the connection is over."""
        while data := self._receive():
            try:
                for event in self.h2.receive_data(data):
                    self._note(event)
                    acts(self, event)
            except ProtocolError:
                # The peer has ended the connection, or is no peer of HTTP/2.
                break
            self.flush()
        self.ended.set()
        self.sock.close()

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(65536)
        except OSError:
            return b""

    def _note(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                self.requests.append(stream)
            case DataReceived(stream_id=int(stream), data=bytes(data)):
                self.data[stream] = self.data.get(stream, b"") + data
                self.h2.acknowledge_received_data(len(data), stream)
            case StreamReset(stream_id=int(stream)):
                self.resets[stream] = int(event.error_code or 0)
            case RemoteSettingsChanged() | StreamEnded() | _:
                pass


Acts = Callable[[Peer, Event], None]


class Server:
    """Accepts connections; each is a `Peer` with a thread of its own."""

    def __init__(self, acts: Acts, prepare: Callable[[Peer], None] | None = None) -> None:
        self._acts = acts
        self._prepare = prepare
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.peers: list[Peer] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            sock.settimeout(2 * DEADLINE)
            peer = Peer(sock, len(self.peers))
            self.peers.append(peer)
            if self._prepare:
                self._prepare(peer)
            else:
                peer.begin({})
            peer.flush()
            threading.Thread(target=peer.read, args=(self._acts,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for peer in self.peers:
            with suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def serving(acts: Acts, prepare: Callable[[Peer], None] | None = None) -> Iterator[Server]:
    server = Server(acts, prepare)
    try:
        yield server
    finally:
        server.close()
