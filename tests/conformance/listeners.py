"""Which TCP ports are listened on, asked of the kernel with sock_diag(7).

The tables under /proc/net tell it too, but to read them the kernel walks through every place that a
connection could have: milliseconds each time, which add up while a hundred tests wait for their proxies.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
# NLM_F_REQUEST and NLM_F_DUMP.
DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
TCP_LISTEN = 10
_HEADER = struct.Struct("=IHHII")
# inet_diag_req_v2: family, protocol, extensions, padding, states, then the addresses of one socket.
_REQUEST = struct.Struct("=BBBBI48x")
# inet_diag_msg: family, state, timer, retransmits, then the port, which is in the network's order.
_PORT = struct.Struct("!4xH")


def listening_ports() -> set[int]:
    """The ports that somebody in this network namespace listens on, over IPv4 or IPv6."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.bind((0, 0))
        return {port for family in (socket.AF_INET, socket.AF_INET6) for port in _listeners(kernel, family)}


def _listeners(kernel: socket.socket, family: int) -> Iterator[int]:
    asked = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
    kernel.send(_HEADER.pack(_HEADER.size + len(asked), SOCK_DIAG_BY_FAMILY, DUMP, 0, 0) + asked)
    while True:
        told = memoryview(kernel.recv(1 << 16))
        while told:
            length, kind, *_ = _HEADER.unpack_from(told)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from("=i", told, _HEADER.size)[0]
                raise OSError(code, "the kernel does not tell of its sockets (is inet_diag there?)")
            yield _PORT.unpack_from(told, _HEADER.size)[0]
            told = told[(length + 3) & ~3 :]
