"""A route netlink socket in one namespace: requests go out in batches, answers are matched by number.

Messages come and go as bytes (`message`). pyroute2's sockets are not used, since they send one request
at a time and cost a thread for each namespace. Holds no knowledge of what the messages mean.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Sequence

from isthmus.records import dataclass

_HEADER = struct.Struct("=IHHII")
_ERROR_CODE = struct.Struct("=i")
_ATTRIBUTE = struct.Struct("=HH")

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLMSGERR_ATTR_MSG = 1

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12

_BATCH = 64
"""Requests in flight: their refusals must fit into the socket's receive buffer."""

_LARGEST = 1 << 16
"""Bytes taken at once: the kernel packs the parts of a list into at most 32 KiB."""

_SIOCGIFINDEX = 0x8933
_INDEX_REQUEST = struct.Struct("16si20x")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the kernel had against a request: errno and, where it tells one, a reason."""

    number: int
    reason: str = ""

    def __str__(self) -> str:
        said = os.strerror(self.number)
        return f"{said} ({self.reason})" if self.reason else said


class Channel:
    """One socket. Must be made by a thread that is inside the namespace; may then be used anywhere."""

    writes = 0
    """Requests that change something, sent by all channels of the process: tests count them."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.bind((0, 0))
        self._number = 0

    def close(self) -> None:
        """Let go of the socket, and with it of the namespace."""
        self._socket.close()

    def index_of(self, name: str) -> int | None:
        """Return the index of the interface with this name; None where there is none."""
        try:
            answer = fcntl.ioctl(self._socket, _SIOCGIFINDEX, _INDEX_REQUEST.pack(name.encode(), 0))
        except OSError as error:
            if error.errno == errno.ENODEV:
                return None
            raise
        index: int = _INDEX_REQUEST.unpack(answer)[1]
        return index

    def change(self, requests: Sequence[bytes]) -> list[Refusal | None]:
        """Send encoded requests and return, for each, None or what the kernel had against it.

        One that fails does not keep the following ones from being carried out.
        """
        outcomes: list[Refusal | None] = []
        for start in range(0, len(requests), _BATCH):
            outcomes += self._change_some(requests[start : start + _BATCH])
        return outcomes

    def _change_some(self, requests: Sequence[bytes]) -> list[Refusal | None]:
        Channel.writes += len(requests)
        first, last = self._number + 1, self._number + len(requests)
        parts = [self._numbered(request, NLM_F_REQUEST) for request in requests[:-1]]
        # Refusals are told in any case, and in order: what the last one hears ends the others' answers.
        parts.append(self._numbered(requests[-1], NLM_F_REQUEST | NLM_F_ACK))
        self._socket.send(b"".join(parts))
        outcomes: list[Refusal | None] = [None] * len(requests)
        ended = False
        while not ended:
            for kind, flags, number, body in _messages(self._receive()):
                if kind == _NLMSG_ERROR and first <= number <= last:
                    outcomes[number - first] = _refusal(flags, body)
                    ended = number == last
        return outcomes

    def bodies(self, request: bytes, flags: int = NLM_F_DUMP) -> Iterator[bytes]:
        """Ask for objects and yield the answers' raw bodies. OSError where the kernel refuses.

        With flags 0 one object is asked for, not a list.
        """
        self._socket.send(self._numbered(request, NLM_F_REQUEST | (flags or NLM_F_ACK)))
        while True:
            for kind, answer_flags, number, body in _messages(self._receive()):
                if number != self._number:
                    continue
                if kind == _NLMSG_ERROR:
                    refusal = _refusal(answer_flags, body)
                    if refusal is not None:
                        raise OSError(refusal.number, str(refusal))
                    return
                if kind == _NLMSG_DONE:
                    return
                yield body

    def _numbered(self, request: bytes, flags: int) -> bytes:
        length, kind, own_flags, _, _ = _HEADER.unpack_from(request)
        self._number += 1
        padding: bytes = b"\0" * (-length % 4)
        header = _HEADER.pack(length, kind, own_flags | flags, self._number, 0)
        return header + request[16:length] + padding

    def _receive(self) -> bytes:
        answer: bytes = self._socket.recv(_LARGEST)
        return answer


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Split a datagram into (type, flags, number, body)."""
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, number, _ = _HEADER.unpack_from(data, offset)
        if length < 16:
            return
        yield kind, flags, number, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def _refusal(flags: int, body: bytes) -> Refusal | None:
    code = -_ERROR_CODE.unpack_from(body)[0]
    return Refusal(code, _reason(flags, body)) if code else None


def _reason(flags: int, body: bytes) -> str:
    """Read the extended acknowledgement, which stands behind the refused request's header (or all of it)."""
    if not flags & _NLM_F_ACK_TLVS:
        return ""
    offset = 4 + 16
    if not flags & _NLM_F_CAPPED:
        offset = 4 + ((_HEADER.unpack_from(body, 4)[0] + 3) & ~3)
    while offset + 4 <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if kind == _NLMSGERR_ATTR_MSG:
            return body[offset + 4 : offset + length].rstrip(b"\0").decode(errors="replace")
        offset += max(4, (length + 3) & ~3)
    return ""
