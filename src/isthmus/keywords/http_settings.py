"""Keywords of proxies that are about HTTP and no group of their own."""

from __future__ import annotations

from isthmus.config import Word
from isthmus.config.values import TimeUnit
from isthmus.keywords.action_words import ActionWords, WrongActionError
from isthmus.keywords.codes import BAD_VALUE, COOKIE_DOMAIN, EXTRA_ARGUMENT, MISSING_ARGUMENT
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.http_lines import header_name
from isthmus.keywords.http_messages import HANDLED, read_message
from isthmus.keywords.http_options import change
from isthmus.keywords.http_replies import read_reply
from isthmus.keywords.row import Keyword, RefusedError, Use, Where, Words
from isthmus.keywords.values import choice, integer, suggest, time, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.http import Cookie, ErrorFiles, Reuse
from isthmus.model.http_rule import Message, Reply
from isthmus.records import replace

Row = Keyword[ProxyDraft]

_FRONTEND = Where.DEFAULTS | Where.FRONTEND
_BACKEND = Where.DEFAULTS | Where.BACKEND

_REASONS = {302: "Found", 303: "See Other"}
_RETRIES = ("conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected")
_STATUSES = ("401", "403", "404", "408", "421", "425", "429", "500", "501", "502", "503", "504")
_ALL_RETRIES = (*_RETRIES, "500", "502", "503", "504")


def _word(use: Use[ProxyDraft], expected: str) -> Word:
    """Take a word; as in HAProxy, an empty one is none."""
    word = use.words.take(expected)
    if not word.text:
        message = f"`{use.row.name}` needs {expected}"
        raise RefusedError(MISSING_ARGUMENT, message, word.span, expected=expected)
    return word


def handled_status(words: Words) -> int:
    """Take a status for which the proxy has an answer of its own."""
    word = words.take("a status")
    known = tuple(map(str, HANDLED))
    if word.text not in known:
        raise unknown(word, known, "a status that the proxy answers with")
    return int(word.text)


def _error(use: Use[ProxyDraft], reply: Reply | ErrorFiles) -> None:
    change(use, errors=(*use.draft.settings.http.errors, reply))


def _errorfile(use: Use[ProxyDraft]) -> None:
    code = handled_status(use.words)
    name = use.words.take("the name of a file")
    found = read_message(name.text, name.span, use.draft.context)
    if found is not None:
        _error(use, Reply(code, Message(found)))


def _max_keep_alive_queue(use: Use[ProxyDraft]) -> None:
    found = integer(use.words, -(2**31), what="a number, or -1 for no limit")
    # As with HAProxy, every negative number is no limit.
    change(use, max_keep_alive_queue=None if found < 0 else found)


def _errorloc(name: str, code: int) -> Row:
    """Return the row of a line that answers an error with a redirection."""

    def read(use: Use[ProxyDraft]) -> None:
        replaced = handled_status(use.words)
        url = _word(use, "a URL")
        if any(each in url.text for each in "\r\n\0"):
            raise RefusedError(BAD_VALUE, "a URL cannot hold the end of a line", url.span)
        head = (
            f"HTTP/1.1 {code} {_REASONS[code]}\r\nCache-Control: no-cache\r\nContent-length: 0\r\n"
            f"Location: {url.text}\r\n\r\n"
        )
        _error(use, Reply(replaced, Message(head.encode("utf-8", "surrogateescape"))))

    return Keyword(name, Where.PROXY, "<status> <url>", "Redirect instead of an error", read)


def _errorfiles(use: Use[ProxyDraft]) -> None:
    name = use.words.take("the name of a section `http-errors`")
    statuses: list[int] = []
    while use.words:
        statuses.append(handled_status(use.words))
    _error(use, ErrorFiles(name.text, tuple(statuses), name.span))


def _http_error(use: Use[ProxyDraft]) -> None:
    # The answer is made where the error happens, which may be before there is a request.
    place = Place.FRONTEND_HTTP_REQUEST | Place.FRONTEND_HTTP_RESPONSE
    words = ActionWords(use.line.words, place, use.draft.context)
    rest = use.words.take_all()
    try:
        if all(word.text != "status" for word in rest):
            near = (suggest(word.text, ("status",)) for word in rest)
            hint = next((each for each in near if each), None)
            message = "`http-error` does not say which status"
            words.refuse(message, use.words.end, "`status` and a number", hint)
        reply = read_reply(words, 0)
        if reply.status not in HANDLED:
            span = rest[[word.text for word in rest].index("status") + 1].span
            raise unknown(Word(str(reply.status), span), map(str, HANDLED), "a status of the proxy's own")
    except WrongActionError:
        return
    if words.rest:
        left = words.rest[0]
        message = f"unexpected argument `{left.text}` of `http-error`"
        raise RefusedError(EXTRA_ARGUMENT, message, left.span)
    _error(use, reply)


def _reuse(use: Use[ProxyDraft]) -> None:
    change(use, reuse=Reuse(choice(use.words, tuple(Reuse), "a way to reuse connections")))


def _retry_on(use: Use[ProxyDraft]) -> None:
    words = (use.words.take("a kind of failure"), *use.words.take_all())
    chosen: dict[str, None] = {}
    for word in words:
        if word.text == "none" and len(words) > 1:
            raise RefusedError(BAD_VALUE, "`none` stands alone", word.span)
        if word.text == "all-retryable-errors":
            chosen |= dict.fromkeys(_ALL_RETRIES)
        elif word.text in (*_RETRIES, *_STATUSES):
            chosen[word.text] = None
        elif word.text != "none":
            known = ("none", "all-retryable-errors", *_RETRIES, *_STATUSES)
            raise unknown(word, known, "a kind of failure")
    change(use, retry_on=tuple(chosen))


