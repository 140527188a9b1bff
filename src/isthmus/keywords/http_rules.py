"""Rules of HTTP mode: `http-request` and its like, `redirect`, and lines that are a condition.

A section makes one `HttpRuleReader` and hands it each such line in the order of the file; what it has read
comes out of `finish`. Order and capture slots are shared with the reader of the section's other rules.
"""

from __future__ import annotations

from isthmus.config import Line, Word, register
from isthmus.keywords.acls import AclScope
from isthmus.keywords.action_words import ActionWords, WrongActionError
from isthmus.keywords.conditions import parse_condition
from isthmus.keywords.context import Context
from isthmus.keywords.evaluation import CaptureSlots, RuleOrder
from isthmus.keywords.http_actions import HttpSet, parse_http_action, possible
from isthmus.keywords.redirects import read_redirect
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Condition
from isthmus.model.http import HeaderCapture, HttpRules
from isthmus.model.http_rule import Allow, Answer, Auth, HttpRule, Redirect
from isthmus.model.rule import Capture, Reject, SilentDrop
from isthmus.records import replace

BAD_HTTP_RULE = register(
    "E0416",
    "malformed line of an HTTP rule",
    """Behind http-request, http-response and http-after-response stands an action, perhaps with a condition;
    monitor fail, force-persist and ignore-persist need a condition.""",
    "http-request deny if { path_beg /admin }",
)

_FINAL = (Allow, Answer, Auth, Redirect, Reject, SilentDrop)


class HttpRuleReader:
    """Reads the HTTP rules of one section; every error and warning goes to the context's collector."""

    def __init__(
        self, acls: AclScope, context: Context, order: RuleOrder, slots: CaptureSlots, answers: CaptureSlots
    ) -> None:
        self.slots = slots
        self.answers = answers
        self._acls = acls
        self._context = context
        self._order = order
        self._rules: dict[HttpSet, list[HttpRule]] = {each: [] for each in HttpSet}
        self._redirects: list[HttpRule] = []
        self._conditions: dict[str, list[Condition]] = {}
        self._captures: dict[bool, list[HeaderCapture]] = {False: [], True: []}

    def finish(self) -> HttpRules:
        """Return everything that was read."""
        return HttpRules(
            request=tuple(self._rules[HttpSet.REQUEST]),
            redirects=tuple(self._redirects),
            response=tuple(self._rules[HttpSet.RESPONSE]),
            after_response=tuple(self._rules[HttpSet.AFTER]),
            monitor_fail=tuple(self._conditions.get("monitor fail", ())),
            force_persist=tuple(self._conditions.get("force-persist", ())),
            ignore_persist=tuple(self._conditions.get("ignore-persist", ())),
            request_captures=tuple(self._captures[False]),
            response_captures=tuple(self._captures[True]),
            response_slots=tuple(self.answers.lengths),
        )

    def capture_header(self, name: str, length: int, *, response: bool) -> None:
        """Read a `capture request header` or `capture response header` line."""
        slots = self.answers if response else self.slots
        self._captures[response].append(HeaderCapture(name, slots.add(length)))

    def rule(self, line: Line, http_set: HttpSet) -> None:
        """Read a line of a set of rules."""
        if not line.arguments:
            expected = f"one of {', '.join(possible(http_set))}"
            message = f"`{http_set.value}` needs an action"
            self._context.alert(BAD_HTTP_RULE, message, line.end, expected=expected)
            return
        place = self._place(response=http_set is not HttpSet.REQUEST)
        words = ActionWords(line.arguments, place, self._context)
        try:
            action = parse_http_action(words, http_set)
        except WrongActionError:
            return
        condition = parse_condition(words.rest, self._acls, place, self._context, words.offered)
        if http_set is HttpSet.REQUEST:
            self._order.check(http_set.value, line)
        self._order.reach(http_set.value, line, final=isinstance(action, _FINAL) and not words.rest)
        if isinstance(action, Capture):
            action = replace(action, slot=self.slots.add(action.length))
        self._rules[http_set].append(HttpRule(action, condition, line.span))

    def redirect(self, line: Line) -> None:
        """Read a `redirect` line."""
        place = self._place(response=False)
        words = ActionWords(line.words, place, self._context)
        try:
            action = read_redirect(words, formatted=False)
        except WrongActionError:
            return
        condition = parse_condition(words.rest, self._acls, place, self._context, words.offered)
        self._order.check("redirect", line)
        self._order.reach("redirect", line, final=not words.rest)
        self._redirects.append(HttpRule(action, condition, line.span))

    def condition(self, name: str, line: Line, words: tuple[Word, ...]) -> None:
        """Read the condition of `monitor fail`, `force-persist` or `ignore-persist`."""
        if not words:
            message = f"`{name}` needs a condition"
            self._context.alert(BAD_HTTP_RULE, message, line.end, expected="`if` or `unless` and ACLs")
            return
        condition = parse_condition(words, self._acls, self._place(response=False), self._context)
        if name == "monitor fail":
            self._order.check(name, line)
        if condition is not None:
            self._conditions.setdefault(name, []).append(condition)

    def _place(self, *, response: bool) -> Place:
        place = Place(0)
        if self._context.frontend:
            place |= Place.FRONTEND_HTTP_RESPONSE if response else Place.FRONTEND_HTTP_REQUEST
        if self._context.backend:
            place |= Place.BACKEND_HTTP_RESPONSE if response else Place.BACKEND_HTTP_REQUEST
        return place
