"""Keywords of section `global` that are about HTTP."""

from __future__ import annotations

from functools import partial

from isthmus.config import Span
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.global_rows import Row, change, inert, inert_switch, number, size
from isthmus.keywords.http_replies import TOKEN
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import integer, switch
from isthmus.keywords.values import size as size_of

_GLOBAL = Where.GLOBAL


def _change(use: Use[GlobalDraft], **changes: object) -> None:
    change(use, "http", **changes)


_number = partial(number, part="http")


def _units(name: str, field: str, about: str, unit: int) -> Row:
    def read(use: Use[GlobalDraft]) -> None:
        _change(use, **{field: unit * integer(use.words, 0, (2**63 - 1) // unit)})

    return Keyword(name, _GLOBAL, "<number>", about, read)


def _flag(name: str, field: str, about: str) -> Row:
    return Keyword(name, _GLOBAL, "", about, lambda use: _change(use, **{field: True}))


def _switch(name: str, field: str, about: str) -> Row:
    def read(use: Use[GlobalDraft]) -> None:
        _change(use, **{field: switch(use.words)})

    return Keyword(name, _GLOBAL, "{ on | off }", about, read)


def _h2(name: str, field: str, about: str, low: int = 0, high: int = 2**31 - 1) -> Row:
    def read(use: Use[GlobalDraft]) -> None:
        h2 = changed(use.draft.settings.http.h2, **{field: size_of(use.words, low, high, "a number")})
        _change(use, h2=h2)

    return Keyword(name, _GLOBAL, "<number>", about, read)


def _add_case(use: Use[GlobalDraft], name: str, shown: str, span: Span) -> None:
    """Add a name and how it is written."""
    known = use.draft.settings.http.case_adjust
    if name.lower() != shown.lower() or not TOKEN.match(shown):
        message = f"`{name}` and `{shown}` are not the same name"
        raise RefusedError(BAD_VALUE, message, span, expected="two names that differ by case alone")
    if name.lower() in dict(known):
        raise RefusedError(BAD_VALUE, f"`{name}` is adjusted above already", span)
    _change(use, case_adjust=(*known, (name.lower(), shown)))


def _case_adjust(use: Use[GlobalDraft]) -> None:
    name = use.words.take("a header in lower case, and as it is to be written")
    shown = use.words.take("the header as it is to be written")
    _add_case(use, name.text, shown.text, name.span.to(shown.span))


def _case_file(use: Use[GlobalDraft]) -> None:
    word = use.words.take("the name of a file")
    try:
        text = use.reading.world.read_bytes(word.text).decode("latin-1")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such file"
        raise RefusedError(BAD_VALUE, f"`{word.text}` cannot be read: {reason}", word.span) from None
    for at, line in enumerate(text.splitlines(), 1):
        names = line.split()
        if not names or names[0].startswith("#"):
            continue
        if len(names) != 2:
            message = f"line {at} of `{word.text}` does not hold two names"
            raise RefusedError(BAD_VALUE, message, word.span)
        _add_case(use, names[0], names[1], word.span)


_BODIES = "bodies pass through the session's buffer in any case"
_SHARES = "each connection has its share of a turn in any case"
_WINDOWS = "each stream has a window of its own (tune.h2.fe.initial-window-size)"

GLOBAL_HTTP: tuple[Row, ...] = (
    _flag(
        "h1-accept-payload-with-any-method",
        "payload_any_method",
        "Take bodies of methods that usually have none",
    ),
    Keyword(
        "h1-case-adjust", _GLOBAL, "<name> <Name>", "How a header is written for odd peers", _case_adjust
    ),
    Keyword("h1-case-adjust-file", _GLOBAL, "<file>", "How headers are written for odd peers", _case_file),
    inert(
        "h1-do-not-close-on-insecure-transfer-encoding",
        "",
        "Keep connections open on which framing was said twice",
        "such a connection closes in any case",
    ),
    _number("maxcompcpuusage", "compression_cpu", "Percent of load above which less is compressed", 0, 100),
    _units("maxcomprate", "compression_rate", "Most kilobytes that compression is given in a second", 1024),
    _units("maxzlibmem", "compression_memory", "Most megabytes that compression uses", 1024 * 1024),
    inert("tune.buffers.limit", "<number>", "Most buffers", "buffers come and go with connections"),
    inert(
        "tune.pattern.cache-size",
        "<number>",
        "Lookups that are remembered",
        "a lookup costs no more than that",
    ),
    _number("tune.comp.maxlevel", "compression_level", "Level of compression", 1, 9),
    inert("tune.disable-zero-copy-forwarding", "", "Never forward bodies without copies", _BODIES),
    inert_switch("tune.h1.zero-copy-fwd-recv", "Receive bodies without copies", _BODIES),
    inert_switch("tune.h1.zero-copy-fwd-send", "Send bodies without copies", _BODIES),
    *(
        inert(f"tune.h2.{name}", "<value>", about, why)
        for name, about, why in (
            (
                "be.max-frames-at-once",
                "Frames of a server's connection in one turn",
                _SHARES,
            ),
            (
                "be.rxbuf",
                "Most bytes that the streams of a server may have on their way",
                "each stream has a window of its own (tune.h2.be.initial-window-size)",
            ),
            ("fe.max-frames-at-once", "Frames of a connection in one turn", _SHARES),
            ("fe.max-rst-at-once", "Streams that are reset in one turn", _SHARES),
            ("fe.rxbuf", "Most bytes that the streams of a client may have on their way", _WINDOWS),
            ("log-errors", "Which errors of HTTP/2 are logged", "errors of HTTP/2 are counted, not logged"),
            ("zero-copy-fwd-send", "Forward bodies inside the kernel", "HTTP/2 frames what it forwards"),
        )
    ),
    *(
        _h2(f"tune.h2.{name}", *said)
        for name, *said in (
            (
                "be.glitches-threshold",
                "server_glitches",
                "Anomalies of a server's connection behind which it ends",
            ),
            (
                "be.initial-window-size",
                "server_window",
                "Bytes of a stream that a server may have on their way",
            ),
            ("be.max-concurrent-streams", "server_streams", "Requests over a server's connection at once", 1),
            (
                "fe.glitches-threshold",
                "client_glitches",
                "Anomalies of a client's connection behind which it ends",
            ),
            (
                "fe.initial-window-size",
                "client_window",
                "Bytes of a stream that a client may have on their way",
            ),
            ("fe.max-concurrent-streams", "client_streams", "Streams that a client may have open at once", 1),
            ("fe.max-total-streams", "total_streams", "Streams behind which a client's connection ends"),
            ("header-table-size", "header_table", "Bytes of the table of fields", 0, 65535),
            ("initial-window-size", "window", "Bytes of a stream that may be on their way"),
            ("max-concurrent-streams", "streams", "Streams that may be open at once", 1),
            ("max-frame-size", "frame", "The longest frame", 16384, 16777215),
        )
    ),
    _number("tune.http.cookielen", "cookie_len", "Most bytes of a captured cookie", 0),
    _number("tune.http.logurilen", "loguri_len", "Most bytes of a logged URI", 0),
    _number("tune.http.maxhdr", "maxhdr", "Most headers of a message", 1, 32767),
    _switch("tune.idle-pool.shared", "share_idle", "Let a thread use another's idle connections"),
    inert("tune.idletimer", "<timeout>", "Silence behind which buffers change", "buffers are of one size"),
    size("tune.maxrewrite", "maxrewrite", "Room for rewriting heads", part="http"),
    _number(
        "tune.pool-high-fd-ratio", "pool_high", "Percent of descriptors where no connection is kept", 0, 100
    ),
    _number("tune.pool-low-fd-ratio", "pool_low", "Percent of descriptors where one is kept", 0, 100),
)
"""Settings of HTTP mode."""
