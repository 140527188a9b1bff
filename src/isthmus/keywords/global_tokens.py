"""Keywords of section `global` about encrypted tokens (manual 3.1: `jwt.decrypt_alg_list` and its twin)."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import suggest
from isthmus.records import replace

_WRAPS = ("A128KW", "A192KW", "A256KW")
ALGORITHMS = (
    *("dir", *_WRAPS, "A128GCMKW", "A192GCMKW", "A256GCMKW"),
    *("ECDH-ES", *(f"ECDH-ES+{wrap}" for wrap in _WRAPS), "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"),
)
"""How the key of a token's content may be encrypted (RFC 7518, section 4.1)."""
ENCRYPTIONS = ("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM")
"""How a token's content may be encrypted (RFC 7518, section 5.1)."""


def _list(field: str, known: tuple[str, ...]) -> Callable[[Use[GlobalDraft]], None]:
    def read(use: Use[GlobalDraft]) -> None:
        word = use.words.take("algorithms between colons")
        names = tuple(word.text.split(":"))
        for name in names:
            bare = name.removeprefix("!")
            if name != "ALL" and bare not in known:
                message = f"`{bare}` is no algorithm of encrypted tokens that is known here"
                expected = "ALL, or names of RFC 7518 between colons, with `!` what is taken away"
                near = suggest(bare, (*known, "ALL"))
                raise RefusedError(BAD_VALUE, message, word.span, expected=expected, hint=near)
        settings = use.draft.settings
        use.draft.settings = replace(settings, tls=changed(settings.tls, **{field: names}))

    return read


ROWS: tuple[Keyword[GlobalDraft], ...] = (
    Keyword(
        "jwt.decrypt_alg_list",
        Where.GLOBAL,
        "<list>",
        "How keys of encrypted tokens may be encrypted",
        _list("token_algorithms", ALGORITHMS),
    ),
    Keyword(
        "jwt.decrypt_enc_list",
        Where.GLOBAL,
        "<list>",
        "How encrypted tokens may be encrypted",
        _list("token_encryptions", ENCRYPTIONS),
    ),
)
