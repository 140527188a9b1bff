"""What the process says on stderr, in the form of HAProxy's start-up messages."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from isthmus.records import dataclass

_KEPT = 65536
"""Characters of the start's messages that are kept, the last ones."""


@dataclass(slots=True)
class Console:
    """Writes messages with their severity and the process's number. A quiet one writes nothing.

    `stream` None is stderr at the moment of writing, which a daemon redirects. What is said until the start
    is over is kept, quiet or not, for those who ask later.
    """

    quiet: bool = False
    stream: TextIO | None = None
    startup: str = ""
    started: bool = False

    def alert(self, message: str) -> None:
        """Say what keeps the process from running."""
        self._write("[ALERT]   ", message)

    def warning(self, message: str) -> None:
        """Say what went wrong, or is probably not meant."""
        self._write("[WARNING] ", message)

    def notice(self, message: str) -> None:
        """Say what happened."""
        self._write("[NOTICE]  ", message)

    def text(self, text: str) -> None:
        """Write text that has its own form (rendered diagnostics)."""
        if not self.started:
            self.startup = (self.startup + text)[-_KEPT:]
        if not self.quiet and text:
            stream = self.stream or sys.stderr
            stream.write(text)
            stream.flush()

    def _write(self, severity: str, message: str) -> None:
        self.text(f"{severity} ({os.getpid()}) : {message}\n")
