"""The persistence cookie (`cookie` in a backend). Times are seconds, 0 is no limit."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class CookieMode(StrEnum):
    """Who sets the persistence cookie."""

    PASSIVE = "passive"
    REWRITE = "rewrite"
    INSERT = "insert"
    PREFIX = "prefix"


class Cookie(Struct, frozen=True, forbid_unknown_fields=True):
    """How a cookie keeps a client on its server; see the Rust twin for each field."""

    name: str
    mode: CookieMode = CookieMode.PASSIVE
    indirect: bool = False
    nocache: bool = False
    postonly: bool = False
    preserve: bool = False
    httponly: bool = False
    secure: bool = False
    domains: tuple[str, ...] = ()
    max_idle: int = 0
    max_life: int = 0
    attributes: tuple[str, ...] = ()
    dynamic_key: str | None = None
