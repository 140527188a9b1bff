"""How many descriptors and how much memory the process may use (manual 3.1 `ulimit-n`, `-m`)."""

from __future__ import annotations

import resource

from isthmus.process.errors import StartError

_RESERVE = 64
"""Descriptors besides connections and listeners: pollers, logs, the runtime API, namespaces."""
_MOST_FILES = 1_048_576
"""Where the system sets no limit worth the name, this one holds, as in HAProxy (`fd-hard-limit`)."""


def needed_files(maxconn: int, listeners: int, checks: int) -> int:
    """Return how many descriptors `maxconn` client connections can take: both sides, and the rest."""
    return 2 * maxconn + listeners + checks + _RESERVE


def fitting_maxconn(files: int, listeners: int, checks: int) -> int:
    """Return how many client connections a number of descriptors is enough for."""
    return max(1, (files - listeners - checks - _RESERVE) // 2)


def raise_files(wanted: int | None, needed: int) -> int:
    """Raise the limit of open files and return it.

    `wanted` is `ulimit-n`, which is set as it is; without it the limit is raised to what is `needed`,
    or, where 0 is needed, to what the system allows. Raises StartError where that is not possible.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = wanted or needed or min(hard, _MOST_FILES)
    if wanted is None and aim <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, max(aim, hard)))
    except (ValueError, OSError) as error:
        what = f"ulimit-n {wanted}" if wanted else f"the {aim} descriptors that `maxconn` needs"
        raise StartError(
            f"cannot raise the limit of open files from {soft} (at most {hard}) to {what}: {error}"
        ) from None
    return aim


def limit_memory(megabytes: int) -> None:
    """Limit the address space (`-m`). Raises StartError where that is not possible."""
    size = megabytes * 1024 * 1024
    try:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ValueError, OSError) as error:
        raise StartError(f"cannot limit the memory to {megabytes} megabytes: {error}") from None
