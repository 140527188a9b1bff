"""The condition of `-cc`: evaluated like that of an `.if`, with exit statuses for answers.

As HAProxy, `-cc` takes `#` as a plain character. Here the environment is looked up too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from isthmus.config.blocks import BAD_CONDITION, locate
from isthmus.config.conditions import ConditionError, Features, evaluate
from isthmus.config.diagnostics import Diagnostic, Diagnostics, Severity
from isthmus.config.words import split_line

_PLACE = "-cc"


class Verdict(IntEnum):
    """The outcome of `-cc`; its value is the exit status (management manual, `-cc`)."""

    TRUE = 0
    FALSE = 1
    ERROR = 2


def check_condition(
    condition: str, *, environment: Mapping[str, str], features: Features, diagnostics: Diagnostics
) -> Verdict:
    """Evaluate a condition as written on the command line; an error is added to `diagnostics`."""
    diagnostics.keep_source(_PLACE, (condition,))
    split = split_line(condition, _PLACE, 1, environment.get, comments=False)
    if split.failed:
        for problem in split.problems:
            diagnostics.add(
                Diagnostic(problem.code, Severity.ALERT, problem.message, problem.span, problem.hint)
            )
        return Verdict.ERROR
    try:
        holds = evaluate(" ".join(word.text for word in split.words), features, environment)
    except ConditionError as error:
        span = locate(split.words, error.offset, error.length)
        diagnostics.alert(BAD_CONDITION, error.message, span, hint=error.hint)
        return Verdict.ERROR
    return Verdict.TRUE if holds else Verdict.FALSE
