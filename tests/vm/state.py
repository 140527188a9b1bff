"""What is there, as the kernel tells it: to be compared before and after. Starts no program, which is slow.

What changes by itself is left out: counters, timers, and what the kernel gives every interface of IPv6.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.message import attributes

from .ground import inside

GENERATED = (bytes.fromhex("fe80"), bytes.fromhex("ff00"))
NETFILTER = 12
TABLE, CHAIN, RULE = 0xA01, 0xA04, 0xA07

# Of each kind of object: the request's number, how long its answers' fixed part is, and which attributes
# say what somebody has set.
ASKED = {
    "link": (18, 16, {1, 3, 4, 5, 10, 20, 27}),
    "address": (22, 8, {1, 2, 3}),
    "route": (26, 12, {1, 4, 5, 6, 7, 9, 15}),
    "rule": (34, 12, set(range(1, 22))),
    "neighbour": (30, 12, {1, 2}),
    "queue": (38, 20, {1, 2}),
}
State = dict[str, list[tuple[str, bytes]]]


def everything() -> State:
    """All that is there of the machine and in each of its namespaces."""
    found = {"": sorted(here())}
    folder = Path("/run/netns")
    for name in sorted(os.listdir(folder)) if folder.exists() else ():
        found[name] = sorted(inside(name, lambda: list(here())))
    return found


def interfaces() -> set[str]:
    """The names of the interfaces in the namespace of the calling thread."""
    return {name for _, name in socket.if_nameindex()}


def here() -> Iterator[tuple[str, bytes]]:
    channel = Channel()
    for what, (number, fixed, wanted) in ASKED.items():
        for body in channel.bodies(request(number, bytes(fixed))):
            told = {kind: raw for kind, raw in attributes(body, fixed).items() if kind in wanted}
            if worth(what, body, told):
                yield what, settled(what, body, fixed) + repr(sorted(told.items())).encode()
    channel.close()
    channel = Channel(NETFILTER)
    for number in (TABLE, CHAIN, RULE):
        for body in channel.bodies(request(number, bytes(4))):
            yield "filter", body
    channel.close()


def request(number: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), number, 0, 0, 0) + body


def worth(what: str, body: bytes, told: dict[int, bytes]) -> bool:
    """Whether somebody has set it."""
    if what == "neighbour":
        (state,) = struct.unpack_from("=H", body, 8)
        return bool(state & 0x80)
    return what == "link" or not any(raw.startswith(GENERATED) for raw in told.values())


def settled(what: str, body: bytes, fixed: int) -> bytes:
    """The fixed part, without whether a line is up and an address is known to be nobody else's."""
    if what == "link":
        _, kind, index, flags = struct.unpack_from("=BxHiI", body)
        return f"{index} {kind} {flags & 1} ".encode()
    return bytes([body[0], body[1], *body[3:fixed]]) if what == "address" else body[:fixed]
