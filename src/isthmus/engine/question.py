"""What crosses between the engine and whoever asks name servers; mirrors crates/plan/src/question.rs.

Text holds bytes: a character U+0000..U+00FF for each.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec import Struct

from isthmus.plan.document import Family


class NameQuestion(Struct, frozen=True, forbid_unknown_fields=True):
    """A name whose address a rule wants to know; see the Rust twin for each field."""

    resolvers: str
    generation: int
    name: str
    prefer: Family


@runtime_checkable
class Question(Protocol):
    """A question whose answer a session waits for; `_native.pyi` tells the contract."""

    @property
    def number(self) -> int:
        """Tells it from other questions and from calls."""
        ...

    def request(self) -> bytes:
        """Return the `NameQuestion`."""
        ...

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        ...

    def answer(self, address: str | None) -> None:
        """Give an IP address, or say that there is none."""
        ...
