"""What happens on a runtime API connection behind the last command of a line."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """The modes of the `prompt` command, by its words.

    n: the connection is closed; i: it goes on; p: it goes on, and a prompt asks for the next line.
    """

    CLOSING = "n"
    INTERACTIVE = "i"
    PROMPT = "p"
