"""Names of variables: a scope, a dot and a name (`txn.id`), and the conditions of `set-var`."""

from __future__ import annotations

import re

from isthmus.config import Span, register
from isthmus.keywords.context import Context, did_you_mean

BAD_VARIABLE = register(
    "E0300",
    "bad variable name",
    """A variable is written as its scope, a dot and its name. Scopes are proc (the process), sess (the
    client's session), txn (request and response), req, res and check. The name holds letters, digits, dots
    and underscores.""",
    "tcp-request content set-var(txn.client) src",
)
BAD_VARIABLE_CONDITION = register(
    "E0301",
    "bad condition of set-var",
    """Behind the variable's name, set-var takes conditions that must all hold for it to be set: ifexists,
    ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt, iflt.""",
    "tcp-request content set-var(sess.first,ifnotset) src",
)

SCOPES = ("proc", "sess", "txn", "req", "res", "check")
"""How long a variable lives: as the process, session, transaction, request, response or check."""

CONDITIONS = ("ifexists", "ifnotexists", "ifempty", "ifnotempty", "ifset", "ifnotset", "ifgt", "iflt")
"""What `set-var` can be made to depend on (manual 7.3.1, converter `set-var`)."""

_NAME = re.compile(r"[A-Za-z0-9_.]+\Z")
_BAD_CHARACTER = re.compile(r"[^A-Za-z0-9_.]")


def is_variable(text: str) -> bool:
    """Whether a text is the name of a variable."""
    scope, dot, name = text.partition(".")
    return bool(dot) and scope in SCOPES and bool(_NAME.match(name))


def check_variable(text: str, span: Span, context: Context) -> str | None:
    """Return a variable's name if it is one, else collect what is wrong with it and return None."""
    if is_variable(text):
        return text
    scope, dot, name = text.partition(".")
    expected = f"one of {', '.join(SCOPES)}, a dot and a name, as in `txn.name`"
    bad = _BAD_CHARACTER.search(name)
    if not text:
        context.alert(BAD_VARIABLE, "the name of a variable is missing", span, expected=expected)
    elif not dot or not name:
        context.alert(BAD_VARIABLE, f"`{text}` is not the name of a variable", span, expected=expected)
    elif scope not in SCOPES:
        context.alert(
            BAD_VARIABLE,
            f"unknown scope `{scope}` of a variable",
            span.part(0, len(scope)),
            expected=expected,
            hint=did_you_mean(scope, SCOPES),
        )
    elif bad:
        context.alert(
            BAD_VARIABLE,
            f"character `{bad.group()}` is not allowed in the name of a variable",
            span.part(len(scope) + 1 + bad.start(), 1),
            expected="letters, digits, dots and underscores",
        )
    return None


def check_condition(text: str, span: Span, context: Context) -> bool:
    """Whether a text is a condition of `set-var`; collects an error if it is not."""
    if text in CONDITIONS:
        return True
    context.alert(
        BAD_VARIABLE_CONDITION,
        f"unknown condition `{text}` of a variable",
        span,
        expected=f"one of {', '.join(CONDITIONS)}",
        hint=did_you_mean(text, CONDITIONS),
    )
    return False
