"""What one check found, in the words of HAProxy's statistics and logs (management manual 9.1)."""

from __future__ import annotations

from enum import Enum

from isthmus.records import dataclass


class Verdict(Enum):
    """The outcome of a check: its code in statistics, its words, and its number in `show servers state`."""

    INITIALIZING = ("INI", "Initializing", 1)
    SOCKET_ERROR = ("SOCKERR", "Socket error", 5)
    PASSED = ("L4OK", "Layer4 check passed", 6)
    TIMEOUT = ("L4TOUT", "Layer4 timeout", 7)
    NO_CONNECTION = ("L4CON", "Layer4 connection problem", 8)
    TLS_PASSED = ("L6OK", "Layer6 check passed", 9)
    TLS_TIMEOUT = ("L6TOUT", "Layer6 timeout", 10)
    TLS_FAILED = ("L6RSP", "Layer6 invalid response", 11)

    @property
    def code(self) -> str:
        """`check_status` of `show stat`."""
        return self.value[0]

    @property
    def words(self) -> str:
        """`check_desc` of `show stat`, and the reason in logs."""
        return self.value[1]

    @property
    def number(self) -> int:
        """`srv_check_status` of `show servers state`."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: `info` is the kernel's own word, `duration` milliseconds."""

    verdict: Verdict
    info: str = ""
    duration: int = 0

    @property
    def passed(self) -> bool:
        """Whether the server answered."""
        return self.verdict in (Verdict.PASSED, Verdict.TLS_PASSED)

    def reason(self) -> str:
        """Return the outcome as logs tell it."""
        info = f', info: "{self.info}"' if self.info else ""
        return f"reason: {self.verdict.words}{info}, check duration: {self.duration}ms"
