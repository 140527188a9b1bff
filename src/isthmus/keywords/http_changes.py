"""The arguments of the actions that HTTP rules alone have, but for answers and redirections."""

from __future__ import annotations

from isthmus.config import Word
from isthmus.config.values import BadValueError, parse_size, parse_time
from isthmus.keywords.action_words import ACTION_NOT_IMPLEMENTED, ActionWords, WrongActionError
from isthmus.keywords.context import did_you_mean
from isthmus.keywords.http_replies import header_name
from isthmus.keywords.patterns import WrongPatternError, read_text
from isthmus.model.expression import Call, Expression, IntArg, MatchMethod, PatternFile, SampleType
from isthmus.model.http_rule import (
    Auth,
    CaptureInto,
    ChangeHeader,
    ChangeList,
    ChangeListed,
    DelHeader,
    HttpAction,
    NormalizeUri,
    Pause,
    Replace,
    SetBandwidthLimit,
    SetLine,
    SetNice,
    SetPriority,
    SetStatus,
    SetTimeout,
    StrictMode,
    UseCache,
    UseService,
    WaitForBody,
)
from isthmus.model.rule import Capture
from isthmus.services.registry import BUILT_IN

NORMALIZERS: dict[str, str] = {
    "fragment-encode": "",
    "fragment-strip": "",
    "path-merge-slashes": "",
    "path-strip-dot": "",
    "path-strip-dotdot": "full",
    "percent-decode-unreserved": "strict",
    "percent-to-uppercase": "strict",
    "query-sort-by-name": "",
}
"""What `normalize-uri` can do, and the option of each."""

CLIENT_TIMEOUTS = ("client",)
"""The timeouts that `set-timeout` can set in a frontend alone."""

SERVER_TIMEOUTS = ("server", "tunnel", "connect", "queue")
"""The timeouts that `set-timeout` can set in a backend alone."""

_MATCHINGS = ("str", "beg", "end", "sub", "reg")


def _how(words: ActionWords) -> str:
    return words.name.text.partition("(")[0]


def add_header(words: ActionWords) -> HttpAction:
    """Read `add-header`, `set-header` and `early-hint`: a name and a format."""
    return ChangeHeader(_how(words), header_name(words), words.format())


def del_header(words: ActionWords) -> HttpAction:
    """Read `del-header <name> [-m <method>]`."""
    name = words.take("the name of a header")
    method = "str"
    if words.begins("-m"):
        words.take("`-m`")
        method = words.choice(_MATCHINGS, "a matching method")
    if method == "reg":
        _check_regex(words, name)
    return DelHeader(name.text, method)


def change_listed(words: ActionWords) -> HttpAction:
    """Read `add-headers-bin <expression> [prefix <text>]` and its like; who deletes says `-m <method>`."""
    how, value = _how(words), words.expression()
    option = "-m" if how == "del-headers-bin" else "prefix"
    if not words.begins(option):
        return ChangeListed(how, value)
    words.take(f"`{option}`")
    if option == "prefix":
        return ChangeListed(how, value, prefix=words.take("how names begin").text)
    return ChangeListed(how, value, matching=words.choice(_MATCHINGS[:-1], "a matching method"))


def replace(words: ActionWords) -> HttpAction:
    """Read `replace-header <name>` and its like: a regular expression and a format."""
    how = _how(words)
    name = header_name(words) if how in ("replace-header", "replace-value") else ""
    regex = words.take("a regular expression")
    _check_regex(words, regex)
    return Replace(how, name, regex.text, words.format())


def _check_regex(words: ActionWords, word: Word) -> None:
    try:
        read_text(word.text, MatchMethod.REG)
    except WrongPatternError as error:
        words.refuse(f"`{word.text}` is no regular expression", word.span, str(error))


def set_line(words: ActionWords) -> HttpAction:
    """Read `set-method`, `set-path` and their like: a format."""
    return SetLine(_how(words), words.format())


def set_status(words: ActionWords) -> HttpAction:
    """Read `set-status <status> [reason <text>]`."""
    status = words.number(100, 999, "a status from 100 to 999")
    if not words.begins("reason"):
        return SetStatus(status)
    words.take("`reason`")
    return SetStatus(status, words.take("a reason").text)


def normalize_uri(words: ActionWords) -> HttpAction:
    """Read `normalize-uri <normalizer> [full | strict]`."""
    name = words.choice(NORMALIZERS, "a normalizer")
    strict = bool(NORMALIZERS[name]) and words.next_text == NORMALIZERS[name]
    if strict:
        words.take(NORMALIZERS[name])
    return NormalizeUri(name, strict)


def auth(words: ActionWords) -> HttpAction:
    """Read `auth [realm <text>]`."""
    if not words.begins("realm"):
        return Auth()
    words.take("`realm`")
    return Auth(words.take("a realm").text)


def change_list(words: ActionWords) -> HttpAction:
    """Read `set-map(<file>) <key> <value>` and its like."""
    how = _how(words)
    ((text, span), *more) = words.inside(f"{how}(<file>)")
    if more or not text:
        words.refuse(f"`{how}` takes the name of one file", span, f"{how}(<file>)")
    file = PatternFile.read(text, span, two_columns=how.endswith("map"))
    key = words.format()
    return ChangeList(how, file, key, words.format() if how in ("set-map", "add-map") else None)


