"""TLS clients of the benchmark: connections that idle, and handshakes that resume a session."""

from __future__ import annotations

import socket
import ssl
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
ANSWER = b"x" * 100
"""What the origin's answer ends with."""


def trusting() -> ssl.SSLContext:
    """A client's settings that believe any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shaken(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """A connection whose handshake is over."""
    plain = socket.create_connection(("127.0.0.1", port), 10)
    return context.wrap_socket(plain, server_hostname="bench", session=session)


def exchange(client: ssl.SSLSocket) -> None:
    """Asks, and reads the answer to its end."""
    client.sendall(REQUEST)
    heard = b""
    while not heard.endswith(ANSWER):
        piece = client.recv(65536)
        if not piece:
            raise ConnectionError("the answer was cut short")
        heard += piece


def hold(port: int, count: int) -> list[ssl.SSLSocket]:
    """Connections that had one exchange each and wait for another."""
    context = trusting()
    held = []
    for _ in range(count):
        client = shaken(port, context)
        exchange(client)
        held.append(client)
    return held


def resume(port: int, seconds: float) -> tuple[float, float, int]:
    """Handshakes one behind the other, each under the last one's session.

    Handshakes done, handshakes a second, and how many did not resume.
    """
    context = trusting()
    first = shaken(port, context)
    exchange(first)
    session = first.session
    first.close()
    done = missed = 0
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        with shaken(port, context, session) as client:
            exchange(client)
            done += 1
            missed += not client.session_reused
            session = client.session
    return done, done / (time.monotonic() - began), missed
