"""`unix-bind`: what holds for the unix sockets of all `bind` lines that say nothing else."""

from __future__ import annotations

from isthmus.keywords.bind import BIND_OPTIONS
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import MISSING_ARGUMENT
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.option_row import OptionUse
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import unknown
from isthmus.records import replace

_OPTIONS = ("prefix", "mode", "user", "uid", "group", "gid")


def _unix_bind(use: Use[GlobalDraft]) -> None:
    said = use.draft.settings.unix_bind
    if not use.words:
        message = "`unix-bind` says nothing"
        raise RefusedError(MISSING_ARGUMENT, message, use.words.end, expected=f"one of {', '.join(_OPTIONS)}")
    while use.words:
        word = use.words.take("an option")
        if word.text == "prefix":
            said = replace(said, prefix=use.words.take("a prefix of paths").text)
        elif word.text in _OPTIONS:
            row = BIND_OPTIONS.rows[word.text]
            option = OptionUse(word, use.words, said.settings, use.reading, use.reading.context())
            said = replace(said, settings=row.read(option))
        else:
            raise unknown(word, _OPTIONS, "an option of `unix-bind`")
    use.draft.settings = changed(use.draft.settings, unix_bind=said)


UNIX_BIND: tuple[Keyword[GlobalDraft], ...] = (
    Keyword(
        "unix-bind",
        Where.GLOBAL,
        "[prefix <prefix>] [mode <mode>] [user <user>] [uid <uid>] [group <group>] [gid <gid>]",
        "Where the unix sockets of `bind` lines are, and whose",
        _unix_bind,
    ),
)
"""The keyword that sets them."""
