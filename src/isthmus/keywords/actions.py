"""What `tcp-request` rules do: a row for each action, the sets of rules it may stand in, its arguments."""

from __future__ import annotations

import re

from isthmus.config import Word, register
from isthmus.keywords.action_words import (
    ACTION_NOT_HERE,
    ACTION_NOT_IMPLEMENTED,
    DECIMAL,
    ActionRow,
    ActionWords,
    RuleSet,
    WrongActionError,
    action_name,
)
from isthmus.keywords.context import Context, did_you_mean
from isthmus.keywords.log_targets import LEVELS
from isthmus.keywords.tracking import TRACKING
from isthmus.keywords.variables import check_condition, check_variable
from isthmus.model.expression import Call, Expression, IntArg, SampleType
from isthmus.model.resolvers import Family
from isthmus.model.rule import (
    Accept,
    Action,
    Capture,
    DoLog,
    DoResolve,
    ExpectProxy,
    LogOrigin,
    Reject,
    SetAddress,
    SetLogLevel,
    SetMark,
    SetRetries,
    SetTos,
    SetVar,
    SilentDrop,
    SwitchMode,
    UnsetVar,
)

UNKNOWN_ACTION = register(
    "E0400",
    "unknown action of a tcp-request rule",
    """Behind tcp-request and the set of rules stands an action: accept, reject, set-var(...) and so on.""",
    "tcp-request connection reject if { src 192.0.2.0/24 }",
)


def _silent_drop(words: ActionWords) -> Action:
    if not words.begins("rst-ttl"):
        return SilentDrop()
    words.take("`rst-ttl`")
    return SilentDrop(words.number(1, 255, "a hop limit from 1 to 255"))


def _do_log(words: ActionWords) -> Action:
    if words.begins("profile"):
        option = words.take("`profile`")
        message = "log profiles are not implemented yet"
        words.context.alert(ACTION_NOT_IMPLEMENTED, message, option.span)
        raise WrongActionError
    return DoLog()


_ORIGINS = {
    RuleSet.CONNECTION: LogOrigin.TCP_REQ_CONN,
    RuleSet.SESSION: LogOrigin.TCP_REQ_SESS,
    RuleSet.CONTENT: LogOrigin.TCP_REQ_CONT,
}


def _switch_mode(words: ActionWords) -> Action:
    if not words.context.frontend:
        message = "connections become HTTP at a frontend, and this section is none"
        words.refuse(message, words.name.span)
    mode = words.take("`http`")
    if mode.text != "http":
        words.refuse("a connection can become HTTP, and nothing else", mode.span, "`http`")
    if not words.begins("proto"):
        return SwitchMode()
    words.take("`proto`")
    proto = words.take("`h1` or `h2`")
    if proto.text not in ("h1", "h2"):
        words.refuse(f"`{proto.text}` is not a version of HTTP", proto.span, "`h1` or `h2`")
    return SwitchMode(proto.text)


def _expect_proxy(words: ActionWords) -> Action:
    layer = words.take("`layer4`")
    if layer.text != "layer4":
        words.refuse("`expect-proxy` knows one layer", layer.span, "`layer4`")
    return ExpectProxy()


def _variable(words: ActionWords) -> tuple[str, tuple[str, ...]]:
    """Read the parentheses behind `set-var` and its like: the name and the conditions."""
    word, context = words.name, words.context
    form = f"{word.text.partition('(')[0]}(<scope>.<name>)"
    given = words.inside(form)
    name = check_variable(*given[0], context)
    conditions = tuple(text for text, _ in given[1:] if text)
    rights = [check_condition(text, span, context) for text, span in given[1:]]
    if name is None or not all(rights):
        raise WrongActionError
    return name, conditions


