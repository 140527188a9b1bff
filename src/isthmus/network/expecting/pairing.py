"""A connection to a port that a service has, of which the service hears nothing.

What a network lets through on one port it may not let through on another, and a service is not to be flooded.
So both ends are put into the state of an established connection without a word on the wire (TCP_REPAIR of
tcp(7), made for processes that move to another machine): the kernel prefers it to whoever listens. What is
sent then is a stream like any other. It needs CAP_NET_ADMIN over both namespaces, and no translation between.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from isthmus.network.expecting.echo import FAMILY
from isthmus.network.expecting.verdict import IpAddress
from isthmus.network.spaces import Space

_REPAIR, _QUEUE, _SEQUENCE, _OPTIONS = 19, 20, 21, 22
_RECEIVE_QUEUE, _SEND_QUEUE = 1, 2
_MSS, _WINDOW, _SACK = 2, 3, 4
"""Options of TCP that both ends are told of as if they had agreed on them."""
_SEGMENT = {4: 1360, 6: 1340}
"""Bytes of a segment that pass also through a tunnel."""
_SCALE = 7
_THERE, _BACK = 1_000, 2_000_000
"""First sequence numbers of either direction: any will do."""
_BLOCK = 1 << 16
_RESET = struct.pack("ii", 1, 0)

End = tuple[str, int]


class Stream:
    """The near end, and how many bytes have come to the far one."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near = near
        self.received = 0
        self._far = far
        threading.Thread(target=self._drain, name="isthmus-paired", daemon=True).start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while count := len(self._far.recv(_BLOCK)):
                self.received += count


@contextmanager
def paired(source: Space, target: Space, own: IpAddress, to: tuple[IpAddress, int]) -> Iterator[Stream]:
    """Connect two namespaces, from an own address to an address and port. OSError where that may not be."""
    address, port = to
    with source.call(_reserved, own) as reserved:
        near_end, far_end = (str(own), reserved.getsockname()[1]), (str(address), port)
        version = address.version
        with target.call(_half, version, far_end, near_end, _BACK, _THERE) as far:
            far.settimeout(None)
            with source.call(_half, version, near_end, far_end, _THERE, _BACK) as near:
                for each in (far, near):
                    each.setsockopt(socket.IPPROTO_TCP, _REPAIR, 0)
                try:
                    yield Stream(near, far)
                finally:
                    # Cut off: what waits in the buffers of a slow link is of no interest.
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    with contextlib.suppress(OSError):
                        far.shutdown(socket.SHUT_RDWR)


def _reserved(own: IpAddress) -> socket.socket:
    made = socket.socket(FAMILY[own.version], socket.SOCK_STREAM)
    made.bind((str(own), 0))
    return made


def _half(version: int, own: End, peer: End, sending: int, receiving: int) -> socket.socket:
    made = socket.socket(FAMILY[version], socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
        for queue, number in ((_SEND_QUEUE, sending), (_RECEIVE_QUEUE, receiving)):
            made.setsockopt(socket.IPPROTO_TCP, _QUEUE, queue)
            made.setsockopt(socket.IPPROTO_TCP, _SEQUENCE, struct.pack("=I", number))
        made.bind(own)
        made.connect(peer)
        agreed = (_MSS, _SEGMENT[version], _WINDOW, _SCALE | _SCALE << 16, _SACK, 0)
        made.setsockopt(socket.IPPROTO_TCP, _OPTIONS, struct.pack("=6I", *agreed))
    except BaseException:
        made.close()
        raise
    return made
