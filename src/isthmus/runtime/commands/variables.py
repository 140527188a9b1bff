"""Variables of the process, which rules read and set: `get var`, `set var` (management manual 9.3)."""

from __future__ import annotations

from isthmus.config import Diagnostics, Span, Word
from isthmus.engine import vocabulary
from isthmus.engine.command import SetVariable
from isthmus.keywords.context import Context
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.variables import check_variable, is_variable
from isthmus.keywords.vocabulary import Place, Vocabulary
from isthmus.model.expression import Expression
from isthmus.model.log import Format
from isthmus.plan.expressions import Names
from isthmus.plan.names import Proxies
from isthmus.plan.variables import variable
from isthmus.runtime.commands.messages import lines
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command

_SCOPE = "proc."
_NAMELESS = "Missing process-wide variable identifier."


@command("get var", "retrieve contents of a process-wide variable", syntax="<name>", level=Level.OPERATOR)
def get_variable(request: Request) -> str:
    """Return a variable's type and value."""
    name = request.argument(0)
    if not name:
        raise CommandError(_NAMELESS)
    found = request.instance.engine.variable(name) if name.startswith(_SCOPE) and is_variable(name) else None
    if found is None:
        raise CommandError("Variable not found.")
    kind, text = found
    return f"{name}: type={kind} value=<{text}>"


@command(
    "set var",
    "set variable from an expression",
    syntax="<name> {<expr>|fmt <fmt>|expr <expr>}",
    level=Level.ADMIN,
    experimental=True,
)
def set_variable(request: Request) -> str:
    """Set a variable to what an expression or a format gives where there is no traffic."""
    name, given = request.argument(0), request.arguments[1:]
    if not name:
        raise CommandError(_NAMELESS)
    if not name.startswith(_SCOPE):
        raise CommandError("Only process-wide variables are permitted.")
    kind = given[0] if given[:1] in (("expr",), ("fmt",)) else "expr"
    text = " ".join(given[1:] if given[:1] == (kind,) else given)
    if not text:
        raise CommandError("Missing expression.")
    diagnostics = Diagnostics()
    value = _value(name, kind, text, diagnostics)
    names = Names(Proxies(request.instance.running.built.configuration.proxies), diagnostics)
    planned = None if value is None else variable(value, names)
    if planned is None or diagnostics.failed:
        raise CommandError("\n".join(lines(diagnostics)))
    try:
        request.instance.engine.command(SetVariable(name, planned))
    except (LookupError, ValueError) as error:
        raise CommandError(str(error)) from None
    return ""


def _value(name: str, kind: str, text: str, diagnostics: Diagnostics) -> Expression | Format | None:
    """Return what a variable is to be set to; what is wrong with it or the name goes to the diagnostics."""
    context = Context(Vocabulary.read(vocabulary()), diagnostics)
    word = Word(text, Span("set var", 1, 1, 1 + len(text)))
    if check_variable(name, word.span, context) is None:
        return None
    if kind == "fmt":
        return parse_format(word, FormatKind.VALUE, Place.CLI, context)
    return parse_expression(word, Place.CLI, context)
