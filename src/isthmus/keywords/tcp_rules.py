"""Rules of a proxy of either mode: `tcp-request`, `use_backend` and `use-server` lines to rules.

A section makes one `RuleReader` and hands it each such line in the order of the file; what it has read
comes out of `finish`. The reader also warns where the order of lines is not the order of evaluation.
"""

from __future__ import annotations

from isthmus.config import Line, register
from isthmus.config.values import BadValueError, parse_time
from isthmus.keywords.acls import AclScope
from isthmus.keywords.action_words import ActionWords, RuleSet, WrongActionError
from isthmus.keywords.actions import parse_action
from isthmus.keywords.conditions import parse_condition
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.evaluation import CaptureSlots, RuleOrder
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.sticking import read_stick
from isthmus.keywords.vocabulary import Place
from isthmus.model.log import Format
from isthmus.model.rule import (
    Accept,
    BackendChoice,
    Capture,
    Reject,
    Rule,
    RuleSets,
    ServerChoice,
    SilentDrop,
    SwitchMode,
)
from isthmus.model.table import StickRule
from isthmus.records import replace

BAD_TCP_REQUEST = register(
    "E0410",
    "malformed tcp-request line",
    """Behind tcp-request stands a set of rules (connection, session or content) with an action and perhaps a
    condition, or inspect-delay with a time.""",
    "tcp-request inspect-delay 5s",
)
NOT_A_FRONTEND = register(
    "E0411",
    "rule in a section that has no such side",
    """Connections and sessions are accepted by frontends, so tcp-request connection and session rules stand
    in frontend, listen and defaults sections.""",
)
BAD_CHOICE = register(
    "E0412",
    "malformed use_backend or use-server line",
    """use_backend names a backend, use-server a server of this backend, or a log format that gives the name.
    use-server needs a condition.""",
    "use_backend static if { dst_port 8080 }",
)
NO_SUCH_SIDE = register(
    "W0413",
    "line has no effect in this kind of section",
    """use_backend is for frontends and use-server for backends; HAProxy ignores them elsewhere.""",
)
_FINAL = (Accept, Reject, SilentDrop, SwitchMode)


