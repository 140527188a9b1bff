"""table: what HTTP rules do, a row for each action: the sets it may stand in, its arguments, what it is for.

Actions that TCP rules have too are read by `actions`; the readers of the others are in `http_changes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from isthmus.config import Word, register
from isthmus.keywords.action_words import (
    ACTION_NOT_HERE,
    ACTION_NOT_IMPLEMENTED,
    ActionWords,
    WrongActionError,
    action_name,
)
from isthmus.keywords.actions import ACTIONS
from isthmus.keywords.context import Context, did_you_mean
from isthmus.keywords.http_changes import (
    add_header,
    auth,
    capture,
    change_list,
    change_listed,
    del_header,
    normalize_uri,
    pause,
    replace,
    set_bandwidth_limit,
    set_line,
    set_nice,
    set_priority,
    set_status,
    set_timeout,
    strict_mode,
    use_cache,
    use_service,
    wait_for_body,
)
from isthmus.keywords.http_replies import read_reply
from isthmus.keywords.redirects import read_redirect
from isthmus.keywords.tracking import TRACKING
from isthmus.model.http_rule import Allow, Answer, DisableL7Retry, HttpAction, WaitForHandshake
from isthmus.model.rule import DoLog, LogOrigin
from isthmus.records import dataclass

UNKNOWN_HTTP_ACTION = register(
    "E0404",
    "unknown action of an HTTP rule",
    """Behind http-request, http-response or http-after-response stands an action: deny, set-header and so
    on.""",
    "http-request set-header X-Real-IP %[src]",
)


class HttpSet(Enum):
    """The sets of HTTP rules, by the keyword of their lines."""

    REQUEST = "http-request"
    RESPONSE = "http-response"
    AFTER = "http-after-response"


Read = Callable[[ActionWords], HttpAction]


@dataclass(frozen=True, slots=True)
class HttpActionRow:
    """An action: the sets it may stand in, what it reads, and a line of documentation."""

    sets: frozenset[HttpSet]
    read: Read
    about: str


_ORIGINS = {
    HttpSet.REQUEST: LogOrigin.HTTP_REQ,
    HttpSet.RESPONSE: LogOrigin.HTTP_RES,
    HttpSet.AFTER: LogOrigin.HTTP_AFTER_RES,
}
_ALL = frozenset(HttpSet)
_REQUEST = frozenset({HttpSet.REQUEST})
_RESPONSE = frozenset({HttpSet.RESPONSE, HttpSet.AFTER})
_ONLY_RESPONSE = frozenset({HttpSet.RESPONSE})
_BOTH = frozenset({HttpSet.REQUEST, HttpSet.RESPONSE})


def _tcp(name: str, sets: frozenset[HttpSet]) -> HttpActionRow:
    row = ACTIONS[name]
    return HttpActionRow(sets, row.read, row.about)


def _answer(how: str, status: int) -> Read:
    return lambda words: Answer(how, read_reply(words, status, denies=how != "return"))


def _deny(words: ActionWords) -> HttpAction:
    """Read an answer: a refused request gets 403, a refused response 502."""
    response = words.place.in_response
    return Answer("deny", read_reply(words, 502 if response else 403, denies=True))


HTTP_ACTIONS: dict[str, HttpActionRow] = {
    "add-acl": HttpActionRow(_BOTH, change_list, "adds a pattern to an ACL file"),
    "add-header": HttpActionRow(_ALL, add_header, "adds a header"),
    "add-headers-bin": HttpActionRow(_ALL, change_listed, "adds headers that a sample lists"),
    "add-map": HttpActionRow(_BOTH, change_list, "adds a key and its value to a map, whether it is there"),
    "allow": HttpActionRow(_ALL, lambda _words: Allow(), "ends the set: the message passes"),
    "auth": HttpActionRow(_REQUEST, auth, "asks for a name and a password"),
    "cache-store": HttpActionRow(_ONLY_RESPONSE, use_cache, "keeps the answer in a cache"),
    "cache-use": HttpActionRow(_REQUEST, use_cache, "answers from a cache"),
    "capture": HttpActionRow(_ALL, capture, "keeps a sample for the log"),
    "del-acl": HttpActionRow(_ALL, change_list, "removes a pattern from an ACL file"),
    "del-header": HttpActionRow(_ALL, del_header, "removes headers"),
    "del-headers-bin": HttpActionRow(_ALL, change_listed, "removes headers that a sample lists"),
    "del-map": HttpActionRow(_ALL, change_list, "removes a key from a map"),
    "deny": HttpActionRow(_BOTH, _deny, "answers with an error"),
    "disable-l7-retry": HttpActionRow(_REQUEST, lambda _words: DisableL7Retry(), "sends the request once"),
    "do-log": _tcp("do-log", _ALL),
    "do-resolve": _tcp("do-resolve", _REQUEST),
    "early-hint": HttpActionRow(_REQUEST, add_header, "sends a field in an answer 103 first"),
    "normalize-uri": HttpActionRow(_REQUEST, normalize_uri, "brings the URI into a normal form"),
    "pause": HttpActionRow(_BOTH, pause, "waits"),
    "redirect": HttpActionRow(
        _BOTH, lambda words: read_redirect(words, formatted=True), "answers with a redirection"
    ),
    "reject": _tcp("reject", _REQUEST),
    "replace-header": HttpActionRow(_ALL, replace, "replaces the values of a header that match"),
    "replace-path": HttpActionRow(_REQUEST, replace, "replaces the path where it matches"),
    "replace-pathq": HttpActionRow(_REQUEST, replace, "replaces path and query where they match"),
    "replace-uri": HttpActionRow(_REQUEST, replace, "replaces the URI where it matches"),
    "replace-value": HttpActionRow(_ALL, replace, "replaces the elements of a list that match"),
    "return": HttpActionRow(_BOTH, _answer("return", 200), "answers"),
    **{name: _tcp(name, _ALL) for name in TRACKING if name.startswith("sc-")},
    "set-bandwidth-limit": HttpActionRow(_BOTH, set_bandwidth_limit, "limits the bandwidth of this stream"),
    "set-bc-mark": _tcp("set-bc-mark", _REQUEST),
    "set-bc-tos": _tcp("set-bc-tos", _REQUEST),
    "set-dst": _tcp("set-dst", _REQUEST),
    "set-dst-port": _tcp("set-dst-port", _REQUEST),
    "set-fc-mark": _tcp("set-fc-mark", _BOTH),
    "set-fc-tos": _tcp("set-fc-tos", _BOTH),
    "set-header": HttpActionRow(_ALL, add_header, "sets a header, instead of any of the name"),
    "set-headers-bin": HttpActionRow(_ALL, change_listed, "sets headers that a sample lists"),
    "set-log-level": _tcp("set-log-level", _ALL),
    "set-map": HttpActionRow(_ALL, change_list, "sets the value of a key of a map"),
    "set-mark": _tcp("set-mark", _BOTH),
    "set-method": HttpActionRow(_REQUEST, set_line, "sets the method"),
    "set-nice": HttpActionRow(_BOTH, set_nice, "sets how soon the stream is served"),
    "set-path": HttpActionRow(_REQUEST, set_line, "sets the path"),
    "set-pathq": HttpActionRow(_REQUEST, set_line, "sets path and query"),
    "set-priority-class": HttpActionRow(_REQUEST, set_priority, "sets the class in which it queues"),
    "set-priority-offset": HttpActionRow(_REQUEST, set_priority, "shifts the place in its queue"),
    "set-query": HttpActionRow(_REQUEST, set_line, "sets the query"),
    "set-retries": _tcp("set-retries", _REQUEST),
    "set-src": _tcp("set-src", _REQUEST),
    "set-src-port": _tcp("set-src-port", _REQUEST),
    "set-status": HttpActionRow(_RESPONSE, set_status, "sets the status"),
    "set-timeout": HttpActionRow(_BOTH, set_timeout, "sets a timeout of this stream"),
    "set-tos": _tcp("set-tos", _BOTH),
    "set-uri": HttpActionRow(_REQUEST, set_line, "sets the URI"),
    "set-var": _tcp("set-var", _ALL),
    "set-var-fmt": _tcp("set-var-fmt", _ALL),
    "silent-drop": _tcp("silent-drop", _BOTH),
    "strict-mode": HttpActionRow(_ALL, strict_mode, "whether a change that fails is an error"),
    "tarpit": HttpActionRow(_REQUEST, _answer("tarpit", 500), "answers with an error, late"),
    "track-sc": _tcp("track-sc", _BOTH),
    "unset-var": _tcp("unset-var", _ALL),
    "use-service": HttpActionRow(_REQUEST, use_service, "answers by a service written in Python"),
    "wait-for-body": HttpActionRow(_BOTH, wait_for_body, "waits for the body"),
    "wait-for-handshake": HttpActionRow(
        _REQUEST, lambda _words: WaitForHandshake(), "waits for the client's handshake"
    ),
}
"""Every action, by name; one with parentheses is listed without them."""

UNREAD = frozenset(
    {
        "send-spoe-group",
    }
)
"""Actions of HAProxy 3.5 that have no row; `lua.NAME` has none either."""

_NUMBERED = re.compile(r"lua\..+\Z")


def possible(http_set: HttpSet) -> list[str]:
    """Return the actions that work in a set."""
    return [name for name, row in HTTP_ACTIONS.items() if http_set in row.sets]


def parse_http_action(words: ActionWords, http_set: HttpSet) -> HttpAction:
    """Read an action of a set of rules. Raises WrongActionError after collecting what is wrong."""
    name, context = action_name(words.name.text), words.context
    row = HTTP_ACTIONS.get(name)
    if row is None:
        _unknown(name, words.name, http_set, context)
        raise WrongActionError
    if http_set not in row.sets:
        rest = " or ".join(each.value for each in HttpSet if each in row.sets)
        message = f"`{name}` cannot stand in `{http_set.value}`"
        context.alert(ACTION_NOT_HERE, message, words.name.span, expected=f"`{name}` in {rest}")
        raise WrongActionError
    action = row.read(words)
    return DoLog(_ORIGINS[http_set]) if isinstance(action, DoLog) else action


def _not_implemented(name: str, word: Word, http_set: HttpSet, context: Context) -> None:
    message = f"action `{name}` of {http_set.value} rules is not implemented yet"
    context.alert(ACTION_NOT_IMPLEMENTED, message, word.span)


def _unknown(name: str, word: Word, http_set: HttpSet, context: Context) -> None:
    if name in UNREAD or _NUMBERED.match(name):
        _not_implemented(name, word, http_set, context)
        return
    known = possible(http_set)
    context.alert(
        UNKNOWN_HTTP_ACTION,
        f"unknown action `{word.text}` of `{http_set.value}`",
        word.span,
        expected=f"one of {', '.join(known)}",
        hint=did_you_mean(name, [*known, *UNREAD]),
    )
