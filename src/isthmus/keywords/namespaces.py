"""Namespaces as lines name them, and the section `namespace_list`."""

from __future__ import annotations

import re

from isthmus.config import Word
from isthmus.keywords.codes import BAD_NAMESPACE, NO_NAMESPACE
from isthmus.keywords.row import RefusedError, Words
from isthmus.keywords.world import ABSENT, World
from isthmus.model.address import Namespace

_NAME = re.compile(r"[A-Za-z0-9_:.-]+\Z")
_PID = re.compile(r"pid:([1-9][0-9]{0,9})\Z")
_FOLDER = "/run/netns"
_EXPECTED = "a name under /run/netns, an absolute path or pid:N"


def namespace(words: Words, world: World) -> Namespace:
    """Take a namespace and, if it stands there, the word `optional`; refuses one that does not exist."""
    word = words.take("a namespace")
    optional = words.peek == "optional"
    if optional:
        words.take("optional")
    return resolved(word, world, optional=optional)


def resolved(word: Word, world: World, *, optional: bool = False) -> Namespace:
    """Return the namespace that a word names."""
    path = _path(word)
    fault = None if optional else world.namespace_fault(path)
    if fault is not None:
        hint = None
        if path.startswith(_FOLDER) and fault == ABSENT:
            hint = f"`ip netns add {word.text}` makes it; `{word.text} optional` waits until it is made"
        raise RefusedError(NO_NAMESPACE, f"namespace `{word.text}` {fault} ({path})", word.span, hint=hint)
    return Namespace(word.text, path, optional, word.span)


def _path(word: Word) -> str:
    text = word.text
    pid = _PID.match(text)
    if pid:
        return f"/proc/{pid[1]}/ns/net"
    if text.startswith("/") and ".." not in text.split("/"):
        return text
    if _NAME.match(text) and text not in (".", ".."):
        return f"{_FOLDER}/{text}"
    raise RefusedError(BAD_NAMESPACE, f"`{text}` is not a namespace", word.span, expected=_EXPECTED)
