"""Names of sections and servers."""

from __future__ import annotations

import re

from isthmus.config import Word
from isthmus.keywords.codes import BAD_SECTION_NAME
from isthmus.keywords.row import RefusedError

_BAD = re.compile(r"[^A-Za-z0-9_.:-]")


def check_name(word: Word, what: str) -> None:
    """Refuse a name with a character that names do not hold, and one of none, such as an empty "$X"."""
    if not word.text:
        raise RefusedError(
            BAD_SECTION_NAME,
            f"the {what} name is empty",
            word.span,
            expected="letters, digits and - _ . :",
        )
    bad = _BAD.search(word.text)
    if bad:
        raise RefusedError(
            BAD_SECTION_NAME,
            f"character `{bad.group()}` is not permitted in {what} name `{word.text}`",
            word.span.part(bad.start(), 1),
            expected="letters, digits and - _ . :",
        )
