"""What one start was asked for: the files, and the command line's words that win over them."""

from __future__ import annotations

from enum import StrEnum

from isthmus.records import dataclass


class Farewell(StrEnum):
    """How older processes are told to go (`-sf`, `-st`)."""

    FINISH = "finish"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class Launch:
    """A start as the command line asks for it (management manual 3).

    None and False leave the choice to the configuration. `memory_limit` is megabytes.
    """

    files: tuple[str, ...]
    daemon: bool = False
    foreground: bool = False
    quiet: bool = False
    verbose: bool = False
    diagnostic: bool = False
    zero_warning: bool = False
    master_worker: bool = False
    maxconn: int | None = None
    proxy_maxconn: int | None = None
    memory_limit: int | None = None
    pidfile: str | None = None
    local_peer: str | None = None
    no_splice: bool = False
    ignore_unresolved: bool = False
    older: tuple[int, ...] = ()
    farewell: Farewell | None = None
