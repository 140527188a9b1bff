"""A client of HTTP/2 over one connection, on Python's h2: requests, tunnels, and WebSockets in them."""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    InformationalResponseReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from .wire import DEADLINE

Fields = list[tuple[str, str]]


class Client:
    """One connection. `heads`, `interim`, `bodies`, `ended` and `reset` tell of its streams; windows of those
    that are `withheld` are not opened again."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(DEADLINE)
        # What is sent is what a test says, malformed or not.
        plain = H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.connection = H2Connection(plain)
        self.heads: dict[int, dict[str, str]] = {}
        # The same heads as h2 gives them.
        self.fields: dict[int, Sequence[object]] = {}
        self.interim: defaultdict[int, list[str]] = defaultdict(list)
        self.bodies: defaultdict[int, bytearray] = defaultdict(bytearray)
        self.withheld: set[int] = set()
        self.ended: set[int] = set()
        self.reset: dict[int, int] = {}
        self.gone: int | None = None
        self.settings: dict[int, int] = {}
        self._pongs = 0
        self.connection.initiate_connection()
        self._flush()
        self.until(lambda: bool(self.settings))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    @property
    def connects(self) -> bool:
        """Whether the server takes extended CONNECT (RFC 8441, section 3)."""
        return self.settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL) == 1

    def request(self, fields: Fields, *, end: bool = True) -> int:
        """Begins a stream; its number."""
        stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(stream, fields, end_stream=end)
        self._flush()
        return stream

    def connect(self, path: str, fields: Fields | None = None, protocol: str = "websocket") -> int:
        """Asks for a tunnel (RFC 8441, section 4)."""
        head = [
            (":method", "CONNECT"),
            (":protocol", protocol),
            (":scheme", "http"),
            (":path", path),
            (":authority", "site.test"),
        ]
        return self.request([*head, ("sec-websocket-version", "13"), *(fields or [])], end=False)

    def send(self, stream: int, data: bytes) -> None:
        """Sends data as the windows allow."""
        at = 0
        while at < len(data):
            room = self.connection.local_flow_control_window(stream)
            room = min(room, self.connection.max_outbound_frame_size, len(data) - at)
            if room == 0:
                self._receive()
                continue
            self.connection.send_data(stream, data[at : at + room])
            at += room
            self._flush()

    def send_what_fits(self, stream: int, size: int) -> int:
        """Sends so many bytes, until a window is shut and a ping does not open it; how many were sent."""
        sent, shut = 0, False
        while sent < size:
            room = self.connection.local_flow_control_window(stream)
            room = min(room, self.connection.max_outbound_frame_size, size - sent)
            if room == 0 and shut:
                break
            if shut := room == 0:
                self.ping()
                continue
            self.connection.send_data(stream, bytes(room))
            sent += room
            self._flush()
        return sent

    def ping(self) -> None:
        """Waits for the answer to a ping."""
        before = self._pongs
        self.connection.ping(b"there? :")
        self._flush()
        self.until(lambda: self._pongs > before)

    def trailers(self, stream: int, fields: Fields) -> None:
        """Ends a request with trailers."""
        self.connection.send_headers(stream, fields, end_stream=True)
        self._flush()

    def raw(self, frames: bytes) -> None:
        """Sends frames of which this end's state does not know."""
        self._sock.sendall(frames)

    def until_gone(self) -> None:
        """Reads until the other end says goodbye."""
        while self.gone is None:
            self._receive()

    def finish(self, stream: int) -> None:
        self.connection.end_stream(stream)
        self._flush()

    def give_up(self, stream: int) -> None:
        self.connection.reset_stream(stream, 8)
        self._flush()

    def head(self, stream: int) -> dict[str, str]:
        """The response's head."""
        self.until(lambda: stream in self.heads or stream in self.reset)
        return self.heads.get(stream, {})

    def body(self, stream: int) -> bytes:
        """The whole of a response."""
        self.until(lambda: stream in self.ended or stream in self.reset)
        return bytes(self.bodies[stream])

    def until(self, holds: object) -> None:
        """Reads until something holds."""
        deadline = time.monotonic() + DEADLINE
        while not holds():  # type: ignore[operator]
            assert time.monotonic() < deadline
            assert self.gone is None or self.gone == 0, f"the connection ended with error {self.gone}"
            self._receive()

    def _flush(self) -> None:
        self._sock.sendall(self.connection.data_to_send())

    def _receive(self) -> None:
        data = self._sock.recv(65536)
        assert data, "the proxy closed the connection"
        for event in self.connection.receive_data(data):
            match event:
                case RemoteSettingsChanged():
                    self.settings |= {
                        int(code): each.new_value for code, each in event.changed_settings.items()
                    }
                case ResponseReceived(stream_id=int(stream)):
                    self.fields[stream] = event.headers
                    pairs = ((bytes(name).decode(), bytes(value).decode()) for name, value in event.headers)
                    self.heads[stream] = dict(pairs)
                case DataReceived(stream_id=int(stream)):
                    self.bodies[stream] += event.data
                    taken = event.flow_controlled_length
                    if stream not in self.withheld:
                        self.connection.acknowledge_received_data(taken, stream)
                    elif taken:
                        self.connection.increment_flow_control_window(taken)
                case InformationalResponseReceived(stream_id=int(stream)):
                    pairs = ((bytes(name).decode(), bytes(value).decode()) for name, value in event.headers)
                    self.interim[stream].append(dict(pairs)[":status"])
                case PingAckReceived():
                    self._pongs += 1
                case StreamEnded(stream_id=int(stream)):
                    self.ended.add(stream)
                case StreamReset(stream_id=int(stream)):
                    self.reset[stream] = int(event.error_code)
                case ConnectionTerminated():
                    self.gone = int(event.error_code)
        self._flush()


class WebSocket:
    """A WebSocket in a stream of its own (RFC 8441, section 5)."""

    def __init__(self, client: Client, stream: int) -> None:
        self._client = client
        self.stream = stream
        self._taken = 0
        self._reader = StreamReader()

    def say(self, text: str) -> None:
        self._send(Opcode.TEXT, text.encode())

    def ping(self, data: bytes) -> None:
        self._send(Opcode.PING, data)

    def close(self, code: int = 1000) -> None:
        self._send(Opcode.CLOSE, code.to_bytes(2, "big"))

    def hear(self) -> tuple[str, bytes]:
        """The next frame: `text`, `pong` or `close`, and what it holds."""
        parsing = Frame.parse(self._reader.read_exact, mask=False, max_size=2**24)
        while True:
            try:
                next(parsing)
            except StopIteration as done:
                frame: Frame = done.value
                words = {Opcode.TEXT: "text", Opcode.PONG: "pong", Opcode.CLOSE: "close"}
                return words[frame.opcode], bytes(frame.data)
            self._client.until(lambda: len(self._client.bodies[self.stream]) > self._taken)
            data = self._client.bodies[self.stream][self._taken :]
            self._taken += len(data)
            self._reader.feed_data(bytes(data))

    def _send(self, opcode: Opcode, data: bytes) -> None:
        self._client.send(self.stream, Frame(opcode, data).serialize(mask=True))
