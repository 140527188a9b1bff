"""The native module: bytes in, bytes out. Documents are JSON, of the types in this package's modules."""

from typing import Self, final

__all__ = ["Engine", "check_list", "check_tls", "vocabulary"]

def vocabulary() -> bytes:
    """Return the fetches, converters, ACL keywords and aliases that the engine knows."""

def check_list(text: bytes, check: bytes) -> bytes:
    """Return what is wrong with the text of a pattern file for a `ListCheck`: pairs of line and message."""

def check_tls(plan: bytes) -> bytes:
    """Return the `TlsFacts` of a plan. Raises ValueError for what is none."""

@final
class Engine:
    """The Rust engine. Every call may be made from any thread and detaches the interpreter."""

    def __new__(cls, threads: int) -> Self:
        """Start the worker threads. Raises OSError where the system refuses them."""

    def apply(self, plan: bytes, files: dict[str, bytes] | None = None) -> bytes:
        """Make a plan so; return an `ApplyReport`. Raises ValueError for a plan that it refuses.

        `files` are the texts of its pattern files, by digest.
        """

    def command(self, command: bytes) -> None:
        """Carry out a `Command`. Raises LookupError or ValueError with a message."""

    def lists(self, request: bytes) -> bytes:
        """Answer a `ListRequest` with a `ListAnswer`. Raises ValueError for what is none."""

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
