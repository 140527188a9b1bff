"""`log` lines: where lines go, how they are framed, which of them are sent; `no log` and `log global`."""

from __future__ import annotations

import re

from isthmus.config import Word, register
from isthmus.config.values import (
    LOG,
    BadValueError,
    FdAddress,
    InetAddress,
    NamedAddress,
    Transport,
    UnixAddress,
    parse_address,
)
from isthmus.config.values.rules import Family
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.expressions import NOT_IMPLEMENTED
from isthmus.model.log import (
    FdLog,
    Framing,
    LogAddress,
    LogGlobal,
    LogLine,
    LogSampling,
    LogTarget,
    NoLog,
    UdpLog,
    UnixLog,
)
from isthmus.records import dataclass, field, replace

BAD_LOG_LINE = register(
    "E0350",
    "malformed log line",
    """A log line names a target, then what it needs of `len N`, `format F`, `profile P`,
    `sample RANGES:SIZE` and `namespace NAME`, then a facility, and perhaps two levels: the least important
    one that is sent, and the most important one that is not toned down.""",
    "log 127.0.0.1:514 len 2048 format rfc5424 local0 info",
)
BAD_FACILITY = register(
    "E0351",
    "unknown syslog facility",
    """Facilities are kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, auth2, ftp, ntp, audit,
    alert, cron2 and local0 to local7, in lower case.""",
)
BAD_LEVEL = register(
    "E0352",
    "unknown syslog level",
    """Levels are emerg, alert, crit, err, warning, notice, info and debug, in lower case.""",
)
BAD_SAMPLING = register(
    "E0353",
    "bad sampling of a log",
    """Of every SIZE lines, those in the ranges are sent: numbers from 1 to SIZE, or two with a dash between,
    separated by commas, and each number at most once.""",
    "log 127.0.0.1:514 sample 1,3-4:5 local0",
)
NO_GLOBAL_LOG = register(
    "E0354",
    "`log global` in the global section",
    """`log global` says that a proxy sends its lines where the global section says; the section itself names
    targets.""",
)
LOG_NAMESPACE = register(
    "E0355",
    "namespace of a log that is not sent over IP",
    """Only UDP sockets belong to a network namespace. A unix socket, stdout or a descriptor has none.""",
)

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2"),
    *("local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"),
)
"""Syslog facilities; the place in the list is the code."""

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""Syslog levels; the place in the list is the code."""

_SYSLOG_PORT = 514
_LENGTHS = (80, 65535)
_OPTIONS = ("len", "format", "profile", "sample", "namespace")
_NAMESPACE = re.compile(r"[A-Za-z0-9_:.-]+\Z|/.+\Z|pid:[0-9]+\Z")
_NUMBER = re.compile(r"[0-9]{1,9}\Z")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")
_SYNTAX = "log <target> [len N] [format F] [sample R:S] [namespace X] <facility> [level [minimum level]]"


class _RefusedError(Exception):
    """A line that was given up; its diagnostic has been collected."""


@dataclass(slots=True)
class _Cursor:
    """The words of a line, taken one after the other."""

    words: tuple[Word, ...]
    context: Context
    pos: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def text(self) -> str | None:
        return self.words[self.pos].text if self.pos < len(self.words) else None

    def take(self, missing: str) -> Word:
        if self.pos == len(self.words):
            place = after(self.words[-1])
            self.context.alert(BAD_LOG_LINE, f"{missing} is missing", place, expected=_SYNTAX)
            raise _RefusedError
        self.pos += 1
        return self.words[self.pos - 1]


def parse_log(
    keyword: Word,
    words: tuple[Word, ...],
    context: Context,
    *,
    negated: bool = False,
    in_global: bool = False,
) -> LogLine | None:
    """Read the words behind `log`, or collect what is wrong and return None.

    `negated` says that `no` stood before `keyword`; `in_global` that the line is in the global section.
    """
    if negated:
        if words:
            message = "`no log` takes no arguments"
            context.alert(BAD_LOG_LINE, message, words[0].span.to(words[-1].span))
            return None
        return NoLog()
    if len(words) == 1 and words[0].text == "global":
        if in_global:
            context.alert(NO_GLOBAL_LOG, "the global section has no global log to use", words[0].span)
            return None
        return LogGlobal()
    cursor = _Cursor((keyword, *words), context, 1)
    try:
        return _target(cursor)
    except _RefusedError:
        return None


def _target(cursor: _Cursor) -> LogTarget:
    target_word = cursor.take("the target")
    target = LogTarget(_address(target_word, cursor.context), 0)
    while cursor.text in _OPTIONS:
        target = _option(target, target_word, cursor)
    facility = cursor.take("the facility")
    if facility.text not in FACILITIES:
        _refuse_choice(BAD_FACILITY, "facility", facility, FACILITIES, cursor.context)
    level = _level(cursor, 7)
    min_level = _level(cursor, 0)
    if cursor.pos < len(cursor.words):
        extra = cursor.words[cursor.pos]
        hint = f"`{extra.text}` stands before the facility" if extra.text in _OPTIONS else None
        cursor.context.alert(
            BAD_LOG_LINE, f"unexpected argument `{extra.text}`", extra.span, expected=_SYNTAX, hint=hint
        )
        raise _RefusedError
    return replace(target, facility=FACILITIES.index(facility.text), level=level, min_level=min_level)


def _level(cursor: _Cursor, default: int) -> int:
    if cursor.text is None:
        return default
    word = cursor.take("the level")
    if word.text not in LEVELS:
        hint = f"`{word.text}` stands before the facility" if word.text in _OPTIONS else None
        _refuse_choice(BAD_LEVEL, "level", word, LEVELS, cursor.context, hint)
    return LEVELS.index(word.text)


def _refuse_choice(
    code: str, what: str, word: Word, choices: tuple[str, ...], context: Context, hint: str | None = None
) -> None:
    context.alert(
        code,
        f"unknown {what} `{word.text}`",
        word.span,
        expected=f"one of {', '.join(choices)}",
        hint=hint or did_you_mean(word.text, choices),
    )
    raise _RefusedError


def _address(word: Word, context: Context) -> LogAddress:
    try:
        address = parse_address(word.text, LOG)
    except BadValueError as fault:
        fault.report(context.diagnostics, word)
        raise _RefusedError from None
    if isinstance(address, FdAddress):
        return FdLog(address.fd)
    if isinstance(address, NamedAddress) and address.family is Family.STANDARD:
        return FdLog(1 if address.name == "stdout" else 2)
    if isinstance(address, UnixAddress) and address.transport is Transport.DATAGRAM:
        return UnixLog(address.path)
    if isinstance(address, InetAddress) and address.transport is Transport.DATAGRAM:
        return UdpLog(address.host, address.port or _SYSLOG_PORT, None, word.span)
    kind = word.text.partition("@")[0]
    context.alert(NOT_IMPLEMENTED, f"log targets of the form `{kind}@` are not implemented yet", word.span)
    raise _RefusedError


def _option(target: LogTarget, target_word: Word, cursor: _Cursor) -> LogTarget:
    option = cursor.take("an option")
    context = cursor.context
    if option.text in cursor.seen:
        context.alert(BAD_LOG_LINE, f"`{option.text}` is given twice", option.span)
        raise _RefusedError
    cursor.seen.add(option.text)
    value = cursor.take(f"the value of `{option.text}`")
    if option.text == "len":
        return replace(target, max_length=_length(value, context))
    if option.text == "format":
        framings = tuple(each.value for each in Framing)
        if value.text not in framings:
            _refuse_choice(BAD_LOG_LINE, "log format", value, framings, context)
        return replace(target, framing=Framing(value.text))
    if option.text == "sample":
        return replace(target, sampling=_sampling(value, context))
    if option.text == "profile":
        context.alert(NOT_IMPLEMENTED, "log profiles are not implemented yet", option.span.to(value.span))
        raise _RefusedError
    return replace(target, address=_in_namespace(target.address, target_word, option, value, context))


def _in_namespace(
    address: LogAddress, target: Word, option: Word, name: Word, context: Context
) -> LogAddress:
    if not isinstance(address, UdpLog):
        message = f"`{target.text}` is not reached over IP, so it has no namespace"
        context.alert(LOG_NAMESPACE, message, option.span.to(name.span))
        raise _RefusedError
    if not _NAMESPACE.match(name.text) or ".." in name.text.split("/"):
        message = f"`{name.text}` is not the name of a namespace"
        expected = "a name under /run/netns, the absolute path of a namespace file, or pid:N"
        context.alert(LOG_NAMESPACE, message, name.span, expected=expected)
        raise _RefusedError
    return replace(address, namespace=name.text)


def _length(word: Word, context: Context) -> int:
    low, high = _LENGTHS
    if not (_NUMBER.match(word.text) and low <= int(word.text) <= high):
        message = f"`{word.text}` is not a length of log lines"
        context.alert(BAD_LOG_LINE, message, word.span, expected=f"a number of bytes from {low} to {high}")
        raise _RefusedError
    return int(word.text)


def _sampling(word: Word, context: Context) -> LogSampling:
    ranges_text, colon, size_text = word.text.rpartition(":")
    expected = "ranges, a colon and a size, as in `1,3-4:5`"
    if not colon or not _NUMBER.match(size_text) or int(size_text) == 0:
        context.alert(BAD_SAMPLING, f"`{word.text}` has no size", word.span, expected=expected)
        raise _RefusedError
    size = int(size_text)
    ranges: list[tuple[int, int]] = []
    offset = 0
    for part in ranges_text.split(","):
        found = _RANGE.match(part)
        low = int(found[1]) if found else 0
        high = int(found[2] or low) if found else 0
        problem = None
        if not 1 <= low <= high:
            problem = f"`{part}` is not a range"
        elif high > size:
            problem = f"`{part}` reaches beyond the size, which is {size}"
        elif any(low <= other_high and other_low <= high for other_low, other_high in ranges):
            problem = f"`{part}` overlaps another range"
        if problem:
            context.alert(BAD_SAMPLING, problem, context.part(word, offset, len(part)), expected=expected)
            raise _RefusedError
        ranges.append((low, high))
        offset += len(part) + 1
    return LogSampling(tuple(sorted(ranges)), size)
