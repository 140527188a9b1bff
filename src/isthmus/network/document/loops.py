"""Loops in what depends on what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def find_loops(graph: Mapping[T, Iterable[T]]) -> list[tuple[T, ...]]:
    """Return one loop for each way back that a walk in depth meets; its members in order, the first once.

    Names that the graph does not have are ends. It does not recurse: a chain may be of any length.
    """
    loops: list[tuple[T, ...]] = []
    done: set[T] = set()
    for root in graph:
        if root in done:
            continue
        path = {root: iter(graph[root])}
        while path:
            name = next(reversed(path))
            following = next(path[name], None)
            if following is None:
                del path[name]
                done.add(name)
            elif following in path:
                names = list(path)
                loops.append(tuple(names[names.index(following) :]))
            elif following in graph and following not in done:
                path[following] = iter(graph[following])
    return loops
