"""Lines `stick on`, `stick match`, `stick store-request` and `stick store-response`."""

from __future__ import annotations

from isthmus.config import Line, register
from isthmus.keywords.acls import AclScope
from isthmus.keywords.conditions import parse_condition
from isthmus.keywords.context import Context, did_you_mean
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import ProxyArg
from isthmus.model.table import Stick, StickRule

BAD_STICK = register(
    "E0541",
    "malformed stick line",
    """Behind stick stands what is done (on, match, store-request or store-response), an expression that gives
    the key, perhaps a table, and perhaps a condition.""",
    "stick on src table clients if { dst_port 443 }",
)


def read_stick(line: Line, acls: AclScope, context: Context) -> StickRule | None:
    """Read a line; None after an error was collected."""
    words = line.arguments
    kinds = [each.value for each in Stick]
    if not words or words[0].text not in kinds:
        span = words[0].span if words else line.end
        message = f"`{words[0].text}` is nothing that `stick` does" if words else "`stick` needs arguments"
        hint = did_you_mean(words[0].text, kinds) if words else None
        context.alert(BAD_STICK, message, span, expected=f"one of {', '.join(kinds)}", hint=hint)
        return None
    what = Stick(words[0].text)
    if len(words) < 2 or words[1].text in ("if", "unless"):
        message = f"`stick {what}` needs a key"
        context.alert(BAD_STICK, message, line.end, expected="an expression, for instance `src`")
        return None
    place = Place.STICK_STORE if what is Stick.STORE_RESPONSE else Place.SERVER_CHOICE
    key = parse_expression(words[1], place, context)
    rest = words[2:]
    table = ProxyArg("table", context.proxy, words[1].span)
    if rest and rest[0].text == "table":
        if len(rest) < 2:
            context.alert(BAD_STICK, "`table` needs a name", line.end, expected="the name of a proxy")
            return None
        table = ProxyArg("table", rest[1].text, rest[1].span)
        rest = rest[2:]
    condition = parse_condition(rest, acls, place, context)
    return None if key is None else StickRule(what, key, table, condition, line.span)