class RuleReader:
    """Reads the rules of one section; every error and warning goes to the context's collector."""

    def __init__(self, acls: AclScope, context: Context, slots: CaptureSlots | None = None) -> None:
        self.order = RuleOrder(context)
        self.slots = slots or CaptureSlots()
        self._acls = acls
        self._context = context
        self._rules: dict[RuleSet, list[Rule]] = {each: [] for each in RuleSet}
        self._backends: list[BackendChoice] = []
        self._servers: list[ServerChoice] = []
        self._inspect_delay = 0
        self._sticks: list[StickRule] = []

    def finish(self) -> RuleSets:
        """Return everything that was read."""
        return RuleSets(
            connection=tuple(self._rules[RuleSet.CONNECTION]),
            session=tuple(self._rules[RuleSet.SESSION]),
            content=tuple(self._rules[RuleSet.CONTENT]),
            backends=tuple(self._backends),
            servers=tuple(self._servers),
            inspect_delay=self._inspect_delay,
            sticks=tuple(self._sticks),
            acls=tuple(self._acls.declared.values()),
            slots=tuple(self.slots.lengths),
        )

    def tcp_request(self, line: Line) -> None:
        """Read a `tcp-request` line."""
        words = line.arguments
        sets = [each.value for each in RuleSet]
        expected = f"one of {', '.join(sets)} and inspect-delay"
        if not words:
            self._context.alert(BAD_TCP_REQUEST, "`tcp-request` needs arguments", line.end, expected=expected)
        elif words[0].text == "inspect-delay":
            self._read_inspect_delay(line)
        elif words[0].text not in sets:
            message = f"unknown set of rules `{words[0].text}`"
            hint = did_you_mean(words[0].text, [*sets, "inspect-delay"])
            self._context.alert(BAD_TCP_REQUEST, message, words[0].span, expected=expected, hint=hint)
        else:
            self._read_rule(line, RuleSet(words[0].text))

    def _read_inspect_delay(self, line: Line) -> None:
        words = line.arguments[1:]
        if not words:
            self._context.alert(BAD_TCP_REQUEST, "`inspect-delay` needs a time", line.end, expected="a time")
        elif len(words) > 1:
            message = f"unexpected argument `{words[1].text}`"
            self._context.alert(BAD_TCP_REQUEST, message, words[1].span, expected="one time")
        else:
            try:
                self._inspect_delay = parse_time(words[0].text).milliseconds
            except BadValueError as fault:
                fault.report(self._context.diagnostics, words[0])

    def _read_rule(self, line: Line, rule_set: RuleSet) -> None:
        stage = f"tcp-request {rule_set.value}"
        if rule_set is not RuleSet.CONTENT and not self._context.frontend:
            message = f"`{stage}` rules stand in frontends, and this section is none"
            self._context.alert(NOT_A_FRONTEND, message, line.arguments[0].span)
            return
        if len(line.arguments) < 2:
            message = f"`{stage}` needs an action"
            self._context.alert(
                BAD_TCP_REQUEST, message, line.end, expected="an action, for instance `accept`"
            )
            return
        place = self._place(rule_set)
        words = ActionWords(line.arguments[1:], place, self._context)
        try:
            action = parse_action(words, rule_set)
        except WrongActionError:
            return
        condition = parse_condition(words.rest, self._acls, place, self._context, words.offered)
        self.order.check(stage, line)
        self.order.reach(stage, line, final=isinstance(action, _FINAL) and not words.rest)
        if isinstance(action, Capture):
            action = replace(action, slot=self.slots.add(action.length))
        self._rules[rule_set].append(Rule(action, condition, line.span))

    def _place(self, rule_set: RuleSet) -> Place:
        if rule_set is RuleSet.CONNECTION:
            return Place.FRONTEND_CONNECTION
        if rule_set is RuleSet.SESSION:
            return Place.FRONTEND_SESSION
        place = Place(0)
        if self._context.frontend:
            place |= Place.FRONTEND_CONTENT
        if self._context.backend:
            place |= Place.BACKEND_CONTENT
        return place

    def stick(self, line: Line) -> None:
        """Read a `stick` line."""
        if self._has_side(line.keyword.text, line, self._context.backend, "backend"):
            found = read_stick(line, self._acls, self._context)
            self._sticks += [] if found is None else [found]

    def use_backend(self, line: Line) -> None:
        """Read a `use_backend` line."""
        if not self._has_side("use_backend", line, self._context.frontend, "frontend"):
            return
        target = self._target(line, "backend", Place.USE_BACKEND)
        condition = parse_condition(line.arguments[1:], self._acls, Place.USE_BACKEND, self._context)
        self.order.check("use_backend", line)
        self.order.reach("use_backend", line, final=len(line.arguments) == 1 and isinstance(target, str))
        if target is not None:
            self._backends.append(BackendChoice(target, condition, line.arguments[0].span))

    def use_server(self, line: Line) -> None:
        """Read a `use-server` line."""
        if not self._has_side("use-server", line, self._context.backend, "backend"):
            return
        target = self._target(line, "server", Place.SERVER_CHOICE)
        if len(line.arguments) == 1:
            message = "`use-server` needs a condition"
            self._context.alert(BAD_CHOICE, message, line.end, expected="`if` or `unless` and ACLs")
        condition = parse_condition(line.arguments[1:], self._acls, Place.SERVER_CHOICE, self._context)
        self.order.check("use-server", line)
        if target is not None:
            self._servers.append(ServerChoice(target, condition, line.arguments[0].span))

    def _has_side(self, keyword: str, line: Line, has: bool, side: str) -> bool:
        if not has:
            message = f"`{keyword}` has no effect in a section that is no {side}"
            self._context.warning(NO_SUCH_SIDE, message, line.keyword.span)
        return has

    def _target(self, line: Line, what: str, place: Place) -> str | Format | None:
        if not line.arguments or line.arguments[0].text in ("", "if", "unless"):
            end = after(line.keyword)
            message = f"`{line.keyword.text}` needs the name of a {what}"
            self._context.alert(BAD_CHOICE, message, end, expected=f"the name of a {what}, or a log format")
            return None
        name = line.arguments[0]
        if "%" not in name.text:
            return name.text
        return parse_format(name, FormatKind.VALUE, place, self._context)
