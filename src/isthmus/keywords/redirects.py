"""The words of `redirect`: the line, and the action of `http-request` and `http-response` rules."""

from __future__ import annotations

from isthmus.keywords.action_words import ActionWords
from isthmus.model.http_rule import Redirect
from isthmus.model.log import Format, Literal, LogWhen

_KINDS = ("location", "prefix", "scheme")
_CODES = ("301", "302", "303", "307", "308")
_FLAGS = {
    "drop-query": "drop_query",
    "keep-query": "keep_query",
    "append-slash": "append_slash",
    "ignore-empty": "ignore_empty",
}


def read_redirect(words: ActionWords, *, formatted: bool) -> Redirect:
    """Read where to and how; the last of several wins, as in HAProxy.

    `formatted` is for actions, whose target is a log format; that of a line is a text. Raises
    WrongActionError.
    """
    kind, value, code, cookie = "", Format((), LogWhen.ACCEPT), 302, None
    flags: dict[str, bool] = {}
    while words.next_text is not None:
        word = words.take("a part of a redirection")
        if word.text in _KINDS:
            kind = word.text
            value = words.format() if formatted else _text(words)
        elif word.text == "code":
            code = _code(words)
        elif word.text in ("set-cookie", "clear-cookie"):
            cookie = _cookie(words, clears=word.text == "clear-cookie")
        elif word.text in _FLAGS:
            flags[_FLAGS[word.text]] = True
        else:
            known = (*_KINDS, "code", "set-cookie", "clear-cookie", *_FLAGS)
            words.refuse_unknown(word, known, "a part of a redirection")
    if not kind:
        words.refuse("a redirection does not say where to", words.behind, f"one of {', '.join(_KINDS)}")
    return Redirect(kind, value, code, cookie=cookie, **flags)


def _text(words: ActionWords) -> Format:
    word = words.take("a URL, a path or a scheme")
    items = (Literal(word.text),) if word.text else ()
    return Format(items, LogWhen.ACCEPT, word.span)


def _code(words: ActionWords) -> int:
    word = words.take(f"a status: {', '.join(_CODES)}")
    if word.text not in _CODES:
        words.refuse_unknown(word, _CODES, "a status of a redirection")
    return int(word.text)


def _cookie(words: ActionWords, *, clears: bool) -> str:
    """Return the value of Set-Cookie: a cookie without a path would hold below the current one only."""
    text = words.take("NAME[=]" if clears else "NAME[=value]").text
    return f"{text}; path=/; Max-Age=0;" if clears else f"{text}; path=/;"
