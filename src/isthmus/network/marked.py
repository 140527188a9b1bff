"""Which networks there are, by the marks alone: for `show` without a file, and for `lab status`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isthmus.lab.contents import Found
from isthmus.network.machine import machine
from isthmus.network.model import HOST
from isthmus.network.netlink.reading import Reading
from isthmus.network.spaces import NAMED_FOLDER, OWN_FOLDER, Space, host_path


def owner(space: Space) -> str | None:
    """Return the network that made a namespace; None for a namespace that no network made."""
    return _marks([space]).get(space.name, {}).get("lo")


def networks_here() -> list[str]:
    """Return the names of all networks that have a namespace, or an interface of the host, here."""
    named = [Space(path.name, path) for path in sorted(NAMED_FOLDER.glob("*"))]
    marks = _marks([Space(HOST, host_path()), *named])
    found = {network for interfaces in marks.values() for network in interfaces.values()}
    found.update(path.parent.name for path in OWN_FOLDER.glob("net/*/*"))
    return sorted(found)


def _marks(spaces: Iterable[Space]) -> dict[str, dict[str, str]]:
    """Return, for each namespace that can be entered, the networks of its interfaces by name."""
    found: dict[str, dict[str, str]] = {}
    with machine(spaces) as opened:
        for name in tuple(opened.spaces):
            try:
                reading = Reading(name, opened.channel(name))
            except OSError:
                continue
            found[name] = {interface: mark.network for interface, mark in reading.all_marks().items()}
    return found


def owners(found: Sequence[Found]) -> dict[str, str]:
    """Return the network that made each namespace that one has made, by the namespace's full name."""
    known = ((each.full_name, each.network or owner(each.space)) for each in found)
    return {name: network for name, network in known if network is not None}
