"""The expressions of templates: `${...}` parsed by `ast`, with a whitelist and bounded numbers.

Nothing is evaluated by Python itself: each allowed form becomes a closure.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache

from isthmus.network.document.nodes import Value

_BITS = 128
_LONGEST = 200
_FORMAT = re.compile(r"0?[0-9]{0,2}[dxXobs]?\Z")
_PIECE = re.compile(r"\$\$|\$\{([^{}]*)\}|\$\{")

Names = Mapping[str, Value]
Code = Callable[[Names], Value]
Piece = str | Code


class ExpressionError(Exception):
    """An expression that is wrong, or cannot be computed; the text says why.

    `unknown` is the name that does not exist, where that is why.
    """

    def __init__(self, message: str, unknown: str | None = None) -> None:
        super().__init__(message)
        self.unknown = unknown


@lru_cache(maxsize=4096)
def pieces(text: str) -> tuple[Piece, ...]:
    """Split a text into literal parts and compiled expressions. Raises ExpressionError."""
    found: list[Piece] = []
    at = 0
    for match in _PIECE.finditer(text):
        if match.start() > at:
            found.append(text[at : match.start()])
        if match[0] == "$$":
            found.append("$")
        elif match[1] is None:
            raise ExpressionError("`${` without its `}`")
        else:
            found.append(_compile(match[1]))
        at = match.end()
    if at < len(text):
        found.append(text[at:])
    return tuple(found)


def _compile(text: str) -> Code:
    source, colon, form = text.rpartition(":") if ":" in text else (text, "", "")
    if colon and not _FORMAT.match(form):
        raise ExpressionError(f"`{form}` is not a format; a format is 03d, 02x, d or s")
    code = _parsed(source)
    if not colon:
        return code
    return lambda names: _formatted(code(names), form)


def _formatted(value: Value, form: str) -> str:
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return format(value, form)
        except ValueError:
            pass
    raise ExpressionError(f"`{value}` cannot be written in the format `{form}`")


def _parsed(source: str) -> Code:
    if len(source) > _LONGEST:
        raise ExpressionError(f"an expression has at most {_LONGEST} characters")
    if "\\" in source:
        raise ExpressionError("an expression has no backslash")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.strip(), mode="eval")
        return _code(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"`{source}` is not an expression") from None


def _code(node: ast.expr) -> Code:
    match node:
        case ast.Constant(value=int() | str() as value) if not isinstance(value, bool):
            return lambda names: _bounded(value)
        case ast.Name(id=name):
            return lambda names: _named(names, name)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _binary(_code(left), _OPERATORS[type(operator)], _code(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            code = _code(operand)
            return lambda names: -_number(code(names))
        case ast.Attribute(value=inner, attr=name):
            code = _code(inner)
            return lambda names: _item(code(names), name)
        case ast.Subscript(value=inner, slice=index):
            code, at = _code(inner), _code(index)
            return lambda names: _item(code(names), at(names))
    raise ExpressionError("expressions have names, whole numbers, + - * // %, `a.b` and `a[0]` only")


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}


def _binary(left: Code, operation: Callable[[int, int], int], right: Code) -> Code:
    def run(names: Names) -> Value:
        try:
            return _bounded(operation(_number(left(names)), _number(right(names))))
        except ZeroDivisionError:
            raise ExpressionError("division by zero") from None

    return run


def _bounded(value: int | str) -> int | str:
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ExpressionError(f"a number of more than {_BITS} bits")
    return value


def _number(value: Value) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        _bounded(value)
        return value
    raise ExpressionError(f"`{str(value)[:40]}` is not a whole number")


def _named(names: Names, name: str) -> Value:
    try:
        return names[name]
    except KeyError:
        raise ExpressionError(f"unknown variable `{name}`", name) from None


def _item(value: Value, key: Value) -> Value:
    if isinstance(value, dict) and isinstance(key, str | int):
        if str(key) in value:
            return value[str(key)]
        raise ExpressionError(f"no `{key}` among {', '.join(list(value)[:12])}")
    if isinstance(value, list) and isinstance(key, int):
        if -len(value) <= key < len(value):
            return value[key]
        raise ExpressionError(f"no item {key} in a list of {len(value)}")
    raise ExpressionError(f"`{str(value)[:40]}` has no `{key}`")
