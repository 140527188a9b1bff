"""The native module: bytes in, bytes out. Documents are JSON, of the types in this package's modules."""

from typing import Self, final

__all__ = ["Engine", "vocabulary"]

def vocabulary() -> bytes:
    """Return the fetches, converters, ACL keywords and aliases that the engine knows."""

@final
class Engine:
    """The Rust engine. Every call may be made from any thread and detaches the interpreter."""

    def __new__(cls, threads: int) -> Self:
        """Start the worker threads. Raises OSError where the system refuses them."""

    def apply(self, plan: bytes) -> bytes:
        """Make a plan so; return an `ApplyReport`. Raises ValueError for a plan that it refuses."""

    def command(self, command: bytes) -> None:
        """Carry out a `Command`. Raises LookupError or ValueError with a message."""

    def snapshot(self) -> bytes:
        """Return a `Snapshot`."""

    def sessions(self) -> bytes:
        """Return a list of `SessionFacts`."""

    def events(self, timeout_ms: int) -> bytes:
        """Wait up to `timeout_ms` for something to happen; return a list of `Event`, perhaps empty."""

    def socket(self, namespace: str, family: int, kind: int) -> int:
        """Return the descriptor of a fresh non-blocking socket made in a namespace of the plan, by name.

        Raises OSError.
        """

    def stop(self, graceful: bool) -> None:
        """Close the listeners; `graceful` lets sessions end first. Event `Stopped` tells when it is done."""
