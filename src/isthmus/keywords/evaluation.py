"""What the rules of a section share: the order of their evaluation, and the capture slots they fill."""

from __future__ import annotations

from isthmus.config import Line, Span, Word, register
from isthmus.keywords.context import Context
from isthmus.records import dataclass, field

WRONG_ORDER = register(
    "W0414",
    "rules are not evaluated in the order of the lines",
    """tcp-request connection comes first, then session, then content, then monitor fail, then http-request,
    then redirect, then use_backend, then use-server, whatever the order of the lines.""",
)
NEVER_REACHED = register(
    "W0415",
    "rule is never reached",
    """A rule above it ends the evaluation of the set and has no condition.""",
)

STAGES = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "monitor fail",
    "http-request",
    "redirect",
    "use_backend",
    "use-server",
)
"""The rules of a request in the order of their evaluation."""


class RuleOrder:
    """Warns of rules of one section that are evaluated earlier than they stand, or never."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._furthest = 0
        self._closed: dict[str, Span] = {}

    def check(self, stage: str, line: Line) -> None:
        """Warn of a line that is evaluated before lines above it."""
        at = STAGES.index(stage)
        if at < self._furthest:
            message = f"this `{stage}` rule is evaluated before the `{STAGES[self._furthest]}` rules above it"
            self._context.warning(WRONG_ORDER, message, _head(line))
        self._furthest = max(self._furthest, at)

    def reach(self, stage: str, line: Line, *, final: bool) -> None:
        """Warn of a line behind a `final` one, which always ends the evaluation of its set."""
        ended = self._closed.get(stage)
        if ended is not None:
            message = f"this rule is never reached: the one at line {ended.line} ends `{stage}` rules"
            self._context.warning(NEVER_REACHED, message, _head(line))
        elif final:
            self._closed[stage] = line.span


def _head(line: Line) -> Span:
    """Return the span of the line up to its action or target."""
    words: tuple[Word, ...] = line.words
    last = words[min(2 if line.keyword.text == "tcp-request" else 1, len(words) - 1)]
    return words[0].span.to(last.span)


@dataclass(slots=True)
class CaptureSlots:
    """The capture slots of one side, numbered from `first`: those before belong to the defaults."""

    first: int = 0
    lengths: list[int] = field(default_factory=list)

    def add(self, length: int) -> int:
        """Add a slot of so many bytes and return its number."""
        self.lengths.append(length)
        return self.first + len(self.lengths) - 1
