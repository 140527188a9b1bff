"""The lines of proxies and of `global` that say what is logged and where."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import IGNORED_HERE
from isthmus.keywords.context import Context
from isthmus.keywords.draft import GlobalDraft, ProxyDraft
from isthmus.keywords.log_formats import CLFLOG, HTTPLOG, HTTPSLOG, TCPLOG, FormatKind, parse_format
from isthmus.keywords.log_targets import parse_log
from isthmus.keywords.namespaces import resolved
from isthmus.keywords.row import Keyword, Reading, Sense, Use, Where
from isthmus.keywords.values import unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.log import LogLine, LogStep, LogTarget, NoLog, UdpLog
from isthmus.records import replace

_FRONTEND = Where.DEFAULTS | Where.FRONTEND


def _line(use: Use[ProxyDraft] | Use[GlobalDraft], context: Context, *, in_global: bool) -> LogLine | None:
    keyword = use.line.words[1] if use.sense is not Sense.SET else use.line.keyword
    words = use.words.take_all()
    line = parse_log(keyword, words, context, negated=use.sense is Sense.NO, in_global=in_global)
    if isinstance(line, LogTarget):
        _check_namespace(line, use.reading)
    return line


def _check_namespace(target: LogTarget, reading: Reading) -> None:
    address = target.address
    if isinstance(address, UdpLog) and address.namespace is not None:
        resolved(Word(address.namespace, address.span), reading.world)


def _log(use: Use[ProxyDraft]) -> None:
    line = _line(use, use.draft.context, in_global=False)
    if line is None:
        return
    log = use.draft.settings.log
    lines = () if isinstance(line, NoLog) else (*log.lines, line)
    use.draft.settings = replace(use.draft.settings, log=replace(log, lines=lines))


def _global_log(use: Use[GlobalDraft]) -> None:
    line = _line(use, use.reading.context(), in_global=True)
    if line is None:
        return
    lines = () if isinstance(line, NoLog) else (*use.draft.settings.log_lines, line)
    use.draft.settings = replace(use.draft.settings, log_lines=lines)


def _format(field: str, kind: FormatKind) -> Callable[[Use[ProxyDraft]], None]:
    def read(use: Use[ProxyDraft]) -> None:
        word = use.words.take("a format")
        if use.draft.where is Where.BACKEND:
            use.reading.diagnostics.warning(
                IGNORED_HERE,
                f"`{use.row.name}` is ignored: a backend logs no sessions",
                use.line.keyword.span,
            )
            return
        # A unique ID is made while the request is there (manual, `unique-id-format`).
        place = Place.FRONTEND_HTTP_REQUEST if kind is FormatKind.UNIQUE_ID else Place.LOG
        found = parse_format(word, kind, place, use.draft.context)
        _set(use, **{field: found})

    return read


def _steps(use: Use[ProxyDraft]) -> None:
    word = use.words.take("moments at which lines are written: all, or some with commas between")
    if word.text == "all":
        _set(use, steps=tuple(LogStep))
        return
    found = []
    for name in word.text.split(","):
        if name not in tuple(LogStep):
            raise unknown(replace(word, text=name), ("all", *LogStep), "a moment of `log-steps`")
        found.append(LogStep(name))
    _set(use, steps=tuple(dict.fromkeys(found)))


def _set(use: Use[ProxyDraft], **changes: object) -> None:
    log = changed(use.draft.settings.log, **changes)
    use.draft.settings = replace(use.draft.settings, log=log)


def _tcplog(use: Use[ProxyDraft]) -> None:
    _set(use, format=TCPLOG)


def _httplog(use: Use[ProxyDraft]) -> None:
    """`option httplog [clf]`; `plan` falls back to `option tcplog` where the mode is another."""
    clf = use.words.peek == "clf"
    if clf:
        use.words.take("`clf`")
    use.words.finish()
    _set(use, format=replace(CLFLOG if clf else HTTPLOG, span=use.line.span))


def _httpslog(use: Use[ProxyDraft]) -> None:
    """`option httpslog`; `plan` falls back to `option tcplog` where the mode is another."""
    use.words.finish()
    text = Word(HTTPSLOG, use.line.span)
    context = replace(use.draft.context, http=True)
    _set(use, format=parse_format(text, FormatKind.LOG, Place.LOG, context))


def _tag(use: Use[ProxyDraft]) -> None:
    _set(use, tag=use.words.take("a tag").text)


def _global_tag(use: Use[GlobalDraft]) -> None:
    use.draft.settings = replace(use.draft.settings, log_tag=use.words.take("a tag").text)


def _send_hostname(use: Use[GlobalDraft]) -> None:
    name = use.words.take("").text if use.words else ""
    use.draft.settings = replace(use.draft.settings, log_send_hostname=name)


_TARGET = "<target> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<level> [<min>]]"

LOGS: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "error-log-format",
        _FRONTEND,
        "<format>",
        "The line of a connection that failed before its session began",
        _format("error_format", FormatKind.LOG),
    ),
    Keyword(
        "log-steps",
        _FRONTEND,
        "{ all | <step>[,<step> ...] }",
        "At which moments of a session or an exchange a line is written, instead of one",
        _steps,
    ),
    Keyword("log", Where.PROXY, f"global | {_TARGET}", "Where log lines go", _log, negatable=True),
    Keyword(
        "log-format",
        Where.PROXY,
        "<format>",
        "The line of a session",
        _format("format", FormatKind.LOG),
    ),
    Keyword(
        "log-format-sd",
        Where.PROXY,
        "<format>",
        "The structured data of RFC 5424",
        _format("structured_data", FormatKind.LOG),
    ),
    Keyword("log-tag", Where.PROXY, "<tag>", "Program name in log lines", _tag),
    Keyword("option httplog", _FRONTEND, "[clf]", "Log requests, or in the Common Log Format", _httplog),
    Keyword("option httpslog", _FRONTEND, "", "Log requests with what TLS says of them", _httpslog),
    Keyword("option tcplog", _FRONTEND, "", "Log sessions with timers and counters", _tcplog),
    Keyword(
        "unique-id-format",
        _FRONTEND,
        "<format>",
        "A number for each session, for logs and PROXY headers",
        _format("unique_id", FormatKind.UNIQUE_ID),
    ),
)

GLOBAL_LOGS: tuple[Keyword[GlobalDraft], ...] = (
    Keyword("log", Where.GLOBAL, _TARGET, "Where `log global` sends lines", _global_log, negatable=True),
    Keyword(
        "log-send-hostname",
        Where.GLOBAL,
        "[<name>]",
        "Put the host's name, or another, into log lines",
        _send_hostname,
    ),
    Keyword("log-tag", Where.GLOBAL, "<tag>", "Program name in log lines", _global_tag),
)
