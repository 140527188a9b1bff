"""Which services stop and which start when others are wanted, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from isthmus.network.services.definition import Definition
from isthmus.network.services.errors import ServiceError
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Names of services: these stop (their dependents first), then these start (what they need first)."""

    stop: tuple[str, ...]
    start: tuple[str, ...]


def in_order(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
    """Return services so that each stands behind what it needs; ServiceError where that cannot be."""
    known = {each.name: each for each in definitions}
    for each in known.values():
        for need in each.needs:
            if need not in known:
                raise ServiceError(
                    f"service {each.name} needs {need}, which is no service of this network",
                    service=each.name,
                    hint=f"define {need} under `services:` or take it from `needs:`",
                )
    try:
        names = TopologicalSorter({each.name: each.needs for each in known.values()}).static_order()
        return tuple(known[name] for name in names)
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise ServiceError(
            f"services wait for each other: {circle}", hint="take one of them from `needs:`"
        ) from None


def compare(
    running: Mapping[str, str], wanted: Iterable[Definition], idle: frozenset[str] = frozenset()
) -> Change:
    """Say what changes. `running` holds fingerprints, in starting order; `idle` services do not run.

    A service that is wanted as it runs is left alone, and so is one whose need is started anew.
    """
    order = tuple(wanted)
    same = {
        each.name for each in order if running.get(each.name) == each.fingerprint and each.name not in idle
    }
    stop = tuple(name for name in reversed(tuple(running)) if name not in same)
    return Change(stop, tuple(each.name for each in order if each.name not in same))
