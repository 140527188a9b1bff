"""`set-var` and `set-var-fmt` of section `global`: variables of the process, set at start."""

from __future__ import annotations

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.row import Keyword, RefusedError, Use, Where, takes_all
from isthmus.keywords.values import integer
from isthmus.keywords.variables import check_variable
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.records import replace


def _set_var(use: Use[GlobalDraft]) -> None:
    name = _name(use)
    expression = parse_expression(use.words.take("an expression"), Place.CONFIGURATION, use.reading.context())
    _add(use, name, expression)


def _set_var_fmt(use: Use[GlobalDraft]) -> None:
    name = _name(use)
    word = use.words.take("a format")
    found = parse_format(word, FormatKind.VALUE, Place.CONFIGURATION, use.reading.context())
    _add(use, name, found)


def _name(use: Use[GlobalDraft]) -> Word:
    word = use.words.take("a variable of scope proc")
    if not word.text.startswith("proc."):
        raise RefusedError(
            BAD_VALUE, "only variables of the process exist here", word.span, expected="`proc.` and a name"
        )
    return word


def _add(use: Use[GlobalDraft], name: Word, value: Expression | Format | None) -> None:
    checked = check_variable(name.text, name.span, use.reading.context())
    if value is not None and checked is not None:
        variables = (*use.draft.settings.variables, (checked, value))
        use.draft.settings = replace(use.draft.settings, variables=variables)


def _limit(scope: str, about: str) -> Keyword[GlobalDraft]:
    field = "global_" if scope == "global" else scope

    def read(use: Use[GlobalDraft]) -> None:
        # As with HAProxy, a negative number is no limit, and neither is 0.
        limit = max(0, integer(use.words, -(2**63), 2**63 - 1, "a number of bytes"))
        limits = changed(use.draft.settings.variable_limits, **{field: limit})
        use.draft.settings = replace(use.draft.settings, variable_limits=limits)

    return Keyword(f"tune.vars.{scope}-max-size", Where.GLOBAL, "<bytes>", about, read)


VARIABLES: tuple[Keyword[GlobalDraft], ...] = (
    Keyword("set-var", Where.GLOBAL, "<name> <expression>", "Set a variable of the process", _set_var),
    Keyword("set-var-fmt", Where.GLOBAL, "<name> <format>", "Set a variable of the process", _set_var_fmt),
    Keyword(
        "tune.vars.check-max-size",
        Where.GLOBAL,
        "<bytes>",
        "Most bytes of variables of a health check",
        takes_all,
        inert="health checks set no variables here",
    ),
    _limit("global", "Most bytes of all variables"),
    _limit("proc", "Most bytes of variables of the process, those of its sessions included"),
    _limit("reqres", "Most bytes of variables of a request or a response"),
    _limit("sess", "Most bytes of variables of a session, those of its exchange included"),
    _limit("txn", "Most bytes of variables of an exchange, those of its request or response included"),
)
