"""The kinds of rows that several modules of section `global` have."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.changes import changed
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.row import Keyword, Use, Where, takes_all
from isthmus.keywords.values import integer, switch
from isthmus.keywords.values import size as size_of

Row = Keyword[GlobalDraft]
_GLOBAL = Where.GLOBAL


def change(use: Use[GlobalDraft], part: str = "", /, **changes: object) -> None:
    """Change some settings of the process, or of a part of them (`http`, `tls`)."""
    settings = use.draft.settings
    if part:
        changes = {part: changed(getattr(settings, part), **changes)}
    use.draft.settings = changed(settings, **changes)


def number(name: str, field: str, about: str, low: int = 0, high: int = 2**31 - 1, *, part: str = "") -> Row:
    """Return the row of a number between two bounds, both included."""

    def read(use: Use[GlobalDraft]) -> None:
        change(use, part, **{field: integer(use.words, low, high)})

    return Keyword(name, _GLOBAL, "<number>", about, read)


def size(name: str, field: str, about: str, low: int = 0, *, part: str = "") -> Row:
    """Return the row of a number of bytes."""

    def read(use: Use[GlobalDraft]) -> None:
        change(use, part, **{field: size_of(use.words, low)})

    return Keyword(name, _GLOBAL, "<size>", about, read)


def inert(
    name: str,
    syntax: str,
    about: str,
    why: str,
    *,
    read: Callable[[Use[GlobalDraft]], None] = takes_all,
    negatable: bool = False,
) -> Row:
    """Return the row of a keyword that is taken without effect, with the reason that its warning gives."""
    return Keyword(name, _GLOBAL, syntax, about, read, negatable=negatable, inert=why)


def inert_switch(name: str, about: str, why: str) -> Row:
    """Return the row of a switch that is taken without effect."""

    def read(use: Use[GlobalDraft]) -> None:
        switch(use.words)

    return inert(name, "{ on | off }", about, why, read=read)
