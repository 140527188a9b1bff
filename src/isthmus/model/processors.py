"""Which processors the process and its workers run on."""

from __future__ import annotations

from enum import Enum

from isthmus.records import dataclass


class CpuPart(Enum):
    """What numbers of `cpu-set` count: processors themselves, or parts of the machine that they belong to."""

    CPU = "cpu"
    NODE = "node"
    CLUSTER = "cluster"
    CORE = "core"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class CpuChoice:
    """One directive of `cpu-set`: run on those alone (`only`) or not on those. `part` None is `reset`."""

    part: CpuPart | None
    only: bool
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CpuMap:
    """One line `cpu-map`: threads from 1, None for all; `each` gives every thread one of the processors."""

    threads: tuple[int, ...] | None
    cpus: tuple[int, ...]
    each: bool = False
