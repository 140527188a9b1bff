"""The variables of the process that are set at start, as expressions."""

from __future__ import annotations

from isthmus.config import Diagnostics
from isthmus.keywords.codes import NOT_IMPLEMENTED
from isthmus.model.expression import Expression
from isthmus.model.log import Format, Literal, Sample
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.names import byte_string


def variable(value: Expression | Format, names: Names, diagnostics: Diagnostics) -> document.Expression:
    """Return the expression that gives a variable its value.

    A format is one where it is a text or one sample; a mixture of them is an error that says so.
    """
    if isinstance(value, Expression):
        return names.expression(value)
    match value.items:
        case (Sample(expression),):
            return names.expression(expression)
        case () | (Literal(),):
            text = "".join(item.text for item in value.items if isinstance(item, Literal))
            return document.Expression(document.Call("str", (document.ArgStr(byte_string(text)),)))
    diagnostics.alert(
        NOT_IMPLEMENTED,
        "`set-var-fmt` with more than one piece is known to HAProxy, and not implemented yet",
        value.span,
        expected="a text, or one `%[...]`",
    )
    return document.Expression(document.Call("str", (document.ArgStr(""),)))
