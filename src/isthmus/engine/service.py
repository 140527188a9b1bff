"""What crosses between the engine and a service; mirrors crates/plan/src/service.rs one for one.

Text holds bytes: a character U+0000..U+00FF for each.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class ServiceRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A request as a service sees it, without its body; see the Rust twin for each field."""

    service: str
    generation: int
    method: str
    target: str
    version: str
    fields: tuple[tuple[str, str], ...]
    length: int | None
    source: tuple[str, int] | None
    destination: tuple[str, int] | None
    src_netns: str
    frontend: str
    backend: str
    unique_id: str
    patience: int


class ServiceHead(Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a service's response."""

    status: int
    reason: str | None
    fields: tuple[tuple[str, str], ...]


class Call(Protocol):
    """A request that waits for a service's answer; `_native.pyi` tells the contract."""

    @property
    def number(self) -> int:
        """Tells it from other calls."""
        ...

    def request(self) -> bytes:
        """Return the `ServiceRequest`."""
        ...

    def begin(self) -> bool:
        """Leave the line of calls that wait."""
        ...

    def watch(self) -> None:
        """Ask to be told of changes."""
        ...

    def seen(self) -> None:
        """Ask to be told of the next change."""
        ...

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        ...

    def read(self, most: int, timeout_ms: int) -> bytes | None:
        """Read bytes of the request's body."""
        ...

    def start(self, head: bytes) -> None:
        """Give the head."""
        ...

    def write(self, data: bytes, offset: int, timeout_ms: int) -> int:
        """Give bytes of the response's body."""
        ...

    def finish(self) -> None:
        """Say that the response is whole."""
        ...

    def fail(self) -> None:
        """Say that there will be no more."""
        ...