def _set_var(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    return SetVar(name, words.expression(), conditions)


def _set_var_fmt(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    return SetVar(name, words.format(empty=True), conditions)


def _unset_var(words: ActionWords) -> Action:
    name, conditions = _variable(words)
    if conditions:
        words.refuse("`unset-var` takes no conditions", words.name.span, "unset-var(<scope>.<name>)")
    return UnsetVar(name)


def _set_address(words: ActionWords) -> Action:
    return SetAddress(words.name.text, words.expression())


def _capture(words: ActionWords) -> Action:
    value = words.expression()
    keyword = words.take("`len` and a number of bytes")
    if keyword.text != "len":
        words.refuse(f"`{keyword.text}` cannot stand here", keyword.span, "`len` and a number of bytes")
    length = words.number(1, 65535, "a number of bytes from 1 to 65535")
    if not words.context.frontend:
        message = "captures belong to a frontend, and this section is none"
        words.refuse(message, words.name.span)
    return Capture(value, length, slot=-1)  # the reader of the section numbers it


def _set_log_level(words: ActionWords) -> Action:
    choices = ("silent", *LEVELS)
    level = words.take(f"one of {', '.join(choices)}")
    if level.text not in choices:
        message, hint = f"unknown log level `{level.text}`", did_you_mean(level.text, choices)
        words.refuse(message, level.span, f"one of {', '.join(choices)}", hint)
    return SetLogLevel(None if level.text == "silent" else LEVELS.index(level.text))


def _set_mark(words: ActionWords) -> Action:
    mark = _number(
        words, 2**32 - 1, "a mark: a number up to 0xffffffff, decimal or with 0x, or an expression"
    )
    return SetMark(mark, words.name.text == "set-bc-mark")


def _set_tos(words: ActionWords) -> Action:
    tos = _number(words, 255, "a DS field: a number up to 255, decimal or with 0x, or an expression")
    return SetTos(tos, words.name.text == "set-bc-tos")


def _set_retries(words: ActionWords) -> Action:
    context = words.context
    if not context.backend:
        words.refuse("retries belong to a backend, and this section is none", words.name.span)
    if not context.proxy:
        words.refuse("`set-retries` cannot stand in a defaults section", words.name.span)
    return SetRetries(_number(words, 100, "a number from 0 to 100, or an expression"))


_FAMILIES = {"ipv4": Family.IPV4, "ipv6": Family.IPV6}


def _do_resolve(words: ActionWords) -> Action:
    """`do-resolve(<var>,<resolvers>[,ipv4|ipv6]) <expr>`; without a family IPv6 is preferred."""
    form = "do-resolve(<scope>.<name>,<resolvers>[,ipv4|ipv6])"
    given = words.inside(form)
    name = check_variable(*given[0], words.context)
    if name is None:
        raise WrongActionError
    if len(given) < 2 or not given[1][0]:
        words.refuse("`do-resolve` needs the name of a section `resolvers`", words.name.span, form)
    prefer = Family.IPV6
    for text, span in given[2:]:
        if text and text not in _FAMILIES:
            words.refuse(f"`{text}` is no family of addresses", span, "ipv4 or ipv6")
        prefer = _FAMILIES.get(text, prefer)
    return DoResolve(name, given[1][0], prefer, words.expression(), given[1][1])


_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]{1,20}\Z")


def _number(words: ActionWords, high: int, expected: str) -> Expression:
    """Take an expression; a number is one that always gives it."""
    if (
        words.next_text
        and words.next_text.partition("(")[0].partition(",")[0] in words.context.vocabulary.fetches
    ):
        return words.expression()
    word = words.take(expected)
    text = word.text
    hexadecimal = _HEXADECIMAL.match(text)
    if not (hexadecimal or DECIMAL.match(text)) or int(text, 16 if hexadecimal else 10) > high:
        words.refuse(f"`{text}` does not fit `{words.name.text}`", word.span, expected)
    value = int(text, 16 if hexadecimal else 10)
    return Expression(Call("int", (IntArg(value),)), (), SampleType.INT, word.span)


_ALL = frozenset(RuleSet)
_CONNECTION = frozenset({RuleSet.CONNECTION})
_CONTENT = frozenset({RuleSet.CONTENT})

_OWN: dict[str, ActionRow] = {
    "accept": ActionRow(_ALL, lambda _words: Accept(), "ends the set: the connection passes"),
    "capture": ActionRow(_CONTENT, _capture, "keeps a sample for the log"),
    "do-log": ActionRow(_ALL, _do_log, "writes a line to the log"),
    "do-resolve": ActionRow(_CONTENT, _do_resolve, "asks name servers for an address"),
    "expect-proxy": ActionRow(_CONNECTION, _expect_proxy, "the connection begins with a PROXY header"),
    "reject": ActionRow(_ALL, lambda _words: Reject(), "closes the connection"),
    "set-bc-mark": ActionRow(_CONTENT, _set_mark, "sets the netfilter mark of packets to the server"),
    "set-bc-tos": ActionRow(_CONTENT, _set_tos, "sets the DS field of packets to the server"),
    "set-dst": ActionRow(_ALL, _set_address, "replaces the destination address"),
    "set-dst-port": ActionRow(_ALL, _set_address, "replaces the destination port"),
    "set-fc-mark": ActionRow(_ALL, _set_mark, "sets the netfilter mark of packets to the client"),
    "set-fc-tos": ActionRow(_ALL, _set_tos, "sets the DS field of packets to the client"),
    "set-log-level": ActionRow(_CONTENT, _set_log_level, "changes the level of the session's log line"),
    "set-mark": ActionRow(_ALL, _set_mark, "the older name of set-fc-mark"),
    "set-retries": ActionRow(_CONTENT, _set_retries, "sets how often this stream is tried again"),
    "set-src": ActionRow(_ALL, _set_address, "replaces the client's address"),
    "set-src-port": ActionRow(_ALL, _set_address, "replaces the client's port"),
    "set-tos": ActionRow(_ALL, _set_tos, "the older name of set-fc-tos"),
    "set-var": ActionRow(_ALL, _set_var, "sets a variable from an expression"),
    "set-var-fmt": ActionRow(_ALL, _set_var_fmt, "sets a variable from a log format"),
    "silent-drop": ActionRow(_ALL, _silent_drop, "drops the connection without telling the client"),
    "switch-mode": ActionRow(_CONTENT, _switch_mode, "ends the set: the connection becomes HTTP"),
    "unset-var": ActionRow(_ALL, _unset_var, "forgets a variable"),
}

ACTIONS: dict[str, ActionRow] = dict(sorted((_OWN | TRACKING).items()))
"""Every action that works, by name; one with parentheses is listed without them."""

NOT_YET = frozenset(
    {
        *(
            "attach-srv",
            "expect-netscaler-cip",
            "ot-group",
        ),
        *(
            "send-spoe-group",
            "set-bandwidth-limit",
        ),
        *(
            "set-nice",
            "set-priority-class",
            "set-priority-offset",
        ),
        "use-service",
    }
)
"""Actions of HAProxy 3.5 that do not work yet; `lua.NAME` does not either."""

_NUMBERED = re.compile(r"lua\..+\Z")


def parse_action(words: ActionWords, rule_set: RuleSet) -> Action:
    """Read an action of a set of rules. Raises WrongActionError after collecting what is wrong."""
    name, context = action_name(words.name.text), words.context
    row = ACTIONS.get(name)
    if row is None:
        _unknown(name, words.name, rule_set, context)
        raise WrongActionError
    if rule_set not in row.sets:
        rest = " or ".join(f"tcp-request {each.value}" for each in RuleSet if each in row.sets)
        message = f"`{name}` cannot stand in `tcp-request {rule_set.value}`"
        context.alert(ACTION_NOT_HERE, message, words.name.span, expected=f"`{name}` in {rest}")
        raise WrongActionError
    action = row.read(words)
    return DoLog(_ORIGINS[rule_set]) if isinstance(action, DoLog) else action


def _unknown(name: str, word: Word, rule_set: RuleSet, context: Context) -> None:
    if name in NOT_YET or _NUMBERED.match(name):
        message = f"action `{name}` of tcp-request rules is not implemented yet"
        context.alert(ACTION_NOT_IMPLEMENTED, message, word.span)
        return
    possible = [each for each, row in ACTIONS.items() if rule_set in row.sets]
    context.alert(
        UNKNOWN_ACTION,
        f"unknown action `{word.text}` of `tcp-request {rule_set.value}`",
        word.span,
        expected=f"one of {', '.join(possible)}",
        hint=did_you_mean(name, [*possible, *NOT_YET]),
    )
