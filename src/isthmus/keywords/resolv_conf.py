"""The name servers of the machine: resolv.conf(5)."""

from __future__ import annotations

from ipaddress import ip_address

from isthmus.keywords.world import World
from isthmus.model.resolvers import Nameserver

PATH = "/etc/resolv.conf"
_PORT = 53


def nameservers(world: World) -> tuple[Nameserver, ...]:
    """Return the name servers of the machine, named by their addresses; none where there is no such file."""
    try:
        text = world.read_bytes(PATH).decode("latin-1")
    except OSError:
        return ()
    found: dict[str, Nameserver] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            ip = ip_address(words[1])
        except ValueError:
            continue
        found.setdefault(words[1], Nameserver(words[1], ip, _PORT))
    return tuple(found.values())
