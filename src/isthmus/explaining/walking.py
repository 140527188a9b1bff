"""Rule sets: line by line, until one ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.engine import Explainer
from isthmus.engine import explain as seam
from isthmus.explaining.changes import Action, Changes
from isthmus.explaining.connection import Connection
from isthmus.explaining.report import Step
from isthmus.plan import document
from isthmus.plan.document import http
from isthmus.records import dataclass, field

GOES_ON = "goes on"
"""What a line does that ends its rule set and not the connection."""

Line = Callable[[str], str]
"""The text of the line at `file:line`."""


@dataclass(slots=True)
class Walk:
    """Where a connection stands: at a bind, and perhaps in a backend. Lines add to `steps`.

    `looks`: the rules see what was sent. `possible` are endings that lines of unknown verdict may bring;
    `answer` the one that is certain.
    """

    place: tuple[int, int]
    connection: Connection
    backend: int | None = None
    looks: bool = False
    steps: list[Step] = field(default_factory=list)
    possible: list[str] = field(default_factory=list)
    answer: str | None = None

    def described(self) -> seam.Described:
        """Return what the engine is told."""
        return self.connection.at(self.place, looks=self.looks, backend=self.backend)


class Rules:
    """Walks through rule sets."""

    def __init__(self, explainer: Explainer, line: Line) -> None:
        self._explainer = explainer
        self._line = line
        self._changes = Changes(explainer.ask)

    def ask(self, question: seam.Question) -> seam.Explained:
        """Ask the engine."""
        return self._explainer.ask(question)

    def step(self, walk: Walk, origin: str, condition: document.Condition | None) -> Step:
        """Judge a line and note it."""
        step = Step(origin, self._line(origin), holds=True)
        if condition is not None:
            said = self.ask(seam.AskCondition(walk.described(), condition))
            step.holds, step.acls, step.needs = said.holds, list(said.acls), list(said.needs)
        walk.steps.append(step)
        return step

    def walk(self, walk: Walk, rules: Iterable[document.Rule | http.HttpRule]) -> None:
        """Go through a rule set; `walk.answer` is set where it ends the connection.

        Behind a line that may have ended the set, what other lines do is only possible.
        """
        doubted = False
        for rule in rules:
            step = self.step(walk, rule.origin, rule.condition)
            step.does = ending(rule.action)
            if step.holds is not False and isinstance(rule.action, http.Redirect):
                step.does += self._location(walk, rule.action.redirect)
            if step.holds is False:
                continue
            sure = step.holds is True and not doubted
            certain = sure and not _may_pass(rule.action)
            if not step.does:
                self._change(walk, rule, sure=sure)
            elif certain:
                walk.answer = None if step.does == GOES_ON else f"{step.does} ({rule.origin})"
                return
            else:
                if step.does != GOES_ON:
                    walk.possible.append(f"{step.does} ({rule.origin})")
                if step.holds is True and not _may_pass(rule.action):
                    return
                doubted = True

    def _location(self, walk: Walk, to: http.RedirectTo) -> str:
        said = self.ask(seam.AskFormat(walk.described(), to.target.value))
        request = walk.connection.request
        if said.text is None or request is None:
            return ""
        where = _joined(to, said.text, request)
        return "" if where is None else f" to {where}"

    def _change(self, walk: Walk, rule: document.Rule | http.HttpRule, *, sure: bool) -> None:
        if sure:
            at = walk.described()
            walk.connection = self._changes.apply(walk.connection, at, rule.action, rule.origin)
        else:
            walk.connection = self._changes.blur(walk.connection, rule.action, rule.origin)


def _joined(to: http.RedirectTo, text: str, request: seam.DescribedRequest) -> str | None:
    """Return where a redirection leads; None where that is not known (manual, `redirect`)."""
    asks_more = to.keep_query or to.drop_query or to.append_slash
    changed = {field for field, _ in request.changed}
    host = dict(request.fields).get("host") if not changed & {"host", "*"} else None
    match to.target:
        case http.Location() if not to.keep_query:
            return text
        case http.Prefix() if request.target is not None and not asks_more:
            return request.target if text == "/" else text + request.target
        case http.Scheme() if request.target is not None and host is not None and not asks_more:
            return f"{text}://{host}{request.target}"
    return None


def ending(action: Action) -> str:
    """Tell how an action ends its rule set; empty where it does not."""
    match action:
        case http.Common(inner):
            return ending(inner)
        case document.Accept():
            return GOES_ON
        case document.Reject():
            return "the connection is closed"
        case document.SilentDrop():
            return "the connection is dropped silently"
        case http.Redirect(to):
            return f"redirected with {to.code}"
        case http.Return(reply):
            return f"answered with {reply.status}"
        case http.Deny(reply):
            return f"denied with {reply.status}"
        case http.Tarpit(reply):
            return f"held, then answered with {reply.status}"
        case http.Auth():
            return "asked for a password (401)"
        case http.UseService():
            return "answered by a service"
        case http.CacheUse():
            return "answered from the cache"
    return ""


def _may_pass(action: Action) -> bool:
    """Whether an action that ends a rule set may have nothing to say after all."""
    match action:
        case http.CacheUse():
            return True
        case http.Redirect(to):
            return to.ignore_empty
    return False
