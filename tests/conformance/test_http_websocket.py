"""WebSocket handshakes: which begin a tunnel, and which are refused on either side."""

from __future__ import annotations

import pytest

from .http_exchanges import get
from .http_lab import Exchange, Reply, compare
from .lab import Both

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
SHORT = b"Sec-WebSocket-Key: abc\r\n"
PROOF = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
WRONG = PROOF.replace(b"s3p", b"abc")


def asks(fields: bytes = KEY, protocol: bytes = b"websocket") -> bytes:
    return get(fields=b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n" + fields)


def opens(fields: bytes = PROOF, protocol: bytes = b"websocket") -> Reply:
    head = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
    return Reply(head + fields + b"\r\nx", close=True)


def _row(name: str, send: bytes, reply: Reply, *statuses: int, front: str = "", back: str = "") -> Exchange:
    return Exchange(name, (send,), (reply,), statuses=statuses, front=front, back=back)


def _stricter(name: str, send: bytes, reply: Reply, front: str = "") -> Exchange:
    why = "a server that answers to another key has not read the handshake"
    return Exchange(name, (send,), (reply,), statuses=(101,), front=front, beyond=why, ours=(502,))


ROWS = [
    _row("a handshake", asks(), opens(), 101),
    _row("in other case", asks(protocol=b"WebSocket"), opens(protocol=b"WebSocket"), 101),
    _row("two keys, one of them whole", asks(SHORT + KEY), opens(), 101),
    _row("a proof twice", asks(), opens(PROOF + PROOF), 101),
    _row("one proof of two is right", asks(), opens(WRONG + PROOF), 101),
    _row("no proof", asks(), opens(b""), 502),
    _row("no key", asks(b""), opens(), 400),
    _row("a short key", asks(SHORT), opens(), 400),
    _row("no key among several protocols", asks(b"", b"x, websocket"), opens(protocol=b"x"), 400),
    _row("the server prefers another protocol", asks(protocol=b"websocket, x"), opens(b"", b"x"), 101),
    _row("nobody asked for it", asks(b"", b"x"), opens(b""), 502),
    _row("another protocol needs no proof", asks(b"", b"x"), opens(b"", b"x"), 101),
    _row("not taken", asks(), Reply(b"HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n"), 426),
    _stricter("a wrong proof", asks(), opens(WRONG)),
    _stricter(
        "the proof of the client's key to another one",
        asks(),
        opens(),
        "http-request set-header sec-websocket-key abc",
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_a_tunnel_begins_only_where_both_sides_know_of_it(both: Both, row: Exchange) -> None:
    compare(both, row)
