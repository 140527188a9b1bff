"""Sample expressions: `fetch(args),converter(args),...` to a typed expression (manual 7.3).

A rule, an ACL or a log format holds an expression as a word or a part of one. All that can be known
while reading is checked here: that the names exist, that arguments have their types, that each converter can
take what comes before it, and that the fetch has a value in the place where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from isthmus.config import ArgumentError, Span, Word, register, split_arguments
from isthmus.keywords.arguments import NEVER_EMPTY, PROXY_TYPES, narrowed, parse_argument
from isthmus.keywords.casts import can_cast
from isthmus.keywords.context import Context, did_you_mean
from isthmus.keywords.known_samples import CONVERTERS, FETCHES
from isthmus.keywords.vocabulary import Converter, Fetch, Parameter, Place
from isthmus.keywords.wrong_argument import WrongArgumentError
from isthmus.model.expression import Argument, Call, Expression, IntArg, SampleType
from isthmus.records import dataclass

UNKNOWN_FETCH = register(
    "E0310",
    "unknown fetch",
    """An expression begins with a sample fetch, the name of something that the proxy knows about a session:
    src, dst_port, req.len and so on. `isthmus -dKfetch` lists them.""",
    "acl local src 10.0.0.0/8",
)
UNKNOWN_CONVERTER = register(
    "E0311",
    "unknown converter",
    """Behind a fetch stand converters, each after a comma, that change the sample. `isthmus -dKcnv` lists
    them.""",
    "acl net src,ipmask(24) 10.1.2.0",
)
NOT_IMPLEMENTED = register(
    "E0312",
    "fetch or converter is not implemented yet",
    """HAProxy has a fetch or converter of this name, and Isthmus does not have it yet.""",
)
BAD_EXPRESSION = register(
    "E0313",
    "malformed expression",
    """An expression is a fetch and converters separated by commas, without spaces: name(args),name(args).
    An argument that holds a comma or a parenthesis is quoted.""",
    'log-format "%[src,ipmask(24)]"',
)
BAD_ARGUMENT = register(
    "E0314",
    "bad argument of a fetch or converter",
    """Arguments of fetches and converters have types, which are checked when the configuration is read.""",
)
CANNOT_CONVERT = register(
    "E0315",
    "a converter cannot take this type",
    """Each converter takes samples of one type. Integers, addresses and strings are changed into each other
    where that makes sense; binary samples become strings only.""",
)
UNAVAILABLE = register(
    "E0316",
    "fetch has no value here",
    """Some fetches need something that does not exist where they are used: contents before any were read,
    the server's answer before a server was chosen, and so on.""",
)

_NAME = re.compile(r"[A-Za-z0-9_.+-]*")


