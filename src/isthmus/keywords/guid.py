"""`guid`: what a proxy, server or listener is told by from all else of a configuration (manual 4.2)."""

from __future__ import annotations

import re

from isthmus.config import register
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.row import RefusedError, Words

GUID_TWICE = register(
    "E0194",
    "guid used twice",
    "A `guid` belongs to one proxy, server or listener of the whole configuration.",
)
_GUID = re.compile(r"[A-Za-z0-9.:_-]{1,127}\Z")


def guid(words: Words) -> str:
    """Take a guid."""
    word = words.take("a name that nothing else has")
    if not _GUID.match(word.text):
        expected = "at most 127 letters, digits, `.`, `:`, `-` and `_`"
        raise RefusedError(BAD_VALUE, f"`{word.text}` is no guid", word.span, expected=expected)
    return word.text
