"""What is done to bodies: compression, caching, bandwidth limits. Sizes are bytes."""

from __future__ import annotations

from msgspec import Struct

from isthmus.plan.document.expression import Expression


class Compression(Struct, frozen=True, forbid_unknown_fields=True):
    """`compression`: algorithms in order of preference, media types (none means all), least sizes."""

    response: tuple[str, ...] = ()
    request: str | None = None
    response_types: tuple[str, ...] = ()
    request_types: tuple[str, ...] = ()
    offload: bool = False
    response_minimum: int = 0
    request_minimum: int = 0


class Cache(Struct, frozen=True, forbid_unknown_fields=True):
    """A section `cache`: whole size, size of an object, seconds, and what `Vary` may do."""

    name: str
    size: int
    object: int
    max_age: int
    vary: bool
    variants: int


class StreamLimit(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="stream"):
    """Each stream by itself: `default-limit` and `default-period` (milliseconds)."""

    limit: int
    period: int


class KeyLimit(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="key"):
    """All streams of one key together."""

    limit: int
    key: Expression
    table: int


Limited = StreamLimit | KeyLimit
"""What a bandwidth limit counts."""


class BandwidthLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """`filter bwlim-in` (`incoming`) or `bwlim-out`; `minimum` is forwarded at once at least."""

    name: str
    incoming: bool
    limited: Limited
    minimum: int = 0
