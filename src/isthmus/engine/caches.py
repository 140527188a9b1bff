"""What caches hold, as the engine tells it; these types mirror crates/plan/src/caches.rs."""

from __future__ import annotations

from msgspec import Struct


class CachedFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A stored response: hashes of its key and of what it depends on, bytes, users, seconds to live."""

    turn: int
    hash: int
    variant: int
    size: int
    users: int
    expires: int


class CacheFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A cache of the plan in force: its memory in bytes, and its objects, the one used longest ago first."""

    name: str
    size: int
    objects: tuple[CachedFacts, ...]
