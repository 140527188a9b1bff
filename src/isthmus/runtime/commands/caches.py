"""`show cache`: the caches and what they hold."""

from __future__ import annotations

from isthmus.engine.caches import CachedFacts, CacheFacts
from isthmus.runtime.registry import Request, command

BLOCK = 1024
"""Bytes of a block: HAProxy's caches are cut into such, and scripts read the counts."""


@command("show cache", "show the caches and what they store")
def show_cache(request: Request) -> str:
    """Return a line for each cache and for each object, in HAProxy's form.

    Numbers stand where HAProxy prints addresses: who may read this need not know where memory lies.
    """
    caches = request.instance.engine.caches()
    return "".join(_lines(number, cache) for number, cache in enumerate(caches, 1))


def _lines(number: int, cache: CacheFacts) -> str:
    # Objects that nobody reads make room for others, and so count as available.
    taken = sum(_blocks(each) for each in cache.objects if each.users)
    available = max(0, cache.size // BLOCK - taken)
    head = f"{number:#x}: {cache.name} (shctx:{number:#x}, available blocks:{available})\n"
    return head + "".join(map(_line, cache.objects))


def _line(each: CachedFacts) -> str:
    return (
        f"{each.turn:#x} hash:{each.hash} vary:0x{each.variant:016x} size:{each.size} "
        f"({_blocks(each)} blocks), refcount:{each.users}, expire:{each.expires}\n"
    )


def _blocks(each: CachedFacts) -> int:
    return -(-each.size // BLOCK)