class MalformedError(Exception):
    """An expression that was given up; its diagnostic has been collected."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name in an expression with its arguments as written, before it is known what it names."""

    name: str
    span: Span
    arguments: tuple[tuple[str, Span], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The parts of an expression, and the offset in the word where it ends."""

    fetch: Named
    converters: tuple[Named, ...]
    span: Span
    end: int


def parse_expression(word: Word, place: Place, context: Context) -> Expression | None:
    """Read a whole word as an expression for `place`, or collect what is wrong with it and return None."""
    try:
        expression, end = parse_expression_at(word, 0, place, context)
    except MalformedError:
        return None
    if end < len(word.text):
        rest = context.part(word, end, len(word.text) - end)
        context.alert(
            BAD_EXPRESSION,
            f"`{word.text[end:]}` cannot stand behind `{word.text[:end]}`",
            rest,
            expected="a comma and a converter, or nothing",
        )
        return None
    return expression


def parse_expression_at(word: Word, start: int, place: Place, context: Context) -> tuple[Expression, int]:
    """Read an expression from an offset in a word; return it and the offset behind it.

    Raises MalformedError after collecting what is wrong.
    """
    chain = read_chain(word, start, context)
    fetch = find_fetch(chain.fetch, context)
    expression = build_expression(chain, fetch, context)
    check_place(fetch, chain.fetch.span, place, context)
    return expression, chain.end


def read_chain(word: Word, start: int, context: Context) -> Chain:
    """Cut an expression into names and arguments. Raises MalformedError."""
    fetch, pos = _read_name(word, start, "fetch", context)
    converters: list[Named] = []
    text = word.text
    while pos < len(text) and text[pos] == ",":
        # HAProxy takes several commas in a row for one.
        while pos < len(text) and text[pos] == ",":
            pos += 1
        converter, pos = _read_name(word, pos, "converter", context)
        converters.append(converter)
    if pos < len(text) and (_NAME.fullmatch(text[pos]) or text[pos] == "(") and text[pos - 1] == ")":
        context.alert(
            BAD_EXPRESSION,
            "a comma is missing",
            context.part(word, pos, 1),
            expected="a comma before a converter",
        )
        raise MalformedError
    return Chain(fetch, tuple(converters), context.part(word, start, pos - start), pos)


def _read_name(word: Word, start: int, what: str, context: Context) -> tuple[Named, int]:
    match = _NAME.match(word.text, start)
    end = match.end() if match else start
    span = context.part(word, start, end - start)
    if end == start:
        found = f", not `{word.text[start]}`" if start < len(word.text) else ""
        missing = f"the name of a {what}"
        context.alert(
            BAD_EXPRESSION, f"{missing} is missing", context.part(word, start, 1), expected=missing + found
        )
        raise MalformedError
    name = word.text[start:end]
    if end == len(word.text) or word.text[end] != "(":
        return Named(name, span, (("", span),)), end
    try:
        written, pos = split_arguments(word.text, end)
    except ArgumentError as error:
        context.alert(BAD_EXPRESSION, f"{error.message}", context.part(word, error.offset, 1))
        raise MalformedError from None
    pairs = tuple((each.text, context.part(word, each.start, each.end - each.start)) for each in written)
    return Named(name, span, pairs), pos


def find_fetch(named: Named, context: Context) -> Fetch:
    """Return the fetch of a name. Raises MalformedError if there is none."""
    fetch = context.vocabulary.fetches.get(named.name)
    if fetch is None:
        _unknown(named, "fetch", UNKNOWN_FETCH, FETCHES, context.vocabulary.fetches, context)
        raise MalformedError
    return fetch


def _find_converter(named: Named, context: Context) -> Converter:
    converter = context.vocabulary.converters.get(named.name)
    if converter is None:
        _unknown(named, "converter", UNKNOWN_CONVERTER, CONVERTERS, context.vocabulary.converters, context)
        raise MalformedError
    return converter


def _unknown(
    named: Named, what: str, code: str, known: frozenset[str], ours: Iterable[str], context: Context
) -> None:
    if named.name in known:
        context.alert(NOT_IMPLEMENTED, f"{what} `{named.name}` is not implemented yet", named.span)
        return
    hint = did_you_mean(named.name, known.union(ours))
    context.alert(code, f"unknown {what} `{named.name}`", named.span, hint=hint)


def build_expression(chain: Chain, fetch: Fetch, context: Context) -> Expression:
    """Type an expression whose fetch is known. Raises MalformedError."""
    call = Call(fetch.name, _arguments(chain.fetch, fetch.args, "fetch", context))
    output = fetch.output
    calls: list[Call] = []
    before = fetch.name
    for named in chain.converters:
        converter = _find_converter(named, context)
        if not can_cast(output, converter.input):
            context.alert(
                CANNOT_CONVERT,
                f"converter `{named.name}` takes {_type_name(converter.input)}, "
                f"and `{before}` gives {_type_name(output)}",
                named.span,
            )
            raise MalformedError
        calls.append(Call(converter.name, _arguments(named, converter.args, "converter", context)))
        if converter.output is not SampleType.SAME:
            output = converter.output
        before = named.name
    return Expression(call, tuple(calls), output, chain.span)


_TYPE_NAMES = {
    SampleType.BOOL: "a boolean",
    SampleType.INT: "an integer",
    SampleType.ADDR: "an address",
    SampleType.IPV4: "an IPv4 address",
    SampleType.IPV6: "an IPv6 address",
    SampleType.STR: "a string",
    SampleType.BIN: "a binary sample",
    SampleType.METH: "an HTTP method",
}


def _type_name(sample_type: SampleType) -> str:
    return _TYPE_NAMES.get(sample_type, "any type")


def _arguments(
    named: Named, signature: tuple[Parameter, ...], what: str, context: Context
) -> tuple[Argument, ...]:
    given = named.arguments
    if len(given) == 1 and not given[0][0] and _may_be_empty(named.name, signature):
        given = ()  # name and name() are the same to HAProxy: one empty argument
    if len(given) > len(signature):
        text, span = given[len(signature)]
        context.alert(
            BAD_ARGUMENT,
            f"{what} `{named.name}` has no argument number {len(signature) + 1}, but `{text}` is given",
            span,
            expected=_signature(named.name, signature),
        )
        raise MalformedError
    values: list[Argument] = []
    for position, (text, span) in enumerate(given):
        kind = narrowed(named.name, position, signature[position].type, given[0][0])
        if not text and position and kind == "integer" and signature[position].optional:
            values.append(IntArg(0))  # as in HAProxy, an integer that is empty is 0
            continue
        values.append(_typed(named, kind, text, span, what, context))
    for parameter in signature[len(given) :]:
        if parameter.optional:
            break
        context.alert(
            BAD_ARGUMENT,
            f"{what} `{named.name}` needs more arguments",
            named.span,
            expected=_signature(named.name, signature),
        )
        raise MalformedError
    return tuple(values)


def _may_be_empty(name: str, signature: tuple[Parameter, ...]) -> bool:
    """Whether nothing between the parentheses means no argument, rather than an empty one."""
    if not signature:
        return True
    if signature and signature[0].type == "table" and name.startswith("sc"):
        return True  # `sc0_conn_cnt` is about the table that is tracked
    return signature[0].optional and narrowed(name, 0, signature[0].type) not in NEVER_EMPTY


def _typed(named: Named, kind: str, text: str, span: Span, what: str, context: Context) -> Argument:
    if kind in PROXY_TYPES and not text and kind != "table":
        _check_capability(named, kind, span, context)
    try:
        return parse_argument(kind, text, span, context)
    except WrongArgumentError as error:
        shown = f"`{text}` is no right argument" if text else "an argument is missing"
        near = did_you_mean(text, error.words)
        context.alert(BAD_ARGUMENT, f"{shown} of {what} `{named.name}`", span, expected=str(error), hint=near)
        raise MalformedError from None


def _check_capability(named: Named, kind: str, span: Span, context: Context) -> None:
    capable = context.frontend if kind == "frontend" else context.backend
    if context.proxy and capable:
        return
    role = "frontend" if kind == "frontend" else "backend"
    context.alert(
        BAD_ARGUMENT,
        f"`{named.name}` needs the name of a {role} here, since `{context.proxy or 'this section'}` is none",
        span,
        expected=f"{named.name}(<{role}>)",
    )
    raise MalformedError


def _signature(name: str, signature: tuple[Parameter, ...]) -> str:
    parts = [f"[{each.type}]" if each.optional else each.type for each in signature]
    return f"{name}({', '.join(parts)})" if parts else f"{name} without arguments"


def check_place(fetch: Fetch, span: Span, place: Place, context: Context) -> None:
    """Collect an error if a fetch has no value in a place. Raises MalformedError then."""
    if fetch.valid_in(place):
        return
    context.alert(UNAVAILABLE, f"fetch `{fetch.name}` has no value in: {place.wording}", span)
    raise MalformedError
