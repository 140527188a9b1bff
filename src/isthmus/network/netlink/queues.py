"""Shaping: the root queueing discipline of an interface, a token bucket (tbf) or netem.

Rate alone is tbf(8); delay, jitter and loss are netem(8), which has a rate of its own. Times go to the
kernel in its ticks, rates in bytes per second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from isthmus.network.machine import Machine
from isthmus.network.model import Shaping
from isthmus.network.netlink.channel import Channel
from isthmus.network.netlink.interfaces import index_of
from isthmus.network.netlink.message import (
    CREATE,
    REPLACE,
    RTM_DELQDISC,
    RTM_GETQDISC,
    RTM_NEWQDISC,
    Attributes,
    Decoded,
    attributes,
    decoded,
    encoded,
    request,
)
from isthmus.network.objects import Queue

_ROOT = 0xFFFFFFFF
_HEAD_SIZE = 20
_TCA_KIND = 1
_ALL = request(RTM_GETQDISC, bytes(_HEAD_SIZE))
_HANDLES = {"tbf": 0x10000, "netem": 0x20000}
"""One for each: under the number of the one that is there, the kernel does not put another in its place."""
_PACKETS = 1000
DISCIPLINES = frozenset({"tbf", "netem"})
"""The disciplines that a file can ask for, by the kernel's names."""
_WHOLE = 0xFFFFFFFF
_TBF_LATENCY = 50_000
"""Microseconds that a packet may wait in a token bucket before it is dropped."""


def setting(wanted: Queue, machine: Machine, *, replace: bool) -> bytes:
    """Encode the request that shapes an interface, or shapes it differently."""
    from pyroute2.netlink.rtnl.tcmsg import tcmsg

    kind = discipline(wanted.shaping)
    options = _tbf(wanted.shaping) if kind == "tbf" else _netem(wanted.shaping)
    told: Attributes = [("TCA_KIND", kind), ("TCA_OPTIONS", options)]
    return encoded(
        tcmsg,
        RTM_NEWQDISC,
        told,
        flags=REPLACE if replace else CREATE,
        index=index_of(machine, wanted.namespace, wanted.interface),
        parent=_ROOT,
        handle=_HANDLES[kind],
    )


def removing(found: Queue, machine: Machine) -> bytes:
    """Encode the request that gives an interface its default discipline back."""
    from pyroute2.netlink.rtnl.tcmsg import tcmsg

    index = index_of(machine, found.namespace, found.interface)
    return encoded(tcmsg, RTM_DELQDISC, index=index, parent=_ROOT)


def discipline(shaping: Shaping) -> str:
    """Return the kernel's name of the discipline that a shaping needs."""
    return "netem" if shaping.delay or shaping.jitter or shaping.loss else "tbf"


def _tbf(shaping: Shaping) -> dict[str, Any]:
    from pyroute2.netlink.rtnl.tcmsg.common import time2tick

    rate = (shaping.rate or 0) // 8
    burst = shaping.burst or _default_burst(rate)
    parameters = {
        "rate": rate,
        "rate_cell_log": 3,
        "rate___reserved": 1,
        "limit": rate * _TBF_LATENCY // 1_000_000 + burst,
        # The bucket's size is told as the time that it takes to fill it.
        "buffer": int(time2tick(1_000_000 * burst / max(1, rate))),
    }
    return {"attrs": [("TCA_TBF_PARMS", parameters)]}


def _default_burst(rate: int) -> int:
    """Return a bucket that holds 5 ms at the rate, and a few packets at least."""
    return max(10_000, rate // 200)


def _netem(shaping: Shaping) -> dict[str, Any]:
    from pyroute2.netlink.rtnl.tcmsg.common import time2tick

    options: dict[str, Any] = {
        "delay": int(time2tick(shaping.delay or 0)),
        "jitter": int(time2tick(shaping.jitter or 0)),
        "loss": round((shaping.loss or 0.0) * _WHOLE / 100),
        "limit": _PACKETS,
        "gap": 0,
        "duplicate": 0,
        "attrs": [],
    }
    if shaping.rate:
        rate = {"rate": shaping.rate // 8, "packet_overhead": 0, "cell_size": 0, "cell_overhead": 0}
        options["attrs"].append(("TCA_NETEM_RATE", rate))
    return options


def reading(namespace: str, names: dict[int, str], channel: Channel) -> Iterator[Queue]:
    """Read the disciplines that a file can ask for; the kernel's defaults are none of them."""
    shaping = [body for body in channel.bodies(_ALL) if _is_shaping(body)]
    if not shaping:
        return
    from pyroute2.netlink.rtnl.tcmsg import tcmsg

    for body in shaping:
        found = decoded(tcmsg, body)
        name = names.get(found["index"])
        kind = found.get_attr("TCA_KIND")
        options = found.get_attr("TCA_OPTIONS")
        if name is None or found["parent"] != _ROOT or options is None:
            continue
        yield Queue(namespace, name, _read_tbf(options) if kind == "tbf" else _read_netem(options))


def _is_shaping(body: bytes) -> bool:
    return attributes(body, _HEAD_SIZE).get(_TCA_KIND, b"").rstrip(b"\0").decode() in DISCIPLINES


def _read_tbf(options: Decoded) -> Shaping:
    from pyroute2.netlink.rtnl.tcmsg.common import tick_in_usec

    parameters = options.get_attr("TCA_TBF_PARMS")
    rate = parameters["rate"]
    burst = round(parameters["buffer"] / tick_in_usec * rate / 1_000_000)
    return Shaping(rate=rate * 8, burst=burst)


def _read_netem(options: Decoded) -> Shaping:
    from pyroute2.netlink.rtnl.tcmsg.common import tick_in_usec

    rate = options.get_attr("TCA_NETEM_RATE")
    return Shaping(
        rate=rate["rate"] * 8 if rate and rate["rate"] else None,
        delay=round(options["delay"] / tick_in_usec) or None,
        jitter=round(options["jitter"] / tick_in_usec) or None,
        loss=round(options["loss"] * 100 / _WHOLE, 4) or None,
    )


def alike(wanted: Shaping, found: Shaping) -> bool:
    """Say whether a shaping that was read is the wanted one, within the kernel's rounding."""
    if discipline(wanted) != discipline(found):
        return False
    default = None if discipline(wanted) == "netem" else _default_burst((wanted.rate or 0) // 8)
    burst = None if default is None else wanted.burst or default
    pairs = (
        (wanted.rate, found.rate, 8),
        (burst, found.burst, (burst or 0) * 0.01 + 16),
        (wanted.delay, found.delay, 1),
        (wanted.jitter, found.jitter, 1),
        (wanted.loss, found.loss, 0.001),
    )
    return all(abs((want or 0) - (have or 0)) <= slack for want, have, slack in pairs)
