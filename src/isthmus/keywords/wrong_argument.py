"""What is raised for an argument that is not of its type."""

from __future__ import annotations


class WrongArgumentError(ValueError):
    """An argument that is not of its type; the message says what was expected, `words` what may stand."""

    def __init__(self, expected: str, words: tuple[str, ...] = ()) -> None:
        super().__init__(expected)
        self.words = words
