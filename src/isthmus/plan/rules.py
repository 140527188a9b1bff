"""Rules in the plan's terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from isthmus.config import register
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.model.rule import (
    Accept,
    Action,
    AddGpc,
    BackendChoice,
    Capture,
    DoLog,
    DoResolve,
    ExpectProxy,
    Reject,
    Rule,
    RuleSets,
    ServerChoice,
    SetAddress,
    SetGpt,
    SetLogLevel,
    SetMark,
    SetRetries,
    SetTos,
    SetVar,
    SilentDrop,
    SwitchMode,
    Track,
    UnsetVar,
)
from isthmus.model.table import Stick, StickRule
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.logs import format_items
from isthmus.plan.names import origin
from isthmus.records import dataclass

BACKEND_LOOP = register(
    "E0422",
    "a listen section chooses itself",
    """use_backend in a listen section cannot name the section itself: without any rule, its own servers take
    the traffic.""",
)

_ADDRESSES: dict[str, Callable[[document.Expression], document.Action]] = {
    "set-src": document.SetSrc,
    "set-src-port": document.SetSrcPort,
    "set-dst": document.SetDst,
    "set-dst-port": document.SetDstPort,
}


@dataclass(frozen=True, slots=True)
class FrontendRules:
    """The rules of a frontend, and the lengths of the capture slots that they fill."""

    connection: tuple[document.Rule, ...]
    session: tuple[document.Rule, ...]
    content: tuple[document.Rule, ...]
    backends: tuple[document.BackendChoice, ...]
    captures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BackendRules:
    """The rules of a backend."""

    content: tuple[document.Rule, ...]
    servers: tuple[document.ServerChoice, ...]
    sticks: tuple[document.StickRule, ...]


def frontend_rules(rules: RuleSets, own_backend: int | None, names: Names) -> FrontendRules:
    """Lower the client side's rules. `own_backend` is the index of a listen's own servers."""
    names.declare(rules.acls)
    return FrontendRules(
        connection=tuple(_rule(rule, names) for rule in rules.connection),
        session=tuple(_rule(rule, names) for rule in rules.session),
        content=tuple(_rule(rule, names) for rule in rules.content),
        backends=tuple(_backend_choice(choice, own_backend, names) for choice in rules.backends),
        captures=rules.slots,
    )


def backend_rules(rules: RuleSets, backend: int, names: Names) -> BackendRules:
    """Lower the server side's rules, without what a `listen` says for its client side alone."""
    names.declare(rules.acls)
    content = (rule for rule in rules.content if not isinstance(rule.action, Capture | SwitchMode))
    return BackendRules(
        content=tuple(_rule(rule, names) for rule in content),
        servers=tuple(_server_choice(choice, backend, names) for choice in rules.servers),
        sticks=tuple(each for rule in rules.sticks for each in _stick(rule, names)),
    )


def _rule(rule: Rule, names: Names) -> document.Rule:
    action = lowered_action(rule.action, names)
    return document.Rule(action, names.condition(rule.condition), origin(rule.span))


def lowered_action(action: Action, names: Names) -> document.Action:
    """Return what a rule of either mode does."""
    match action:
        case Accept():
            return document.Accept()
        case Reject():
            return document.Reject()
        case SilentDrop(rst_ttl):
            return document.SilentDrop(rst_ttl)
        case SwitchMode(proto):
            return document.SwitchMode(None if proto is None else proto == "h2")
        case ExpectProxy():
            return document.ExpectProxy()
        case SetVar(name, Expression() as value, conditions):
            return document.SetVar(name, names.expression(value), conditions)
        case SetVar(name, Format() as value, conditions):
            return document.SetVarFmt(name, format_items(value, names), conditions)
        case UnsetVar(name):
            return document.UnsetVar(name)
        case SetAddress(what, value):
            return _ADDRESSES[what](names.expression(value))
        case Capture(value, length, slot):
            return document.Capture(names.expression(value), length, slot)
        case SetLogLevel(level):
            return document.SetLogLevel(level)
        case DoLog(written):
            return document.DoLog(document.LogOrigin(written.value))
        case SetMark(mark, server):
            return document.SetMark(server, names.expression(mark))
        case SetTos(tos, server):
            return document.SetTos(server, names.expression(tos))
        case SetRetries(retries):
            return document.SetRetries(names.expression(retries))
        case DoResolve(name, section, prefer, value, span):
            patience = names.resolvers.patience(section, span)
            return document.DoResolve(
                name, section, document.Family(prefer.name.lower()), patience, names.expression(value)
            )
        case Track(counter, key, table, span):
            at = names.tables.keyed(table, key)
            return document.Track(names.tables.counter(counter, span), names.expression(key), at)
        case AddGpc(index, element, counter, amount, span):
            gpc = document.GpcElement(index) if element else document.OwnGpc(index)
            return document.AddGpc(gpc, names.tables.counter(counter, span), names.expression(amount))
        case SetGpt(place, counter, value, span):
            return document.SetGpt(place, names.tables.counter(counter, span), names.expression(value))
    raise TypeError(f"no lowering for {action!r}")


_STICKS = {
    Stick.ON: (document.Stick.MATCH, document.Stick.STORE_REQUEST),
    Stick.MATCH: (document.Stick.MATCH,),
    Stick.STORE_REQUEST: (document.Stick.STORE_REQUEST,),
    Stick.STORE_RESPONSE: (document.Stick.STORE_RESPONSE,),
}


def _stick(rule: StickRule, names: Names) -> Iterator[document.StickRule]:
    """Give what a line does, one after the other."""
    at = names.tables.stuck(rule.table, rule.key)
    key, condition = names.expression(rule.key), names.condition(rule.condition)
    for what in _STICKS[rule.what]:
        yield document.StickRule(what, key, at, condition, origin(rule.span))


def _backend_choice(choice: BackendChoice, own: int | None, names: Names) -> document.BackendChoice:
    condition = names.condition(choice.condition)
    line = origin(choice.span)
    if isinstance(choice.target, Format):
        named = document.DynamicBackend(format_items(choice.target, names))
        return document.BackendChoice(named, condition, line)
    index = names.backend(choice.target, choice.span)
    if own is not None and index == own:
        message = f"`{choice.target}` is the section itself"
        names.diagnostics.alert(BACKEND_LOOP, message, choice.span)
    return document.BackendChoice(document.FixedBackend(index), condition, line)


def _server_choice(choice: ServerChoice, backend: int, names: Names) -> document.ServerChoice:
    condition = names.condition(choice.condition)
    line = origin(choice.span)
    if isinstance(choice.target, Format):
        named = document.DynamicServer(format_items(choice.target, names))
        return document.ServerChoice(named, condition, line)
    index = names.server(backend, choice.target, choice.span)
    return document.ServerChoice(document.FixedServer(index), condition, line)
