"""One check by TCP connect, and a greeting. The socket is made where the server is: in its namespace."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import ip_address

from isthmus.health.greeting import NO_GREETING, Greeting
from isthmus.health.outcome import Outcome, Verdict
from isthmus.plan import CheckTarget, document

SocketMaker = Callable[[str, int, int], int]
"""Returns the descriptor of a fresh non-blocking socket in a namespace, by file, family and kind."""

_CLOSE_BY_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: a reset ends the connection, and no TIME_WAIT entry stays behind each check."""


async def probe(
    target: CheckTarget, timeout: float, make_socket: SocketMaker, greeting: Greeting = NO_GREETING
) -> Outcome:
    """Connect to a target and greet it, in at most `timeout` seconds, and return what came of it."""
    began = time.monotonic()
    verdict, info, late = Verdict.PASSED, "", Verdict.TIMEOUT
    try:
        with _open(target, make_socket) as connection:
            async with asyncio.timeout(timeout):
                await asyncio.get_running_loop().sock_connect(connection, _place(target.address))
                late = greeting.late
                verdict, info = await greeting.say(connection)
            if not greeting.shakes_hands:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_BY_RESET)
    except TimeoutError:
        verdict, info = late, ""
    except OSError as error:
        verdict, info = _failure(error)
    return Outcome(verdict, info, round((time.monotonic() - began) * 1000))


def _open(target: CheckTarget, make_socket: SocketMaker) -> socket.socket:
    family = _family(target.address)
    if target.namespace is None:
        made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    else:
        descriptor = make_socket(target.namespace, family, socket.SOCK_STREAM)
        made = socket.socket(family, socket.SOCK_STREAM, fileno=descriptor)
    made.setblocking(False)
    return made


def _family(address: document.Address) -> int:
    match address:
        case document.Inet(ip):
            return socket.AF_INET if ip_address(ip).version == 4 else socket.AF_INET6
        case document.Unix() | document.Abstract():
            return socket.AF_UNIX
        case _:
            raise OSError(errno.EAFNOSUPPORT, "an inherited descriptor cannot be checked")


def _place(address: document.Address) -> tuple[str, int] | str | bytes:
    """Return an address as the socket module takes it."""
    match address:
        case document.Inet(ip, port):
            return ip, port
        case document.Unix(path):
            return path
        case document.Abstract(name, zero_terminated):
            # abns@ pads its name with NULs to the whole length of sun_path, abnsz@ does not (manual 4).
            raw = b"\0" + name.encode("latin-1")
            return raw if zero_terminated else raw.ljust(108, b"\0")
        case _:
            raise OSError(errno.EAFNOSUPPORT, "an inherited descriptor cannot be checked")


def _failure(error: OSError) -> tuple[Verdict, str]:
    number = error.errno or 0
    if number == errno.ETIMEDOUT:
        return Verdict.TIMEOUT, ""
    verdict = (
        Verdict.SOCKET_ERROR
        if number in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
        else Verdict.NO_CONNECTION
    )
    # asyncio words the errors of connect(2) in its own way; logs have the kernel's words.
    return verdict, os.strerror(number) if number else str(error)
