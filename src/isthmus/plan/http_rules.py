"""HTTP rules in the plan's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.http_lines import LONGEST_CAPTURE
from isthmus.keywords.values import suggest
from isthmus.model.expression import Expression
from isthmus.model.http import Cache
from isthmus.model.http_rule import (
    Allow,
    Answer,
    Auth,
    CaptureInto,
    ChangeHeader,
    ChangeList,
    ChangeListed,
    DelHeader,
    DisableL7Retry,
    HttpAction,
    HttpRule,
    NormalizeUri,
    Pause,
    Redirect,
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
    WaitForHandshake,
)
from isthmus.model.log import Format
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.http_replies import Replies
from isthmus.plan.logs import format_items
from isthmus.plan.names import byte_string, origin
from isthmus.plan.rules import lowered_action
from isthmus.services.registry import BUILT_IN

NO_SUCH_SLOT = register(
    "E0452",
    "no such capture slot",
    """`capture <sample> id <slot>` stores into a slot that the frontend declares: by `declare capture`, by
    `capture request header` and its like, or by another capture rule. Slots are counted from 0.""",
    "declare capture request len 32",
)

NO_SUCH_PART = register(
    "E0457",
    "rule names what is not there",
    """cache-use and cache-store name a section `cache`, set-bandwidth-limit a filter of its own proxy.""",
)

NO_SUCH_SERVICE = register(
    "E0520",
    "no such service",
    """use-service names a service that a file of `python-load` registers, as `python.` and its name.""",
    "http-request use-service python.hello",
)

http = document.http
Text = document.http.Text

_HEADERS: dict[str, Callable[[str, Text], document.http.HttpAction]] = {
    "add-header": http.AddHeader,
    "set-header": http.SetHeader,
    "early-hint": http.EarlyHint,
}
_ANSWERS: dict[str, Callable[[document.http.Reply], document.http.HttpAction]] = {
    "return": http.Return,
    "deny": http.Deny,
    "tarpit": http.Tarpit,
}
_TARGETS: dict[str, Callable[[Text], document.http.RedirectTarget]] = {
    "location": http.Location,
    "prefix": http.Prefix,
    "scheme": http.Scheme,
}


class Parts:
    """Caches and services, which rules name and the plan counts."""

    def __init__(self, caches: Iterable[Cache], known: Iterable[str], diagnostics: Diagnostics) -> None:
        self._caches = [each.name for each in caches]
        self._known = {*known, *BUILT_IN}
        self._services: list[str] = []
        self._diagnostics = diagnostics

    def cache(self, name: str, span: Span) -> int:
        """Return the index of a cache; collects an error where there is none."""
        if name in self._caches:
            return self._caches.index(name)
        message, hint = f"there is no section `cache {name}`", suggest(name, self._caches)
        if not self._caches:
            hint = f"begin one with a line `cache {name}`"
        self._diagnostics.alert(NO_SUCH_PART, message, span, expected=_one_of(self._caches), hint=hint)
        return 0

    def service(self, name: str, span: Span) -> int:
        """Return the index of a service; collects an error where there is none."""
        if name not in self._known:
            hint = suggest(name, self._known)
            if hint is None and not self._known:
                hint = "name the file that registers it by `python-load` in section `global`"
            message, expected = f"there is no service `{name}`", _one_of(self._known)
            self._diagnostics.alert(NO_SUCH_SERVICE, message, span, expected=expected, hint=hint)
        if name not in self._services:
            self._services.append(name)
        return self._services.index(name)

    def services(self) -> tuple[str, ...]:
        """Return every service that a rule named so far."""
        return tuple(self._services)


def _one_of(names: Iterable[str]) -> str | None:
    known = ", ".join(sorted(names))
    return f"one of {known}" if known else None


class HttpRules:
    """Lowers the HTTP rules of one proxy."""

    def __init__(self, proxy: Proxy, names: Names, replies: Replies, parts: Parts) -> None:
        self._proxy = proxy
        self._names = names
        self._replies = replies
        self._parts = parts

    def lowered(self, rules: Iterable[HttpRule]) -> tuple[document.http.HttpRule, ...]:
        """Return rules in the plan's terms, in their order."""
        return tuple(
            http.HttpRule(self._action(rule.action), self._names.condition(rule.condition), origin(rule.span))
            for rule in rules
        )

    def _text(self, value: Format | None) -> Text:
        return () if value is None else format_items(value, self._names)

    def _delay(self, value: int | Expression) -> document.http.Delay:
        if isinstance(value, int):
            return http.FixedDelay(value)
        return http.ComputedDelay(self._names.expression(value))

    def _action(self, action: HttpAction) -> document.http.HttpAction:
        match action:
            case Allow():
                return http.Common(document.Accept())
            case Answer(how, reply):
                return _ANSWERS[how](self._replies.lowered(reply, self._proxy))
            case ChangeHeader(how, name, value):
                return _HEADERS[how](name, self._text(value))
            case ChangeListed():
                return self._listed(action)
            case DelHeader(name, matching):
                return http.DelHeader(byte_string(name), http.NameMatch(matching))
            case Replace():
                return self._replacement(action)
            case SetLine("set-method", value):
                return http.SetMethod(self._text(value))
            case SetLine(how, value):
                return http.SetTarget(http.TargetPart(how.removeprefix("set-")), self._text(value))
            case SetStatus(status, reason):
                return http.SetStatus(status, None if reason is None else byte_string(reason))
            case NormalizeUri(normalizer, strict):
                return http.NormalizeUri(normalizer, strict)
            case Redirect():
                return http.Redirect(self._redirect(action))
            case Auth(realm):
                return http.Auth(None if realm is None else byte_string(realm))
            case ChangeList():
                return self._change(action)
            case CaptureInto():
                return http.Common(self._capture(action))
        return self._flow(action)

    def _flow(self, action: HttpAction) -> document.http.HttpAction:
        """Return what changes how the exchange goes on, or what TCP rules can do too."""
        match action:
            case DisableL7Retry():
                return http.DisableL7Retry()
            case Pause(delay):
                return http.Pause(self._delay(delay))
            case SetTimeout(which, delay):
                return http.SetTimeout(http.TimeoutKind(which), self._delay(delay))
            case SetNice(nice):
                return http.SetNice(nice)
            case SetPriority(offset, value):
                return http.SetPriority(offset, self._names.expression(value))
            case StrictMode(on):
                return http.StrictMode(on)
            case WaitForBody(time, at_least):
                return http.WaitForBody(time, at_least)
            case WaitForHandshake():
                return http.WaitForHandshake()
            case UseCache(how, cache, span):
                at = self._parts.cache(cache, span)
                return http.CacheUse(at) if how == "cache-use" else http.CacheStore(at)
            case UseService(name, span):
                return http.UseService(self._parts.service(name, span))
            case SetBandwidthLimit():
                return self._bandwidth(action)
        return http.Common(lowered_action(action, self._names))  # type: ignore[arg-type]

    def _replacement(self, action: Replace) -> document.http.HttpAction:
        regex, value = byte_string(action.regex), self._text(action.value)
        match action.how:
            case "replace-header":
                return http.ReplaceHeader(action.name, regex, value)
            case "replace-value":
                return http.ReplaceValue(action.name, regex, value)
        return http.ReplaceTarget(http.TargetPart(action.how.removeprefix("replace-")), regex, value)

    def _redirect(self, action: Redirect) -> document.http.RedirectTo:
        return http.RedirectTo(
            target=_TARGETS[action.kind](self._text(action.value)),
            code=action.code,
            drop_query=action.drop_query,
            keep_query=action.keep_query,
            append_slash=action.append_slash,
            ignore_empty=action.ignore_empty,
            cookie=None if action.cookie is None else byte_string(action.cookie),
        )

    def _listed(self, action: ChangeListed) -> document.http.HttpAction:
        listed = self._names.expression(action.value)
        if action.how == "del-headers-bin":
            return http.DelHeadersBin(listed, http.NameMatch(action.matching))
        make = http.AddHeadersBin if action.how == "add-headers-bin" else http.SetHeadersBin
        return make(listed, byte_string(action.prefix))

    def _change(self, action: ChangeList) -> document.http.HttpAction:
        return http.ChangeList(
            self._names.lists.changed(action.file),
            http.ListChange(action.how.replace("-", "_")),
            self._text(action.key),
            self._text(action.value),
        )

    def _bandwidth(self, action: SetBandwidthLimit) -> document.http.HttpAction:
        known = [each.name for each in self._proxy.settings.http.bandwidth_limits]
        if action.name not in known:
            message = f"`{self._proxy.name}` has no filter `{action.name}` that limits bandwidth"
            hint = suggest(action.name, known)
            self._names.diagnostics.alert(NO_SUCH_PART, message, action.span, hint=hint)
            return http.Common(document.Accept())
        expressions = (
            None if each is None else self._names.expression(each) for each in (action.limit, action.period)
        )
        return http.SetBandwidthLimit(known.index(action.name), *expressions)

    def _capture(self, action: CaptureInto) -> document.Capture:
        """Return a capture into a declared slot; which frontend's a backend cannot know."""
        said = self._proxy.settings
        slots = said.http_rules.response_slots if action.response else said.rules.slots
        length = LONGEST_CAPTURE
        if action.slot < len(slots):
            length = slots[action.slot]
        elif self._proxy.is_frontend:
            message = f"{self._proxy.kind} `{self._proxy.name}` has no capture slot {action.slot}"
            self._names.diagnostics.alert(NO_SUCH_SLOT, message, action.span)
        return document.Capture(self._names.expression(action.value), length, action.slot)