def _monitor_uri(use: Use[ProxyDraft]) -> None:
    word = _word(use, "a URI")
    change(use, monitor_uri=word.text, monitor_uri_span=use.line.span)


def _unique_id_header(use: Use[ProxyDraft]) -> None:
    change(use, unique_id_header=header_name(use), unique_id_header_span=use.line.span)


def _name_header(use: Use[ProxyDraft]) -> None:
    change(use, name_header=header_name(use))


def _dynamic_key(use: Use[ProxyDraft]) -> None:
    change(use, dynamic_key=_word(use, "a secret").text)


_MODES = ("rewrite", "insert", "prefix")
_FLAGS = ("indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic")
_VALUES = ("domain", "maxidle", "maxlife", "attr")
_UNSAFE = frozenset(map(chr, (*range(32), ord(";"), 127)))


def _cookie(use: Use[ProxyDraft]) -> None:
    name = _word(use, "the name of a cookie")
    cookie = Cookie(name.text, span=use.line.span)
    while use.words:
        word = use.words.take("an option")
        if word.text in _MODES:
            if cookie.mode not in ("passive", word.text):
                message = f"`{cookie.mode}` and `{word.text}` exclude each other"
                raise RefusedError(BAD_VALUE, message, word.span, expected="one of them")
            cookie = replace(cookie, mode=word.text)
        elif word.text in _FLAGS:
            cookie = _with_flag(cookie, word)
        elif word.text in _VALUES:
            cookie = _with_value(use, cookie, word)
        else:
            raise unknown(word, (*_MODES, *_FLAGS, *_VALUES), "an option of `cookie`")
    if cookie.mode == "rewrite" and cookie.indirect:
        raise RefusedError(BAD_VALUE, "`rewrite` and `indirect` exclude each other", use.line.span)
    if cookie.preserve and cookie.mode != "insert" and not cookie.indirect:
        raise RefusedError(BAD_VALUE, "`preserve` needs `insert` or `indirect`", use.line.span)
    change(use, cookie=cookie)


def _with_flag(cookie: Cookie, word: Word) -> Cookie:
    match word.text:
        case "indirect":
            return replace(cookie, indirect=True)
        case "nocache":
            return replace(cookie, nocache=True)
        case "postonly":
            return replace(cookie, postonly=True)
        case "preserve":
            return replace(cookie, preserve=True)
        case "httponly":
            return replace(cookie, httponly=True)
        case "secure":
            return replace(cookie, secure=True)
    return replace(cookie, dynamic=True)


def _with_value(use: Use[ProxyDraft], cookie: Cookie, word: Word) -> Cookie:
    if word.text in ("maxidle", "maxlife"):
        value = time(use.words, TimeUnit.SECONDS)
        return replace(cookie, max_idle=value) if word.text == "maxidle" else replace(cookie, max_life=value)
    text = use.words.take("a domain" if word.text == "domain" else "an attribute")
    if not text.text or _UNSAFE & set(text.text):
        raise RefusedError(
            BAD_VALUE,
            f"`{text.text}` cannot stand in a cookie",
            text.span,
            expected="text without semicolons and control characters",
        )
    if word.text == "attr":
        return replace(cookie, attributes=(*cookie.attributes, text.text))
    if "." not in text.text[1:]:
        message = f"browsers refuse cookies for `{text.text}`, a domain without a dot inside"
        use.reading.diagnostics.warning(COOKIE_DOMAIN, message, text.span)
    return replace(cookie, domains=(*cookie.domains, text.text))


HTTP_SETTINGS: tuple[Row, ...] = (
    Keyword("cookie", _BACKEND, "<name> [<option> ...]", "Keep clients on servers by a cookie", _cookie),
    Keyword("dynamic-cookie-key", _BACKEND, "<secret>", "Secret of the cookies of servers", _dynamic_key),
    Keyword("errorfile", Where.PROXY, "<status> <file>", "Answer to an error", _errorfile),
    Keyword(
        "errorfiles",
        Where.PROXY,
        "<section> [<status> ...]",
        "Answers of `http-errors`",
        _errorfiles,
    ),
    _errorloc("errorloc", 302),
    _errorloc("errorloc302", 302),
    _errorloc("errorloc303", 303),
    Keyword(
        "http-error",
        Where.PROXY,
        "status <status> [content-type <type>] [<source of the answer>] [hdr <name> <format>]",
        "Answer to an error",
        _http_error,
    ),
    Keyword(
        "http-reuse",
        _BACKEND,
        "{ never | safe | aggressive | always }",
        "Which idle connections to servers a request may be sent over",
        _reuse,
    ),
    Keyword("http-send-name-header", _BACKEND, "<name>", "Tell a server its name in a header", _name_header),
    Keyword(
        "max-keep-alive-queue",
        _BACKEND,
        "<value>",
        "With so many waiting for a client's last server, prefer it no longer",
        _max_keep_alive_queue,
    ),
    Keyword("monitor-uri", _FRONTEND, "<uri>", "Answer requests of this URI at once", _monitor_uri),
    Keyword(
        "retry-on",
        _BACKEND,
        "{ none | all-retryable-errors | <failure> ... }",
        "After which failures a request is sent again",
        _retry_on,
        strict=True,
    ),
    Keyword(
        "unique-id-header", _FRONTEND, "<name>", "Tell servers the unique ID in a header", _unique_id_header
    ),
)
"""Keywords of HTTP mode."""
