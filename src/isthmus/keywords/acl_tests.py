"""The test of an ACL: criterion, flags, operators and patterns (manual 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from isthmus.config import Span, Word, register
from isthmus.keywords.casts import can_match, default_method
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.expressions import (
    BAD_EXPRESSION,
    NOT_IMPLEMENTED,
    Chain,
    MalformedError,
    build_expression,
    read_chain,
)
from isthmus.keywords.known_samples import ACL_KEYWORDS, FETCHES
from isthmus.keywords.patterns import OPERATORS, WrongPatternError, read_integers, read_network, read_text
from isthmus.keywords.vocabulary import Fetch
from isthmus.model.expression import AclTest, Expression, MatchMethod, PatternFile
from isthmus.records import dataclass, field

UNKNOWN_CRITERION = register(
    "E0322",
    "unknown criterion of an ACL",
    """An ACL looks at a sample fetch, or at one of the ACL keywords that stand for a fetch with a matching
    method, as path_beg does for path -m beg.""",
    "acl internal_net src 10.0.0.0/8",
)
BAD_FLAG = register(
    "E0323",
    "bad flag of an ACL",
    """Flags stand between the criterion and the patterns: -i, -n, -f FILE, -m METHOD, -M, -u ID, and -- to
    end them. -m must come before any pattern and file.""",
    "acl secret fe_name -m beg -i adm",
)
BAD_METHOD = register(
    "E0324",
    "matching method does not suit the sample",
    """A sample is compared by the method of its type unless -m says otherwise. Binary samples have none of
    their own, and not every type can be compared as an integer, a boolean or an address.""",
    "acl hello req.payload(0,5) -m bin 68656c6c6f",
)
BAD_PATTERN = register(
    "E0325",
    "bad pattern",
    """Patterns have the form that the matching method asks for: integers and ranges, addresses and networks,
    hexadecimal digits, regular expressions or plain text.""",
    "acl privileged dst_port :1023",
)
NEVER_MATCHES = register(
    "W0327",
    "an ACL without patterns never matches",
    """Nothing is given that the sample could be compared with. Use -m found to ask whether there is a
    sample, -m bool to ask whether an integer is not zero, or -- to say that no pattern is meant.""",
)
PATTERN_IGNORED = register(
    "W0328",
    "pattern is ignored",
    """Booleans and -m found compare the sample with nothing, so patterns behind them have no effect.""",
)

_INTEGERS = (MatchMethod.INT, MatchMethod.LEN)
_TAKE_NOTHING = (MatchMethod.FOUND, MatchMethod.BOOL)
_DOTTED = ("req.ssl_ver", "req_ssl_ver")


@dataclass(slots=True)
class _Flags:
    """What the flags said, and the files they named with the case rule that held there."""

    method: Word | None = None
    ignore_case: bool = False
    look_up: bool = True
    as_map: bool = False
    ended: bool = False
    unique_id: int | None = None
    files: list[tuple[Word, bool]] = field(default_factory=list)


def parse_test(words: tuple[Word, ...], context: Context) -> tuple[AclTest, ...]:
    """Read criterion, flags and patterns. Nothing comes back where an error was collected."""
    try:
        flags, patterns = _read_flags(words, context)
        expression, own_method = _criterion(words[0], context)
        method = _method(words[0], expression, own_method, flags, context)
    except MalformedError:
        return ()
    files = tuple(
        (PatternFile.read(file.text, file.span, two_columns=flags.as_map), ignore_case)
        for file, ignore_case in flags.files
    )
    written = tuple(_from_words(patterns, method, expression, flags, context))
    if method not in _TAKE_NOTHING and not patterns and not flags.files and not flags.ended:
        message = f"`{words[0].text}` is compared with no pattern, so it never matches"
        context.warning(
            NEVER_MATCHES, message, words[0].span, hint="-m found asks for existence; -- accepts it"
        )
    return (AclTest(expression, method, flags.ignore_case, written, files, flags.unique_id, flags.look_up),)


def _read_flags(words: tuple[Word, ...], context: Context) -> tuple[_Flags, tuple[Word, ...]]:
    """Read the flags behind the criterion; return them and the words behind. Raises MalformedError."""
    flags = _Flags()
    pos = 1
    while pos < len(words) and words[pos].text.startswith("-"):
        flag = words[pos]
        pos += 1
        if flag.text == "--":
            flags.ended = True
            break
        if flag.text in ("-f", "-m", "-u"):
            if pos == len(words):
                _fail(BAD_FLAG, f"`{flag.text}` needs a word behind it", after(flag), context)
            _flag_with_word(flags, flag, words[pos], context)
            pos += 1
        else:
            _plain_flag(flags, flag, context)
    return flags, words[pos:]


def _plain_flag(flags: _Flags, flag: Word, context: Context) -> None:
    if flag.text == "-i":
        flags.ignore_case = True
    elif flag.text == "-n":
        flags.look_up = False
    elif flag.text == "-M":
        flags.as_map = True
    else:
        message = f"`{flag.text}` is no flag of an ACL"
        hint = "`--` before the patterns makes one that begins with a dash plain"
        _fail(BAD_FLAG, message, flag.span, context, "-i, -n, -f, -m, -M, -u or --", hint)


def _flag_with_word(flags: _Flags, flag: Word, value: Word, context: Context) -> None:
    if flag.text == "-f":
        flags.files.append((value, flags.ignore_case))
    elif flag.text == "-m":
        if flags.files:
            _fail(BAD_FLAG, "`-m` must stand before files and patterns", flag.span, context)
        flags.method = value
    elif not (value.text.isascii() and value.text.isdigit() and len(value.text) < 10):
        _fail(BAD_FLAG, "the id behind `-u` is not a number", value.span, context, "an integer from 0")
    else:
        flags.unique_id = int(value.text)


def _fail(
    code: str,
    message: str,
    span: Span,
    context: Context,
    expected: str | None = None,
    hint: str | None = None,
) -> NoReturn:
    context.alert(code, message, span, expected=expected, hint=hint)
    raise MalformedError


def _criterion(word: Word, context: Context) -> tuple[Expression, MatchMethod | None]:
    """Read the criterion; return it with the method that an ACL keyword implies. Raises MalformedError."""
    chain = read_chain(word, 0, context)
    if chain.end < len(word.text):
        rest = context.part(word, chain.end, len(word.text) - chain.end)
        message = f"`{word.text[chain.end :]}` cannot stand behind `{word.text[: chain.end]}`"
        _fail(BAD_EXPRESSION, message, rest, context, "a comma and a converter, or a space")
    fetch, method = _find(chain, context)
    # A converter gives its own type, and with it the method: the keyword's one is for the bare fetch.
    return build_expression(chain, fetch, context), None if chain.converters else method


def _find(chain: Chain, context: Context) -> tuple[Fetch, MatchMethod | None]:
    name, vocabulary = chain.fetch.name, context.vocabulary
    keyword = vocabulary.acls.get(name)
    fetch = vocabulary.fetches.get(keyword.fetch if keyword else name)
    if fetch is not None:
        return fetch, keyword.method if keyword else None
    if name in ACL_KEYWORDS or name in FETCHES:
        _fail(NOT_IMPLEMENTED, f"criterion `{name}` is not implemented yet", chain.fetch.span, context)
    known = ACL_KEYWORDS | FETCHES | vocabulary.fetches.keys() | vocabulary.acls.keys()
    hint = did_you_mean(name, known)
    _fail(UNKNOWN_CRITERION, f"unknown criterion `{name}` of an ACL", chain.fetch.span, context, None, hint)


def _method(
    criterion: Word, expression: Expression, own: MatchMethod | None, flags: _Flags, context: Context
) -> MatchMethod:
    """Return how the sample is compared. Raises MalformedError."""
    names = [each.value for each in MatchMethod]
    if flags.method is not None and flags.method.text not in names:
        unknown, span = flags.method.text, flags.method.span
        message, hint = f"unknown matching method `{unknown}`", did_you_mean(unknown, names)
        _fail(BAD_METHOD, message, span, context, f"one of {', '.join(names)}", hint)
    if flags.method is not None:
        method: MatchMethod | None = MatchMethod(flags.method.text)
        span = flags.method.span
    else:
        method, span = own or default_method(expression.output), criterion.span
    if method is None:
        message = f"a sample of type {expression.output.value} needs `-m` to say how it is compared"
        _fail(BAD_METHOD, message, span, context, f"-m and one of {', '.join(names)}")
    if not can_match(expression.output, method):
        message = f"matching method `{method.value}` does not suit a sample of type {expression.output.value}"
        _fail(BAD_METHOD, message, span, context)
    return method


def _from_words(
    words: tuple[Word, ...], method: MatchMethod, expression: Expression, flags: _Flags, context: Context
) -> Iterator[str]:
    """Give the patterns written on the line, collecting an error for each bad one."""
    if method in _TAKE_NOTHING:
        if words:
            message = f"a pattern is ignored where the method is `{method.value}`"
            context.warning(PATTERN_IGNORED, message, words[0].span.to(words[-1].span))
        return
    operator, last = "eq", None
    dotted = method is MatchMethod.INT and expression.fetch.name in _DOTTED and not expression.converters
    for word in words:
        if method in _INTEGERS and word.text in OPERATORS:
            operator, last = word.text, word
        elif not (last and word.text == "--"):
            try:
                if method in _INTEGERS:
                    yield read_integers(word.text, operator, dotted=dotted)
                elif method is MatchMethod.IP:
                    yield read_network(word.text, context.resolve if flags.look_up else None)
                else:
                    yield read_text(word.text, method)
            except WrongPatternError as error:
                message = f"`{word.text}` is no pattern of method `{method.value}`"
                context.alert(BAD_PATTERN, message, word.span, expected=str(error))
            last = None
    if last:
        context.warning(NEVER_MATCHES, f"nothing stands behind `{last.text}`", last.span)
