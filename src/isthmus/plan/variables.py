"""The variables of the process that are set at start."""

from __future__ import annotations

from isthmus.model.expression import Expression
from isthmus.model.log import Format, Literal, Sample
from isthmus.model.settings import VariableLimits
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.logs import format_items
from isthmus.plan.names import byte_string


def variable(value: Expression | Format, names: Names) -> document.Assigned:
    """Return what gives a variable its value. A format that is a text or one sample is an expression."""
    if isinstance(value, Expression):
        return names.expression(value)
    match value.items:
        case (Sample(expression),):
            return names.expression(expression)
        case () | (Literal(),):
            text = "".join(item.text for item in value.items if isinstance(item, Literal))
            return document.Expression(document.Call("str", (document.ArgStr(byte_string(text)),)))
    return format_items(value, names)


def variable_limits(said: VariableLimits) -> document.VariableLimits | None:
    """Return how large variables may be; None where nothing is limited, so that nothing is counted."""
    if said == VariableLimits():
        return None
    return document.VariableLimits(said.global_, said.proc, said.sess, said.txn, said.reqres)