def capture(words: ActionWords) -> HttpAction:
    """Read `capture <sample> { len <length> | id <slot> }`; responses take `id` only."""
    value = words.expression()
    response = words.place.in_response
    how = words.choice(("id",) if response else ("len", "id"), "where to keep it")
    if how == "id":
        slot = words.number(0, 65535, "the number of a capture slot")
        return CaptureInto(value, slot, response, words.name.span)
    length = words.number(1, 65535, "a number of bytes from 1 to 65535")
    if not words.context.frontend:
        message = "captures belong to a frontend, and this section is none"
        words.refuse(message, words.name.span, "`id` and the number of a slot that frontends declare")
    return Capture(value, length, slot=-1)


def _delay(words: ActionWords) -> int | Expression:
    """Take a time in milliseconds, or an expression that gives one."""
    text = words.next_text or ""
    if text[:1].isdigit():
        return _time(words)
    return words.expression()


def _time(words: ActionWords) -> int:
    word = words.take("a time")
    try:
        return parse_time(word.text).milliseconds
    except BadValueError as fault:
        fault.report(words.context.diagnostics, word)
        raise WrongActionError from None


def pause(words: ActionWords) -> HttpAction:
    """Read `pause { <time> | <expression> }`."""
    return Pause(_delay(words))


def set_timeout(words: ActionWords) -> HttpAction:
    """Read `set-timeout <which> { <time> | <expression> }`; each belongs to one side of a proxy."""
    which = words.choice((*CLIENT_TIMEOUTS, *SERVER_TIMEOUTS, "tarpit"), "a timeout")
    context = words.context
    for names, side, has in (
        (CLIENT_TIMEOUTS, "frontend", context.frontend),
        (SERVER_TIMEOUTS, "backend", context.backend),
    ):
        if which in names and not has:
            words.refuse(f"`timeout {which}` belongs to a {side}, and this section is none", words.name.span)
    word = words.words[words.pos : words.pos + 1]
    delay = _delay(words)
    if delay == 0:
        words.refuse("a timeout cannot be 0", word[0].span, "a time, for instance `5s`")
    return SetTimeout(which, delay)


def use_cache(words: ActionWords) -> HttpAction:
    """Read `cache-use <cache>` and `cache-store <cache>`."""
    name = words.take("the name of a cache")
    return UseCache(_how(words), name.text, name.span)


def use_service(words: ActionWords) -> HttpAction:
    """Read `use-service <name>`; whether there is such a service is known when all files are loaded."""
    word = words.take("the name of a service")
    lua = word.text.startswith("lua.")
    if lua or (word.text == "prometheus-exporter" and word.text not in BUILT_IN):
        message = f"service `{word.text}` is known to HAProxy, and not implemented yet"
        words.context.alert(ACTION_NOT_IMPLEMENTED, message, word.span)
        raise WrongActionError
    return UseService(word.text, word.span)


def set_bandwidth_limit(words: ActionWords) -> HttpAction:
    """Read `set-bandwidth-limit <name> [limit <expression>] [period <expression>]`."""
    name = words.take("the name of a filter")
    said: dict[str, Expression] = {}
    while words.begins("limit", "period"):
        option = words.take("an option").text
        said[option] = _number_or_expression(words)
    return SetBandwidthLimit(name.text, said.get("limit"), said.get("period"), name.span)


def _number_or_expression(words: ActionWords) -> Expression:
    """Take an expression; a number is one that always gives it."""
    text = words.next_text or ""
    if not text[:1].isdigit():
        return words.expression()
    word = words.words[words.pos]
    value = _time(words)
    return Expression(Call("int", (IntArg(value),)), (), SampleType.INT, word.span)


def set_nice(words: ActionWords) -> HttpAction:
    """Read `set-nice <nice>`; as in HAProxy, what is beyond a bound is the bound."""
    word = words.take("a number from -1024 to 1024")
    text = word.text
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 9:
        words.refuse(f"`{text}` does not fit `set-nice`", word.span, "a number from -1024 to 1024")
    return SetNice(max(-1024, min(1024, int(text))))


def set_priority(words: ActionWords) -> HttpAction:
    """Read `set-priority-class <expression>` and `set-priority-offset <expression>`."""
    return SetPriority(_how(words) == "set-priority-offset", words.expression())


def strict_mode(words: ActionWords) -> HttpAction:
    """Read `strict-mode { on | off }`."""
    return StrictMode(words.choice(("on", "off"), "a mode") == "on")


def wait_for_body(words: ActionWords) -> HttpAction:
    """Read `wait-for-body time <time> [at-least <bytes>]`, in any order."""
    time: int | None = None
    least = 0
    while words.begins("time", "at-least"):
        if words.take("an option").text == "time":
            time = _time(words)
        else:
            word = words.take("a number of bytes")
            try:
                least = parse_size(word.text, minimum=0, maximum=2**31 - 1)
            except BadValueError as fault:
                fault.report(words.context.diagnostics, word)
                raise WrongActionError from None
    if time is None:
        hint = did_you_mean(words.next_text or "", words.offered)
        words.refuse("`wait-for-body` does not say how long", words.behind, "`time` and a time", hint)
    return WaitForBody(time, least)
