"""Why a process could not start."""

from __future__ import annotations


class StartError(Exception):
    """A start that failed, with one message for each thing that is wrong. Nothing stays behind."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages
