"""Keywords of proxies that are not a group of their own."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.balance import BALANCE
from isthmus.keywords.bind import BIND
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import NOT_IMPLEMENTED, REMOVED
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.guid import guid
from isthmus.keywords.http_content import HTTP_CONTENT
from isthmus.keywords.http_lines import HTTP_RULES
from isthmus.keywords.http_options import HTTP_OPTIONS
from isthmus.keywords.http_settings import HTTP_SETTINGS
from isthmus.keywords.log_lines import LOGS
from isthmus.keywords.options import KEEP_ALIVE, OPTIONS
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.rule_lines import RULES
from isthmus.keywords.sections import table
from isthmus.keywords.server import SERVER
from isthmus.keywords.source import source
from isthmus.keywords.ssl_f_use import SSL_F_USE
from isthmus.keywords.stick_tables import STICK_TABLE
from isthmus.keywords.timeouts import TIMEOUTS
from isthmus.keywords.transparent import OPTION as TRANSPARENT
from isthmus.keywords.values import integer, unknown
from isthmus.records import replace

Read = Callable[[Use[ProxyDraft]], None]
MODES = ("tcp", "http")
"""What a proxy can speak."""


def _number(field: str, low: int = 0) -> Read:
    def read(use: Use[ProxyDraft]) -> None:
        use.draft.settings = changed(use.draft.settings, **{field: integer(use.words, low)})

    return read


def _disabled(disabled: bool) -> Read:
    def read(use: Use[ProxyDraft]) -> None:
        use.draft.settings = replace(use.draft.settings, disabled=disabled)

    return read


def _mode(use: Use[ProxyDraft]) -> None:
    word = use.words.take("a mode")
    if word.text in ("log", "spop", "syslog", "haterm"):
        raise RefusedError(
            NOT_IMPLEMENTED,
            f"`mode {word.text}` is known to HAProxy, and not implemented yet",
            use.line.keyword.span.to(word.span),
        )
    if word.text == "health":
        raise RefusedError(
            REMOVED,
            "`mode health` no longer exists in HAProxy",
            word.span,
            hint="write `http-request return status 200`",
        )
    if word.text not in MODES:
        raise unknown(word, MODES, "a mode")
    use.draft.settings = replace(use.draft.settings, mode=word.text)


def _id(use: Use[ProxyDraft]) -> None:
    use.draft.id = integer(use.words, 1)
    use.draft.id_span = use.line.span


def _guid(use: Use[ProxyDraft]) -> None:
    use.draft.guid = guid(use.words)


def _description(use: Use[ProxyDraft]) -> None:
    first = use.words.take("a text")
    text = " ".join(word.text for word in (first, *use.words.take_all()))
    use.draft.settings = replace(use.draft.settings, description=text)


def _rate_limit(use: Use[ProxyDraft]) -> None:
    use.draft.settings = replace(use.draft.settings, rate_limit=integer(use.words))


def _default_backend(use: Use[ProxyDraft]) -> None:
    name = use.words.take("a backend")
    use.draft.settings = replace(use.draft.settings, default_backend=name)


def _source(use: Use[ProxyDraft]) -> None:
    found = source(use.words, use.reading, ranges=False)
    if use.words:
        raise unknown(use.words.rest[0], ("interface", "usesrc"), "an option of `source`")
    use.draft.settings = replace(use.draft.settings, source=found)


_FRONTEND = Where.DEFAULTS | Where.FRONTEND
_BACKEND = Where.DEFAULTS | Where.BACKEND

GENERAL: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "backlog", _FRONTEND, "<conns>", "Length of the kernel's queue of connections", _number("backlog")
    ),
    Keyword(
        "default_backend", _FRONTEND, "<backend>", "The backend where no rule chose one", _default_backend
    ),
    Keyword("description", Where.LISTEN, "<text>", "A text about the proxy", _description),
    Keyword("disabled", Where.PROXY, "", "Do not start the proxy", _disabled(True)),
    Keyword("enabled", Where.PROXY, "", "Start the proxy, whatever the defaults say", _disabled(False)),
    Keyword(
        "fullconn", _BACKEND, "<conns>", "Load at which servers reach their `maxconn`", _number("fullconn")
    ),
    Keyword("guid", Where.LISTEN, "<guid>", "What the proxy is told from all else by", _guid),
    Keyword("id", Where.LISTEN, "<id>", "Number in statistics", _id),
    Keyword("maxconn", _FRONTEND, "<conns>", "Most connections of the frontend", _number("maxconn")),
    Keyword("mode", Where.PROXY, "{ tcp | http }", "What is spoken", _mode),
    Keyword("rate-limit sessions", _FRONTEND, "<rate>", "Most new sessions in a second", _rate_limit),
    Keyword("retries", _BACKEND, "<value>", "How often a connection is tried again", _number("retries")),
    Keyword(
        "source",
        _BACKEND,
        "<addr>[:<port>] [usesrc { <addr>[:<port>] | client | clientip }] [interface <name>]",
        "Local address of connections to servers",
        _source,
    ),
)

PROXY = table(
    *(GENERAL, TIMEOUTS, OPTIONS, KEEP_ALIVE, BIND, SSL_F_USE, SERVER, BALANCE, LOGS, RULES),
    (STICK_TABLE,),
    TRANSPARENT,
    *(HTTP_RULES, HTTP_OPTIONS, HTTP_SETTINGS, HTTP_CONTENT),
)
"""Every keyword of defaults, frontend, backend and listen sections."""
