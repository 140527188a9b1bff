"""The lines of proxies that hold HTTP rules, and those that capture parts of messages for the log."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.codes import BAD_VALUE, WRONG_SECTION
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.http_actions import HttpSet
from isthmus.keywords.http_replies import TOKEN
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.rule_lines import refuse_unnamed
from isthmus.keywords.values import choice, integer, unknown
from isthmus.model.http import CookieCapture
from isthmus.records import replace

Row = Keyword[ProxyDraft]

LONGEST_CAPTURE = 65535
"""Bytes of a capture slot at most."""


def _rule(http_set: HttpSet) -> Row:
    def read(use: Use[ProxyDraft]) -> None:
        refuse_unnamed(use)
        use.draft.http.rule(use.line, http_set)
        use.words.take_all()

    about = {
        HttpSet.REQUEST: "What is done with requests",
        HttpSet.RESPONSE: "What is done with servers' answers",
        HttpSet.AFTER: "What is done with all answers, those of the proxy's own too",
    }
    syntax = "<action> [<arguments>] [{ if | unless } <condition>]"
    return Keyword(http_set.value, Where.PROXY, syntax, about[http_set], read)


def _redirect(use: Use[ProxyDraft]) -> None:
    use.draft.http.redirect(use.line)
    use.words.take_all()


def _condition(name: str, where: Where, about: str) -> Row:
    def read(use: Use[ProxyDraft]) -> None:
        use.draft.http.condition(name, use.line, use.words.take_all())

    return Keyword(name, where, "{ if | unless } <condition>", about, read)


def _length(use: Use[ProxyDraft]) -> int:
    keyword = use.words.take("`len`")
    if keyword.text != "len":
        raise unknown(keyword, ("len",), "a word of a capture")
    return integer(use.words, 1, LONGEST_CAPTURE, "a number of bytes")


def header_name(use: Use[ProxyDraft]) -> str:
    """Take the name of a header."""
    word = use.words.take("the name of a header")
    if not TOKEN.match(word.text):
        raise RefusedError(
            BAD_VALUE,
            f"`{word.text}` is not the name of a header",
            word.span,
            expected="letters, digits and hyphens, for instance `X-Real-IP`",
        )
    return word.text


def _capture_header(*, response: bool) -> Callable[[Use[ProxyDraft]], None]:
    def read(use: Use[ProxyDraft]) -> None:
        name = header_name(use)
        use.draft.http.capture_header(name, _length(use), response=response)

    return read


def _capture_cookie(use: Use[ProxyDraft]) -> None:
    name = use.words.take("the name of a cookie").text
    capture = CookieCapture(name.removesuffix("="), not name.endswith("="), _length(use), use.line.span)
    http = replace(use.draft.settings.http, capture_cookie=capture)
    use.draft.settings = replace(use.draft.settings, http=http)


def _declare(use: Use[ProxyDraft]) -> None:
    if use.draft.where is Where.BACKEND:
        message = "captures belong to a frontend, and this section is none"
        raise RefusedError(WRONG_SECTION, message, use.line.keyword.span)
    side = choice(use.words, ("request", "response"), "a side of a capture")
    slots = use.draft.http.answers if side == "response" else use.draft.http.slots
    slots.add(_length(use))


HTTP_RULES: tuple[Row, ...] = (
    Keyword(
        "capture cookie", Where.FRONTEND, "<name> len <length>", "Keep a cookie for the log", _capture_cookie
    ),
    Keyword(
        "capture request header",
        Where.FRONTEND,
        "<name> len <length>",
        "Keep a header of requests for the log",
        _capture_header(response=False),
    ),
    Keyword(
        "capture response header",
        Where.FRONTEND,
        "<name> len <length>",
        "Keep a header of answers for the log",
        _capture_header(response=True),
    ),
    Keyword(
        "declare capture",
        Where.LISTEN,
        "{ request | response } len <length>",
        "Add a capture slot, for `capture-req` and `capture-res`",
        _declare,
    ),
    _condition("force-persist", Where.BACKEND, "Use a server that is down where its cookie says so"),
    *(_rule(each) for each in HttpSet),
    _condition("ignore-persist", Where.BACKEND, "Ignore the cookie that names a server"),
    _condition("monitor fail", Where.FRONTEND, "Let `monitor-uri` answer that the service is down"),
    Keyword(
        "redirect",
        Where.LISTEN,
        "{ location | prefix | scheme } <to> [code <code>] [<option> ...] [{ if | unless } <condition>]",
        "Answer with a redirection, behind `http-request` rules",
        _redirect,
    ),
)
"""Lines with HTTP rules."""
